"""A server that speaks RTMP wrongly, or ends in the middle: a cause in time, and no exception of ours."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from forwarder.relay.rtmp.client import open_publishing
from forwarder.relay.rtmp.connection import RtmpConnection
from forwarder.relay.rtmp.url import RtmpUrl
from vonggac.events import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy

if TYPE_CHECKING:
    from services.forwarder.tests.relay.rtmp.conftest import Serve

type Flooding = Callable[[bytes], AbstractAsyncContextManager[RtmpUrl]]
NOISE = random.Random(11)


def message(kind: int, payload: bytes) -> bytes:
    return write_message(Message(kind, 0, 0, payload), chunk_stream=3, chunk_bytes=chunks.FIRST_CHUNK_BYTES)


def command(*values: amf.AmfValue) -> bytes:
    return message(chunks.COMMAND, amf.encode(*values))


GREETING = b"\3" + bytes(2 * 1536)
ASKED = ("connect", "createStream", "publish")
GOOD = (command("_result", 1.0, None, None), command("_result", 2.0, None, 1.0))
BEFORE = (GOOD[:0], GOOD[:1], GOOD)

NONSENSE = [
    message(chunks.COMMAND, b""),
    message(chunks.AMF3_COMMAND, b""),
    message(chunks.AMF3_COMMAND, b"\0"),
    command(1.0),
    command("_result"),
    command("_result", "1"),
    command("_error", 1.0),
    command({"level": "error"}, ["x"]),
    command("onStatus", 0.0, None, "error"),
    command("onStatus", 0.0, None, {"level": "error", "code": 7.0}),
    message(chunks.WINDOW_SIZE, b"\0\0\0\0") + message(chunks.WINDOW_SIZE, b"\1"),
    message(chunks.PEER_BANDWIDTH, b"\1") + message(chunks.USER_CONTROL, b"\0"),
    message(chunks.USER_CONTROL, b"\0\6"),
    message(chunks.SET_CHUNK_SIZE, b""),
    message(chunks.ABORT, b""),
    *(NOISE.randbytes(4000) for _ in range(20)),
    *(message(chunks.COMMAND, amf.encode("_result") + NOISE.randbytes(60)) for _ in range(20)),
]


@pytest_asyncio.fixture
async def crashes() -> list[dict[str, Any]]:
    """What the event loop reports of exceptions in callbacks."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def failure(url: RtmpUrl) -> PeerError:
    allowed = AllowedNetworks.parse(["127.0.0.0/8"])
    with pytest.raises(PeerError) as caught:
        await open_publishing(url, None, deadline_s=5.0, allowed=allowed, tls=TlsPolicy(), enhanced=False)
    return caught.value


@pytest.mark.parametrize(
    ("greeting", "answers", "asked"),
    [(b"\3" + bytes(99), (), "the handshake"), *zip([GREETING] * 3, BEFORE, ASKED, strict=True)],
    ids=["the handshake", *ASKED],
)
async def test_an_end_in_the_middle_says_at_what(
    serve: Serve, greeting: bytes, answers: tuple[bytes, ...], asked: str
) -> None:
    async with serve(greeting, *answers, b"") as url:
        error = await failure(url)
    assert error.cause is Cause.HUNG_UP
    assert error.message.endswith(f"instead of answering {asked}")


@pytest.mark.heavy
@pytest.mark.parametrize("data", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("before", BEFORE, ids=ASKED)
async def test_nonsense_is_a_cause(
    serve: Serve, crashes: list[dict[str, Any]], before: tuple[bytes, ...], data: bytes
) -> None:
    async with serve(GREETING, *before, data) as url:
        error = await failure(url)
    assert error.cause in (Cause.HUNG_UP, Cause.PROTOCOL_ERROR, Cause.REQUEST_REFUSED)
    assert "k3y" not in str(error)
    assert crashes == []


TAKEN = command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start"})


async def test_a_server_may_say_several_things_at_once_before_it_takes_the_stream(serve: Serve) -> None:
    reset = command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Reset"})
    allowed = AllowedNetworks.parse(["127.0.0.0/8"])
    async with serve(GREETING, *GOOD, reset + TAKEN, b"") as url:
        connection, stream_id = await open_publishing(
            url, None, deadline_s=5.0, allowed=allowed, tls=TlsPolicy(), enhanced=False
        )
        await connection.close()
    assert stream_id == 1


OVER = [
    *(
        command("onStatus", 0.0, None, {"level": "status", "code": code})
        for code in ("NetStream.Unpublish.Success", "NetConnection.Connect.Closed", "NetConnection.Connect.AppShutdown")
    ),
    command("onFCUnpublish", 0.0, None, {"code": "NetStream.Unpublish.Success"}),
    command("close", 0.0, None),
]


@pytest.mark.parametrize("said", OVER, ids=range(len(OVER)))
async def test_a_server_that_ends_the_stream_and_reads_on_has_it_no_longer(said: bytes) -> None:
    released = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard, left = ChunkReader(), [*GOOD, TAKEN]
        await reader.readexactly(1537)
        writer.write(GREETING)
        await reader.readexactly(1536)
        while left:
            for each in heard.feed(await reader.read(4096)):
                if each.kind == chunks.COMMAND and amf.decode(each.payload)[0] in ASKED:
                    writer.write(left.pop(0))
        await released.wait()
        writer.write(said)
        with suppress(OSError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server, asyncio.timeout(5):
        url = RtmpUrl.parse(f"rtmp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live/k3y")
        about: dict[str, Any] = {"allowed": AllowedNetworks.parse(["127.0.0.0/8"]), "tls": TlsPolicy()}
        connection, _ = await open_publishing(url, None, deadline_s=5.0, enhanced=False, **about)
        lost: asyncio.Future[PeerError | None] = asyncio.get_running_loop().create_future()
        connection.on_lost = lost.set_result
        released.set()
        error = await lost
        await connection.close()
    assert error is not None
    assert (error.cause, error.message.partition(" (")[0]) == (Cause.ENDED, "the server ended the stream")


MOST_BUFFERED_BYTES = 128 << 10
UNREAD = {
    "ping": message(chunks.USER_CONTROL, struct.pack(">HI", 6, 1)),
    "bandwidth": message(chunks.PEER_BANDWIDTH, struct.pack(">IB", 1 << 20, 2)),
}


@pytest.fixture
def flooding() -> Flooding:
    """`async with flooding(question) as url`: a peer that lets us publish, asks without end, and reads nothing more."""

    @asynccontextmanager
    async def start(question: bytes) -> AsyncIterator[RtmpUrl]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard, left = ChunkReader(), [*GOOD, command("onStatus", 0.0, None, {"code": "NetStream.Publish.Start"})]
            try:
                await reader.readexactly(1537)
                writer.write(GREETING)
                await reader.readexactly(1536)
                while left:
                    for said in heard.feed(await reader.read(4096)):
                        if said.kind == chunks.COMMAND and amf.decode(said.payload)[0] in ASKED:
                            writer.write(left.pop(0))
                while not writer.is_closing():
                    writer.write(question * 1000)
                    await writer.drain()
            except OSError:
                return
            finally:
                writer.close()

        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server = await asyncio.start_server(talk, sock=listening)
        try:
            yield RtmpUrl.parse(f"rtmp://127.0.0.1:{listening.getsockname()[1]}/live/k3y")
        finally:
            server.close()

    return start


@pytest.mark.heavy
@pytest.mark.parametrize("question", UNREAD.values(), ids=UNREAD)
async def test_who_asks_and_reads_no_answers_fills_no_memory(flooding: Flooding, question: bytes) -> None:
    async with flooding(question) as url, asyncio.timeout(30):
        about: dict[str, Any] = {"allowed": AllowedNetworks.parse(["127.0.0.0/8"]), "tls": TlsPolicy()}
        connection, _ = await open_publishing(url, None, deadline_s=5.0, enhanced=False, **about)
        try:
            # Little room in the kernel: what it holds is not ours.
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
            most = 0
            while not connection.closed:
                await asyncio.sleep(0)
                most = max(most, connection.write_buffer_bytes)
                assert most < MOST_BUFFERED_BYTES
            assert connection.error is not None
            assert connection.error.cause is Cause.FLOOD
        finally:
            connection.abort()


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))


async def test_an_acknowledgement_that_was_left_out_is_made_good_when_the_peer_reads_again() -> None:
    connection, wire = RtmpConnection(), Wire()
    connection.connection_made(wire)
    connection.data_received(GREETING)
    wire.written.clear()
    connection.pause_writing()
    connection.data_received(b"".join(UNREAD.values()))
    assert wire.written == []
    connection.data_received(message(chunks.WINDOW_SIZE, struct.pack(">I", 1000)) + message(chunks.DATA, bytes(600)))
    assert wire.written == []
    connection.resume_writing()
    connection.data_received(message(chunks.DATA, b"\0"))
    [said] = ChunkReader().feed(b"".join(wire.written))
    assert (said.kind, said.payload) == (chunks.ACKNOWLEDGEMENT, struct.pack(">I", connection.bytes_received))
