"""An RTMP server that says what a test wants it to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader
from forwarder.relay.rtmp.url import RtmpUrl

type Serve = Callable[..., AbstractAsyncContextManager[RtmpUrl]]
GREETING = b"\3" + bytes(2 * 1536)
ASKED = ("connect", "createStream", "publish", "play")


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
