"""A body is bounded before anything reads it, whatever it says of its length."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from vonggac.http.problems import install_problem_handlers
from vonggac.http.protection import BodyLimit, BodyLimits, PlainBodies

READ: list[int] = []


class Counted:
    """Counts what is read of a body, as a server would have to keep it."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted() -> Message:
            message = await receive()
            READ.append(len(message.get("body", b"")))
            return message

        await self.app(scope, counted, send)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    READ.clear()
    app = FastAPI()
    app.add_middleware(PlainBodies)
    app.add_middleware(BodyLimit, limits=BodyLimits(1000, {r"/files/[^/]+": 5000}))
    install_problem_handlers(app)

    @app.post("/json")
    async def read_json(body: dict[str, str]) -> int:
        return len(body)

    @app.post("/files/{name}")
    async def read_file(name: str, request: Request) -> int:
        return len(name + (await request.body()).decode())

    @app.post("/form")
    async def read_form(request: Request) -> int:
        return len(await request.form())

    @app.post("/stubborn")
    async def answer_all_the_same(request: Request) -> PlainTextResponse:
        try:
            await request.body()
        except Exception:  # noqa: BLE001 - as a route that swallows everything
            return PlainTextResponse("all is well")
        return PlainTextResponse("whole")

    @app.post("/unread")
    async def read_nothing() -> str:
        return "read nothing"

    transport = httpx.ASGITransport(Counted(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def chunks(count: int, head: bytes = b"") -> AsyncIterator[bytes]:
    yield head
    for _ in range(count):
        yield b"x" * 100


@pytest.mark.parametrize("path", ["/json", "/files/a/b", "/form", "/stubborn", "/unread", "/nowhere"])
async def test_a_stated_length_over_the_limit_is_refused_and_nothing_is_read(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.post(path, content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert "1000 bytes" in answer.json()["detail"]
    assert READ == []


@pytest.mark.parametrize("path", ["/json", "/form", "/stubborn"])
async def test_a_body_without_a_length_is_refused_where_it_passes_the_limit(api: httpx.AsyncClient, path: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x" if path == "/form" else "application/json"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' if path == "/form" else b""
    answer = await api.post(path, content=chunks(100, head), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["connection"] == "close"
    assert sum(READ) <= 1200


async def test_a_path_of_files_takes_more_and_no_more_than_that(api: httpx.AsyncClient) -> None:
    assert (await api.post("/files/a", content=b"x" * 5000)).json() == 5001
    assert (await api.post("/files/a", content=chunks(50))).json() == 5001
    assert (await api.post("/files/a", content=chunks(51))).status_code == 413


async def test_a_body_that_fits_passes(api: httpx.AsyncClient) -> None:
    answer = await api.post("/json", json={"a": "b"})
    assert (answer.status_code, answer.json()) == (200, 1)
    assert "connection" not in answer.headers


async def test_the_connection_of_a_long_body_that_nobody_read_is_closed(api: httpx.AsyncClient) -> None:
    """Otherwise the server would have to take it all in before the next request."""
    answer = await api.post("/unread", content=chunks(5))
    assert (answer.json(), answer.headers["connection"]) == ("read nothing", "close")


async def test_a_length_that_is_said_in_two_ways_is_refused(api: httpx.AsyncClient) -> None:
    """A proxy that believes the one would leave us what is behind it, as a request of somebody else."""
    both = {"Transfer-Encoding": "chunked", "Content-Length": "100"}
    answer = await api.post("/unread", content=chunks(1), headers=both)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, GZIP", "zstd"])
async def test_a_compressed_body_is_refused_and_not_read(api: httpx.AsyncClient, coding: str) -> None:
    """A kilobyte of it may be a gigabyte."""
    answer = await api.post("/files/a", content=gzip.compress(bytes(4000)), headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert (answer.headers["accept-encoding"], READ) == ("identity", [])


async def test_a_body_as_it_is_passes(api: httpx.AsyncClient) -> None:
    assert (await api.post("/json", json={}, headers={"Content-Encoding": "identity"})).status_code == 200


async def test_chunks_in_http_1_0_are_refused() -> None:
    sent: list[Message] = []

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "http_version": "1.0",
        "path": "/",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    await BodyLimit(never, BodyLimits())(scope, receive, send)
    assert sent[0]["status"] == 400
