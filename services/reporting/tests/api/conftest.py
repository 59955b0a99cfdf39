"""A day of one camera, of which reports are frozen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.stage.freezing import DAY, NEXT

from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest


@pytest.fixture
async def feeding(client: Client) -> None:
    """The service consumes: one that is stopped while it connects leaves a socket behind."""

    async def is_ready() -> bool:
        return bool((await client.get("/readyz")).status_code == 200)

    await eventually(is_ready)


@pytest.fixture
async def fed(ingest: Ingest, province: Province) -> Province:
    """R08's own case: a camera that is down from 02:00 to 02:45; its probes stop at 20:00."""
    camera = province.camera("CAM-01")
    down, up = DAY + timedelta(hours=2), DAY + timedelta(hours=2, minutes=45)
    facts = [
        *province.probes(camera, DAY, down, every_s=300),
        *province.probes(camera, down, up, "down", cause="timeout", every_s=300),
        *province.probes(camera, up, DAY + timedelta(hours=20), every_s=300),
        *province.watched(NEXT + timedelta(hours=1)),
    ]
    facts += [province.change(planned, camera, 1, DAY, "acknowledged") for planned in camera.deliveries]
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *facts)
    province.facts = camera  # type: ignore[attr-defined]
    return province
