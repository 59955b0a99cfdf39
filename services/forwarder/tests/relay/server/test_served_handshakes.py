"""TLS that is never finished: bounded by number and by time, and it costs no centre anything."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.relay.server.handshakes import BEGUN_AT_ONCE, Handshakes, TlsArrival
from forwarder.relay.server.listener import CentreListener
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import CountIterations

MOST = 4
type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Port:
    """Echoes inside TLS."""

    def __init__(self, handshakes: Handshakes, port: int) -> None:
        self.handshakes, self.port = handshakes, port
        self.opened: list[asyncio.StreamWriter] = []

    async def connect(self, address: str, context: ssl.SSLContext | None = None) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, local_addr=(address, 0))
        self.opened.append(writer)
        return reader, writer


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


@pytest.fixture
def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest_asyncio.fixture
async def port(certificate: Path) -> AsyncIterator[Port]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handshakes = Handshakes(MOST)
    server = await asyncio.get_running_loop().create_server(
        lambda: TlsArrival(handshakes, context, Echo), "127.0.0.1", 0
    )
    running = Port(handshakes, server.sockets[0].getsockname()[1])
    yield running
    handshakes.end_all()
    for writer in running.opened:
        writer.transport.abort()
    server.close()


async def test_served_handshakes_beyond_the_bound_end_at_the_address_that_has_most(
    port: Port, trusting: ssl.SSLContext
) -> None:
    other = await port.connect("127.0.0.8")
    half_open = [await port.connect("127.0.0.7") for _ in range(10)]
    await eventually(lambda: port.handshakes.turned_away == 7)
    assert port.handshakes.count == MOST
    for reader, _ in half_open[:7]:
        assert await asyncio.wait_for(reader.read(), 5) == b""
    assert not other[0].at_eof()
    reader, writer = await port.connect("127.0.0.9", trusting)
    writer.write(b"hello")
    assert await asyncio.wait_for(reader.readexactly(5), 5) == b"hello"
    assert not other[0].at_eof()
    await eventually(lambda: port.handshakes.count == MOST - 1)


async def test_served_handshake_of_a_byte_a_second_ends_in_its_time(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forwarder.relay.server.handshakes.HANDSHAKE_S", 1.0)
    reader, writer = await port.connect("127.0.0.7")

    async def trickle() -> None:
        for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" * 20:
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.2)

    trickling = asyncio.create_task(trickle())
    try:
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionResetError):
                await reader.read()
        await eventually(lambda: port.handshakes.count == 0)
    finally:
        trickling.cancel()


async def test_served_nonsense_instead_of_tls_leaves_no_handshake(port: Port) -> None:
    for nonsense in (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"a" * 100_000, b"\x00" * 50):
        reader, writer = await port.connect("127.0.0.7")
        writer.write(nonsense)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
    await eventually(lambda: port.handshakes.count == 0)


async def test_served_port_that_stops_waits_for_no_handshake(listener: CentreListener) -> None:
    assert listener.tls_port is not None
    opened = [await asyncio.open_connection("127.0.0.1", listener.tls_port) for _ in range(3)]
    await eventually(lambda: listener.handshakes.count == 3)
    await asyncio.wait_for(listener.stop(), 3)
    for reader, writer in opened:
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_served_centre_that_asks_for_another_handshake_is_ended_and_costs_no_other(
    listener: CentreListener, trusting: ssl.SSLContext
) -> None:
    assert listener.tls_port is not None
    _, other = await asyncio.open_connection("127.0.0.1", listener.tls_port, ssl=trusting)
    client = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{listener.tls_port}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    await eventually(lambda: listener.connections == 2)
    # A line that is `R` alone begins a handshake inside the connection.
    client.stdin.write(b"R\n")
    said = await asyncio.wait_for(client.stdout.read(), 8)
    await client.wait()
    assert b"no renegotiation" in said
    await eventually(lambda: listener.connections == 1)
    assert not other.is_closing()
    other.transport.abort()


async def test_served_handshakes_of_a_crowd_begin_a_few_in_an_iteration(
    certificate: Path, trusting: ssl.SSLContext, count_iterations: CountIterations
) -> None:
    begun = count_iterations()

    class Context(ssl.SSLContext):
        def wrap_bio(self, *arguments: Any, **keywords: Any) -> ssl.SSLObject:
            begun.note()
            return super().wrap_bio(*arguments, **keywords)

    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handshakes = Handshakes()
    server = await asyncio.get_running_loop().create_server(
        lambda: TlsArrival(handshakes, context, Echo), "127.0.0.1", 0
    )
    port = Port(handshakes, server.sockets[0].getsockname()[1])
    try:
        crowd = [await port.connect("127.0.0.7") for _ in range(40)]
        silent = [await port.connect("127.0.0.8") for _ in range(20)]
        await eventually(lambda: handshakes.count == len(crowd) + len(silent))
        assert begun.total == 0
        for _, writer in crowd:
            writer.write(hello_of(trusting))
        await eventually(lambda: begun.total == len(crowd))
        assert begun.most <= BEGUN_AT_ONCE
    finally:
        handshakes.end_all()
        for writer in port.opened:
            writer.transport.abort()
        server.close()


def hello_of(context: ssl.SSLContext) -> bytes:
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
