import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from vonggac.bus import Bus
from vonggac.bus.connection import QuickClient
from vonggac.testing.fixtures import NatsAt


async def test_a_cancelled_connect_leaves_no_socket_open() -> None:
    """A service that is stopped while NATS is slow to greet it: once the garbage collector found the socket."""
    accepted, ended = asyncio.Event(), asyncio.Event()

    async def never_greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        ended.set()
        writer.close()

    server = await asyncio.start_server(never_greets, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        connecting = asyncio.create_task(Bus.connect(NatsAt(f"nats://127.0.0.1:{port}"), name="test"))
        async with asyncio.timeout(10):
            await accepted.wait()
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting
            await ended.wait()
    finally:
        server.close()
    assert connecting.cancelled()


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Status: 100\r\n\r\n",
        b"Nats-Stream: KV\r\nNats-Subject: kv.a.b\r\nNats-Time-Stamp: 2026-11-27T15:00:00Z\r\nContent-Type:x\r\n\r\n",
        b"A:1\r\nA: 2\r\n",
        b" Name \t:\t value with spaces \t\r\nEmpty:\r\nEmpty-Too: \r\n\r\n",
        b"two words: no\r\nno colon\r\n: no name\r\nTime: 12:30:45\r\n",
        "T\u00ean: kh\u00f4ng\r\nT: t\u00ean\r\n".encode(),
        b"T: \xff\r\n",
    ],
)
def test_headers_are_read_as_by_the_client_library(fields: bytes) -> None:
    theirs = {name: value for name, value in Client._parse_header_lines(fields).items() if name}
    assert QuickClient._parse_header_lines(fields) == theirs


@given(st.lists(st.tuples(st.text("Az-: \t", max_size=6), st.text("az: \t\u00e9", max_size=6)), max_size=5))
def test_no_spaces_or_colons_make_another_header(fields: list[tuple[str, str]]) -> None:
    raw = "".join(f"{name}:{value}\r\n" for name, value in fields).encode()
    theirs = {name: value for name, value in Client._parse_header_lines(raw).items() if name}
    assert QuickClient._parse_header_lines(raw) == theirs
