"""A server that speaks RTMP wrongly, or ends in the middle: a cause in time, and no exception of ours."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from forwarder.relay.rtmp.client import open_publishing
from forwarder.relay.rtmp.url import RtmpUrl
from vonggac.events import Cause
from vonggac.rtsp.addresses import AllowedNetworks
from vonggac.rtsp.errors import RtspError
from vonggac.rtsp.tls import TlsPolicy

type Serve = Callable[..., AbstractAsyncContextManager[RtmpUrl]]
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


@pytest.fixture
def serve() -> Serve:
    """`async with serve(greeting, *answers) as url`: a peer that gives one answer to each question, and then ends."""

    @asynccontextmanager
    async def start(greeting: bytes, *answers: bytes) -> AsyncIterator[RtmpUrl]:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            left, heard = list(answers), ChunkReader()
            try:
                await reader.readexactly(1537)
                writer.write(greeting)
                if greeting != GREETING:
                    return
                await reader.readexactly(1536)
                while left and (data := await reader.read(4096)):
                    for said in heard.feed(data):
                        if said.kind == chunks.COMMAND and amf.decode(said.payload)[0] in ASKED:
                            writer.write(left.pop(0))
            except (OSError, asyncio.IncompleteReadError):
                return
            finally:
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        try:
            yield RtmpUrl.parse(f"rtmp://127.0.0.1:{server.sockets[0].getsockname()[1]}/live/k3y")
        finally:
            server.close()

    return start


@pytest_asyncio.fixture
async def crashes() -> list[dict[str, Any]]:
    """What the event loop reports of exceptions in callbacks."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found


async def failure(url: RtmpUrl) -> RtspError:
    allowed = AllowedNetworks.parse(["127.0.0.0/8"])
    with pytest.raises(RtspError) as caught:
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
    assert error.cause is Cause.ENDED
    assert error.message.endswith(f"instead of answering {asked}")


@pytest.mark.parametrize("data", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("before", BEFORE, ids=ASKED)
async def test_nonsense_is_a_cause(
    serve: Serve, crashes: list[dict[str, Any]], before: tuple[bytes, ...], data: bytes
) -> None:
    async with serve(GREETING, *before, data) as url:
        error = await failure(url)
    assert error.cause in (Cause.ENDED, Cause.PROTOCOL_ERROR)
    assert "k3y" not in str(error)
    assert crashes == []
