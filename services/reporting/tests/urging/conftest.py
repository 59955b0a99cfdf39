"""An urger for the tests of this room, and a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio
from services.reporting.tests.stage.receivers import Mailbox, taking_mail
from services.reporting.tests.stage.urging import Urging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.database import Database


@pytest_asyncio.fixture
async def urging(database: Database, settings: Settings, ingest: Ingest, province: Province) -> Urging:
    await province.feed(ingest, *province.base())
    return Urging(database, settings, province.agency)


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with taking_mail() as made:
        yield made
