import asyncio
import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client

from vonggac.bus import Bus
from vonggac.bus.connection import QuickClient, connect_once
from vonggac.embedded import NatsServer, free_port
from vonggac.testing import eventually
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


async def test_a_tool_hears_at_once_that_nobody_listens() -> None:
    """The client library tries for two minutes by default; a tool has its own bound, and says why."""
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionRefusedError):
            await connect_once(f"nats://127.0.0.1:{free_port()}", name="test")


@pytest.mark.server
async def test_declaring_says_while_it_waits_why_nats_does_not_take_it(nats_server: NatsServer, tmp_path: Path) -> None:
    """A wrong login, waited for like a server that starts: said once."""
    wrong = tmp_path / "nats.password"
    wrong.write_text("wrong")
    command = ("-m", "vonggac.bus", "--nats", nats_server.url, "--user", "setup", "--password-file", str(wrong))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        said = await process.stderr.readline()
        await eventually(
            lambda: nats_server.log.read_text("utf-8", "replace").count('authentication error - User "setup"') >= 3
        )
    finally:
        process.terminate()
    out, err = await process.communicate()
    lines = (said + err).decode().splitlines()
    assert "waiting for NATS: nats: 'Authorization Violation'" in lines
    assert sorted(lines) == sorted({*lines})
    assert not out
