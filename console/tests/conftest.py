"""The console on the real NATS, and the embedded issuer that signs people in for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx
import pytest_asyncio
import uvicorn
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from console.app import create_app
from console.settings import Settings
from local.issuer.app import create_app as create_issuer
from local.issuer.settings import IssuerSettings
from vonggac.auth.keys import ensure_keys
from vonggac.bus import Bus
from vonggac.embedded import NatsServer, free_port
from vonggac.testing.fixtures import login_of
from vonggac.testing.waiting import eventually

ORIGIN = "http://127.0.0.1:8100"


class Links(HTMLParser):
    """The addresses of a page's links, by their words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.by_words: dict[str, str] = {}
        self._address: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._address = dict(attrs).get("href") if tag == "a" else self._address

    def handle_data(self, data: str) -> None:
        if self._address is not None and data.strip():
            self.by_words[data.strip()] = self._address

    def handle_endtag(self, tag: str) -> None:
        self._address = None if tag == "a" else self._address


class FormOf(HTMLParser):
    """The form of a page that is sent by POST: where to, and what stands in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.inputs: dict[str, str | list[str]] = {}
        self._text: str | None = None
        self._select: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form" and given.get("method") == "post":
            self.action = given.get("action") or ""
        elif not self.action or (tag != "option" and not name):
            return
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.inputs[name] = [*self.inputs.get(name, []), given.get("value") or ""]
        elif tag == "input":
            self.inputs[name] = given.get("value") or ""
        elif tag == "textarea":
            self._text, self.inputs[name] = name, ""
        elif tag == "select":
            self._select, self.inputs[name] = name, ""
        elif tag == "option" and self._select is not None and "selected" in given:
            self.inputs[self._select] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self.inputs[self._text] = f"{self.inputs[self._text]}{data}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = None
        elif tag == "select":
            self._select = None


class Browser:
    """Cookies of its own, the console in this loop, everything else by HTTP."""

    def __init__(self, app: FastAPI) -> None:
        self.console = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)
        self.elsewhere = httpx.AsyncClient(trust_env=False)

    async def get(self, address: str) -> httpx.Response:
        """One page, without following where it leads."""
        url = urljoin(ORIGIN, address)
        client = self.console if urlsplit(url).netloc == urlsplit(ORIGIN).netloc else self.elsewhere
        return await client.get(url)

    async def follow(self, address: str) -> httpx.Response:
        """The page at the end of all redirects."""
        answer = await self.get(address)
        while answer.is_redirect:
            answer = await self.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer

    async def post(self, path: str, **headers: str) -> httpx.Response:
        return await self.console.post(path, headers=headers)

    async def send(self, page: httpx.Response, **changed: str | list[str]) -> httpx.Response:
        """Send the form of a page, with some of its inputs changed, as a browser would."""
        form = FormOf(page.text)
        filled: dict[str, str | list[str]] = {**form.inputs, **changed}
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await self.console.post(urljoin(str(page.url), form.action), data=filled, headers=headers)

    async def hand_in(self, address: str, name: str, content: bytes) -> httpx.Response:
        """Send a form with one file, as a browser would."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await self.console.post(urljoin(ORIGIN, address), files={"file": (name, content)}, headers=headers)

    async def sign_in(self, who: str = "chủ trì", to: str = "/") -> httpx.Response:
        """As the person whose name has these words; the page at the end."""
        people = await self.follow(to)
        chosen = next(address for words, address in Links(people.text).by_words.items() if who in words)
        return await self.follow(urljoin(str(people.url), chosen))

    async def close(self) -> None:
        await self.console.aclose()
        await self.elsewhere.aclose()


@asynccontextmanager
async def serve(app: FastAPI, port: int, *, lifespan: Literal["on", "off"] = "off") -> AsyncIterator[uvicorn.Server]:
    """An app on a port of loopback, in this event loop."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan=lifespan))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, what="a server")
    try:
        yield server
    finally:
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[IssuerSettings]:
    """The embedded issuer, with the people of the province."""
    ensure_keys(tmp_path / "keys")
    settings = IssuerSettings(port=free_port(), keys=tmp_path / "keys", console_url=ORIGIN)
    async with serve(create_issuer(settings), settings.port):
        yield settings


@asynccontextmanager
async def running_console(
    nats: NatsServer, issuer: IssuerSettings, unix_s: Callable[[], float] | None = None, **changed: object
) -> AsyncIterator[FastAPI]:
    """The console, its sessions reachable; services at ports where nobody listens unless they are given."""
    nobody = f"http://127.0.0.1:{free_port()}"
    given = {
        "base_url": ORIGIN,
        "oidc_issuer": issuer.address,
        "inventory_url": nobody,
        "reporting_url": nobody,
        "prober_url": nobody,
        "forwarder_url": nobody,
        **login_of(nats, "console"),
        **changed,
    }
    settings = Settings.model_validate(given)
    app = create_app(settings) if unix_s is None else create_app(settings, unix_s=unix_s)
    async with LifespanManager(app, startup_timeout=30, shutdown_timeout=30):
        await eventually(lambda: app.state.visitors is not None, what="the sessions")
        yield app


@pytest_asyncio.fixture
async def app(nats_server: NatsServer, bus: Bus, issuer: IssuerSettings) -> AsyncIterator[FastAPI]:
    """The console with nobody signed in, and no service behind it."""
    async with running_console(nats_server, issuer) as made:
        yield made


@pytest_asyncio.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    made = Browser(app)
    yield made
    await made.close()
