"""The pages in Debian's Chromium, before a real reporting; skipped with a sentence elsewhere."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio
from console.tests.conftest import running_console, serve
from console.tests.forms.conftest import register_address, register_url
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

__all__ = [
    "common_database",
    "province",
    "register_address",
    "register_url",
    "reporting_template",
    "reporting_url",
    "settings",
    "superuser",
]
CHROMIUM = shutil.which("chromium")
CHOSEN = "VONGGAC_TEST_BROWSER"
"""Environment variable that `make test-browser` sets."""


class Line:
    """A line to a server on loopback, to be cut: what runs over it ends or goes silent, nothing new gets through."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self._open, self._flows = asyncio.Event(), True
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end or a cut closes it."""
        if not self._flows:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, back))
                both.create_task(self._copy(there, writer))
        finally:
            self._writers -= {writer, back}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def silence(self) -> None:
        """As a cable that was pulled: no end is seen, nothing arrives."""
        self._open.clear()

    def cut(self) -> None:
        """As a server that died: connections are closed, and new ones too."""
        self._flows = False
        for writer in self._writers:
            writer.close()

    def mend(self) -> None:
        """All flows again."""
        self._flows = True
        self._open.set()


@asynccontextmanager
async def line(to: int, port: int | None = None) -> AsyncIterator[Line]:
    """A line to a port."""
    made = Line(port or free_port(), to)
    server = await asyncio.start_server(made.carry, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        made.cut()
        made.mend()
        server.close()


@dataclass
class Place:
    """Where the console is, and the lines by which it is reached and reaches reporting."""

    address: str
    to_console: Line
    to_reporting: Line
    prober_port: int
    """The console calls a prober at this port: a test that needs one serves it there."""


@pytest_asyncio.fixture
async def place(
    bus: Bus, settings: ReportingSettings, nats_server: NatsServer, keys_folder: object
) -> AsyncIterator[Place]:
    """The console, with its issuer and reporting; browsers and the console get there by lines that can be cut."""
    address, own, port = f"http://127.0.0.1:{(front := free_port())}", free_port(), free_port()
    prober_port = free_port()
    issuer = IssuerSettings.model_validate({"port": free_port(), "keys": keys_folder, "console_url": address})
    async with (
        serve(create_issuer(issuer), issuer.port),
        serve(create_reporting(settings), port, lifespan="on"),
        line(port) as to_reporting,
        running_console(
            nats_server,
            issuer,
            base_url=address,
            reporting_url=f"http://127.0.0.1:{to_reporting.port}",
            prober_url=f"http://127.0.0.1:{prober_port}",
        ) as app,
        serve(app, own) as console,
        line(own, front) as to_console,
    ):
        yield Place(address, to_console, to_reporting, prober_port)
        app.state.end_streams()
        console.should_exit = True


@pytest_asyncio.fixture
async def office(
    bus: Bus, settings: ReportingSettings, nats_server: NatsServer, keys_folder: object, register_address: str
) -> AsyncIterator[str]:
    """The console before a register and reporting, as an office has it; its address."""
    address, port = f"http://127.0.0.1:{(own := free_port())}", free_port()
    issuer = IssuerSettings.model_validate({"port": free_port(), "keys": keys_folder, "console_url": address})
    async with (
        serve(create_issuer(issuer), issuer.port),
        serve(create_reporting(settings), port, lifespan="on"),
        running_console(
            nats_server,
            issuer,
            base_url=address,
            reporting_url=f"http://127.0.0.1:{port}",
            inventory_url=register_address,
            part_timeout_s=20,
        ) as app,
        serve(app, own) as console,
    ):
        yield address
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
