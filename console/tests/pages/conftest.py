"""The console before a real reporting, fed with facts as their producers publish them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from console.tests.conftest import ORIGIN, Browser, running_console, serve
from fastapi import FastAPI
from services.reporting.tests.conftest import (
    common_database,
    province,
    reporting_template,
    reporting_url,
    settings,
    superuser,
)
from services.reporting.tests.stage.province import Province

from local.issuer.app import create_app as create_issuer
from local.issuer.settings import IssuerSettings
from reporting.app import create_app as create_reporting
from reporting.settings import Settings as ReportingSettings
from vonggac.bus import Bus
from vonggac.embedded import NatsServer, free_port

__all__ = [
    "Province",
    "common_database",
    "province",
    "reporting_template",
    "reporting_url",
    "settings",
    "superuser",
]


@pytest_asyncio.fixture
async def reporting_address(bus: Bus, settings: ReportingSettings) -> AsyncIterator[str]:
    """A running reporting."""
    port = free_port()
    async with serve(create_reporting(settings), port, lifespan="on"):
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture
async def issuer(keys_folder: Path) -> AsyncIterator[IssuerSettings]:
    """The embedded issuer, whose tokens reporting takes."""
    made = IssuerSettings(port=free_port(), keys=keys_folder, console_url=ORIGIN)
    async with serve(create_issuer(made), made.port):
        yield made


@pytest_asyncio.fixture
async def app(nats_server: NatsServer, issuer: IssuerSettings, reporting_address: str) -> AsyncIterator[FastAPI]:
    """The console before that reporting; inventory is away."""
    async with running_console(nats_server, issuer, reporting_url=reporting_address) as made:
        yield made


@pytest_asyncio.fixture
async def lead(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser of the province's lead."""
    browser = Browser(app)
    await browser.sign_in()
    yield browser
    await browser.close()
