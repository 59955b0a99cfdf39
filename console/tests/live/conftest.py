"""The console before a real prober, with a camera that stands in for a centre."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from console.tests.conftest import ORIGIN, Browser, running_console, serve
from fastapi import FastAPI
from services.prober.tests.conftest import planner, settings, simulate

from local.issuer.app import create_app as create_issuer
from local.issuer.settings import IssuerSettings
from prober.app import create_app as create_prober
from prober.settings import Settings as ProberSettings
from vonggac.bus import Bus
from vonggac.embedded import NatsServer, free_port
from vonggac.testing import eventually

__all__ = ["planner", "settings", "simulate"]


@pytest_asyncio.fixture
async def issuer(keys_folder: Path) -> AsyncIterator[IssuerSettings]:
    """The embedded issuer, whose tokens the prober takes."""
    made = IssuerSettings(port=free_port(), keys=keys_folder, console_url=ORIGIN)
    async with serve(create_issuer(made), made.port):
        yield made


@pytest_asyncio.fixture
async def prober(bus: Bus, settings: object) -> AsyncIterator[str]:
    """The address of a running prober."""
    assert callable(settings)
    made: ProberSettings = settings()
    app, port = create_prober(made), free_port()
    async with serve(app, port, lifespan="on"):
        await eventually(lambda: app.state.process.stills is not None, what="a prober that works")
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture
async def app(nats_server: NatsServer, issuer: IssuerSettings, prober: str) -> AsyncIterator[FastAPI]:
    """The console before that prober; the other services are away."""
    async with running_console(nats_server, issuer, prober_url=prober) as made:
        yield made


@pytest_asyncio.fixture
async def console_without_prober(nats_server: NatsServer, bus: Bus, issuer: IssuerSettings) -> AsyncIterator[Browser]:
    """A browser of the lead at a console whose prober is away."""
    async with running_console(nats_server, issuer) as made:
        browser = Browser(made)
        await browser.sign_in()
        yield browser
        await browser.close()
