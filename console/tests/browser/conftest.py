"""The pages in Debian's Chromium, before a real reporting; skipped with a sentence elsewhere."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
import uvicorn
from console.tests.conftest import running_console, serve
from console.tests.pages.conftest import (
    common_database,
    province,
    reporting_template,
    reporting_url,
    settings,
    superuser,
)
from playwright.async_api import Browser, async_playwright

from local.issuer.app import create_app as create_issuer
from local.issuer.settings import IssuerSettings
from reporting.app import create_app as create_reporting
from reporting.settings import Settings as ReportingSettings
from vonggac.bus import Bus
from vonggac.embedded import NatsServer, free_port

__all__ = ["common_database", "province", "reporting_template", "reporting_url", "settings", "superuser"]
CHROMIUM = shutil.which("chromium")
CHOSEN = "VONGGAC_TEST_BROWSER"
"""Environment variable that `make test-browser` sets."""


@dataclass
class Place:
    """Where the console is, and the server of reporting to cut it from."""

    address: str
    reporting: uvicorn.Server


@pytest_asyncio.fixture
async def place(
    bus: Bus, settings: ReportingSettings, nats_server: NatsServer, keys_folder: object
) -> AsyncIterator[Place]:
    """The console on a port of its own, with its issuer and reporting."""
    address, port = f"http://127.0.0.1:{(own := free_port())}", free_port()
    issuer = IssuerSettings.model_validate({"port": free_port(), "keys": keys_folder, "console_url": address})
    async with (
        serve(create_issuer(issuer), issuer.port),
        serve(create_reporting(settings), port, lifespan="on") as reporting,
        running_console(nats_server, issuer, base_url=address, reporting_url=f"http://127.0.0.1:{port}") as app,
        serve(app, own) as console,
    ):
        yield Place(address, reporting)
        app.state.end_streams()
        console.should_exit = True


@pytest.fixture(autouse=True, scope="session")
def is_chosen() -> None:
    """Before any server is started."""
    if not os.environ.get(CHOSEN):
        pytest.skip("the pages in Chromium: make test-browser")
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH: apt install chromium")


@pytest_asyncio.fixture
async def chromium(is_chosen: None) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        await made.close()
