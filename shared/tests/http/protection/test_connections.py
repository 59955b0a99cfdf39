"""Silent, slow and too many connections give way; who asks is answered."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from vonggac.http.problems import install_problem_handlers
from vonggac.http.protection.connections import ConnectionLimits, protocol_within
from vonggac.testing import eventually

LIMITS = ConnectionLimits(connections=4, header_s=0.3, idle_s=0.3)
type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/")
    async def answer() -> str:
        return "here"

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.post("/unread")
    async def unread() -> str:
        return "unread"

    @app.post("/early")
    async def early() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b"x"
                await asyncio.sleep(0.01)

        return StreamingResponse(parts())

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1)
        return "slow"

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=protocol_within(LIMITS), log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@contextlib.asynccontextmanager
async def connection(port: int) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ended(streams: Streams) -> bytes:
    """What came until the server closed the connection."""
    read = b""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(5):
            while part := await streams[0].read(65536):
                read += part
    return read


async def ask(port: int) -> bytes:
    async with connection(port) as streams:
        streams[1].write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return await ended(streams)


async def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    async with connection(port) as streams:
        assert await ended(streams) == b""


async def test_a_head_that_comes_letter_by_letter_has_no_more_time_for_it(port: int) -> None:
    began = time.monotonic()
    async with connection(port) as streams:

        async def drip() -> None:
            for letter in b"GET / HTTP/1.1\r\n" + b"X-Slow: " + b"a" * 1000:
                streams[1].write(bytes([letter]))
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await ended(streams) == b""
        dripping.cancel()
    assert time.monotonic() - began < 3


async def test_a_body_that_stops_coming_ends_its_connection(port: int) -> None:
    async with connection(port) as streams:
        streams[1].write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        assert await ended(streams) == b""


async def test_an_answer_that_takes_longer_than_any_patience_is_waited_for(port: int) -> None:
    async with connection(port) as streams:
        streams[1].write(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await ended(streams)).endswith(b'"slow"')


async def test_an_answer_that_nobody_reads_ends_its_connection(port: int) -> None:
    async with connection(port) as streams:
        streams[1].write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        await streams[0].readexactly(1)
        # StreamReader stops reading at its own limit; the server's buffers fill, and it gives up.
        await asyncio.sleep(1.2)
        left = 0
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                while part := await streams[0].read(1 << 20):
                    left += len(part)
        assert left < 64 << 20


async def test_silent_connections_shut_nobody_out(port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        silent = [await stack.enter_async_context(connection(port)) for _ in range(LIMITS.connections)]
        await asyncio.sleep(0.05)
        assert (await ask(port)).endswith(b'"here"')
        assert await ended(silent[0]) == b""


async def test_where_all_are_busy_the_new_one_is_refused_at_once(port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        busy = [await stack.enter_async_context(connection(port)) for _ in range(LIMITS.connections)]
        for _, writer in busy:
            writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await writer.drain()
        await asyncio.sleep(0.1)
        assert (await ask(port)).startswith(b"HTTP/1.1 503")
        for each in busy:
            assert (await ended(each)).endswith(b'"slow"')


async def test_a_head_without_an_end_is_refused(port: int) -> None:
    async with connection(port) as streams:
        streams[1].write(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 200_000)
        assert (await ended(streams)).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("size", [10, 300_000])
async def test_a_connection_goes_on_after_a_request(port: int, size: int) -> None:
    async with connection(port) as streams:
        for _ in range(3):
            streams[1].write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            async with asyncio.timeout(5):
                head = await streams[0].readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200")
                assert await streams[0].readexactly(len(str(size))) == str(size).encode()


@pytest.mark.parametrize("path", ["/", "/unread", "/early"])
@pytest.mark.parametrize("cut", [b"", b"5\r\nhello\r\n"], ids=["at once", "after a part"])
async def test_a_body_that_becomes_nonsense_is_the_mistake_of_its_sender_alone(
    port: int, path: str, cut: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    async with connection(port) as streams:
        streams[1].write(head + cut + b"-1\r\n")
        answer = await ended(streams)
    async with connection(port) as streams:
        streams[1].write(head + cut)
        if path == "/early":
            # The answer has begun.
            await streams[0].readuntil(b"\r\n\r\n")
        streams[1].write(b"-1\r\n")
        await ended(streams)
    async with connection(port) as streams:
        streams[1].write(head + cut)
    assert b"400 Bad Request" in answer
    assert (await ask(port)).endswith(b'"here"')
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
