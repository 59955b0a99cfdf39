"""HEAD on a socket: the status and headers of GET, and no body."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from vonggac.http.protection import ResponseHeaders
from vonggac.http.protection.connections import ConnectionLimits, protocol_within
from vonggac.testing import eventually

LIMITS = ConnectionLimits(connections=4, header_s=5, idle_s=5)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(ResponseHeaders)

    @app.get("/whole")
    async def whole() -> dict[str, str]:
        return {"status": "here"}

    @app.get("/parts")
    async def parts() -> StreamingResponse:
        return StreamingResponse(iter([b"a;b\n", b"1;2\n"]), media_type="text/csv")

    @app.post("/added")
    async def add() -> None:
        return

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=protocol_within(LIMITS), log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as made:
        yield made
    server.should_exit = True
    await serving


async def test_head_has_the_status_and_headers_of_get_and_no_body(client: httpx.AsyncClient) -> None:
    for path in ("/whole", "/parts", "/nowhere"):
        asked, got = await client.head(path), await client.get(path)
        assert (asked.status_code, asked.content) == (got.status_code, b""), path
        same = got.headers.keys() - {"date", "transfer-encoding"}
        assert {name: asked.headers[name] for name in same} == {name: got.headers[name] for name in same}, path


async def test_a_connection_goes_on_after_head(client: httpx.AsyncClient) -> None:
    answers = [await client.request(method, "/parts") for method in ("HEAD", "GET", "HEAD", "GET")]
    assert [answer.content for answer in answers] == [b"", b"a;b\n1;2\n"] * 2


async def test_what_has_no_get_has_no_head_either(client: httpx.AsyncClient) -> None:
    assert (await client.head("/added")).status_code == 405


async def test_a_refused_method_names_head_beside_get(client: httpx.AsyncClient) -> None:
    assert (await client.delete("/whole")).headers["allow"] == "GET, HEAD"
    assert (await client.delete("/added")).headers["allow"] == "POST"
