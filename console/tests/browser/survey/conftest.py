"""A technician's phone before a console and a register, over a line that is cut wherever a test wants."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
import pytest_asyncio
from console.tests.browser.conftest import Line, chromium, is_chosen
from console.tests.conftest import running_console, serve
from console.tests.forms.conftest import register_address, register_url
from console.tests.survey.conftest import FINDINGS, sites
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, FilePayload, Locator, Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from local.issuer.app import create_app as create_issuer
from local.issuer.settings import IssuerSettings
from vonggac.bus import Bus
from vonggac.embedded import NatsServer, free_port

__all__ = ["chromium", "is_chosen", "register_address", "register_url", "sites"]
PAGE = "/survey/vi/"
WITHIN_MS = 60_000
TRIES = 5


class Cut(NamedTuple):
    """Where a connection is cut."""

    where: Literal["request", "answer"]
    after: int
    """Bytes of it that get through."""


class BadLine(Line):
    """As `Line`; what is sent (PUT), or its answer, is cut after some bytes, as a test decides for each connection."""

    def __init__(self, port: int, to: int) -> None:
        super().__init__(port, to)
        self.decide: Callable[[], Cut | None] = lambda: None
        self.cuts = 0
        self.was_cut = asyncio.Event()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; its first bytes say whether it is one to cut."""
        if not self._flows:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        order: Cut | None = None
        room = asyncio.Event()

        async def send() -> None:
            nonlocal order
            with suppress(OSError):
                while data := await reader.read(65536):
                    if data.startswith(b"PUT ") and order is None:
                        order = self.decide()
                    if order is not None and order.where == "request":
                        back.write(data[: order.after])
                        await back.drain()
                        break
                    back.write(data)
                    await back.drain()
            room.set()

        async def answer() -> None:
            with suppress(OSError):
                while data := await there.read(65536):
                    if order is not None:
                        writer.write(data[: order.after])
                        await writer.drain()
                        break
                    writer.write(data)
                    await writer.drain()
            room.set()

        tasks = [asyncio.create_task(send()), asyncio.create_task(answer())]
        await room.wait()
        if order is not None:
            self.cuts += 1
            self.was_cut.set()
            # With nothing lingering a reset is sent: what is under way is gone.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for task in tasks:
            task.cancel()
        writer.transport.abort()
        back.transport.abort()


@dataclass
class Outpost:
    """The console's address as phones reach it, its app, and the line between."""

    address: str
    app: FastAPI
    line: BadLine


@pytest_asyncio.fixture
async def outpost(
    bus: Bus, nats_server: NatsServer, keys_folder: Path, register_address: str
) -> AsyncIterator[Outpost]:
    """The console before the register alone."""
    own, front = free_port(), free_port()
    address = f"http://127.0.0.1:{front}"
    issuer = IssuerSettings.model_validate({"port": free_port(), "keys": keys_folder, "console_url": address})
    async with (
        serve(create_issuer(issuer), issuer.port),
        running_console(
            nats_server, issuer, base_url=address, inventory_url=register_address, part_timeout_s=20
        ) as app,
        serve(app, own) as console,
    ):
        made = BadLine(front, own)
        server = await asyncio.start_server(made.carry, "127.0.0.1", front)
        yield Outpost(address, app, made)
        server.close()
        console.should_exit = True


class Phone:
    """A technician with a phone of 360 px."""

    def __init__(self, context: BrowserContext, page: Page, outpost: Outpost) -> None:
        self.context, self.page, self.outpost = context, page, outpost
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self._note(line.text))

    def _note(self, text: str) -> None:
        if "Content Security" in text or "Trusted" in text:
            self.complaints.append(text)

    async def take_along(self) -> None:
        """Open the page while there is a network, until it works without."""
        await self.page.goto(self.outpost.address + PAGE)
        await self.page.get_by_text("Trang này mở được khi không có mạng").wait_for()

    async def fill_in(self, code: str, photos: int = 0, **changed: str) -> None:
        """Open a survey, and fill in all of it."""
        await self.page.get_by_role("button", name=f"Điền phiếu: {code}").click()
        # The form is drawn when the store of the phone has answered.
        await expect(self.page.locator("#entry-title").filter(visible=True)).to_contain_text(code)
        wanted = FINDINGS | {name.replace("__", "."): text for name, text in changed.items()}
        for name, text in wanted.items():
            await self._type(name, text)
        for number in range(photos):
            content = await self._draw_photo(f"{code} {number}")
            file = FilePayload(name="anh.png", mimeType="image/png", buffer=content)
            await self.page.locator("#camera").set_input_files(file)
            await expect(self.page.locator("#photos img")).to_have_count(number + 1)

    async def _type(self, name: str, text: str) -> None:
        field = self.page.locator(f'[name="{name}"]')
        section = self.page.locator("details.section", has=field)
        if await field.count() == 0:
            rows = name.rpartition(".")[0].rpartition(".")[0]
            section = self.page.locator(f'details[data-name="{rows}"]')
            if await section.count() == 0:
                section = self.page.locator(f'details[data-name="{rows.rpartition(".")[0]}"]')
            await self._open(section)
            await section.locator("> button, fieldset.group > button").last.click()
        elif await section.count():
            await self._open(section)
        if await field.evaluate("each => each.tagName") == "SELECT":
            await field.select_option(text)
        else:
            await field.fill(text)

    async def _open(self, section: Locator) -> None:
        await section.evaluate("each => { each.open = true; }")

    async def _draw_photo(self, text: str) -> bytes:
        """A picture with a text in it, as a file."""
        script = """async (text) => {
          const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
          canvas.width = 640; canvas.height = 480;
          pen.fillStyle = "#7a9"; pen.fillRect(0, 0, 640, 480); pen.fillStyle = "#123";
          pen.font = "60px sans-serif"; pen.fillText(text, 40, 240);
          const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
          return [...new Uint8Array(await blob.arrayBuffer())];
        }"""
        return bytes(await self.page.evaluate(script, text))

    async def submit(self) -> None:
        await self.page.locator("#form button.main").click()


@pytest_asyncio.fixture
async def phone(chromium: Browser, outpost: Outpost) -> AsyncIterator[Phone]:
    """With the operator signed in."""
    size = {"width": 360, "height": 740}
    context = await chromium.new_context(viewport=size, locale="vi-VN")  # type: ignore[arg-type] # a ViewportSize
    context.set_default_timeout(WITHIN_MS)
    page = await context.new_page()
    for _ in range(TRIES):
        # On a machine under load the provider may be late: the console then says so.
        await page.goto(outpost.address + "/register")
        if page.url == outpost.address + "/register":
            break
        await page.get_by_role("link", name="vận hành").click()
        with suppress(PlaywrightTimeoutError):
            await page.wait_for_url(outpost.address + "/register")
    made = Phone(context, page, outpost)
    yield made
    assert made.complaints == []
    await context.close()


@pytest.fixture(autouse=True)
def patience() -> None:
    """A busy machine takes its time to draw a form of some hundred inputs."""
    expect.set_options(timeout=WITHIN_MS)
