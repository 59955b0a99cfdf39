"""RTMP servers to publish to: libav's own, in a process of its own, and one of ours that can refuse."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import uvloop

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message

_LISTEN = """\
import json, sys
import av
container = None
while container is None:
    try:
        container = av.open(sys.argv[1], options={"listen": "1"}, timeout=(20, 20))
    except OSError:
        continue  # somebody only checked whether anybody listens
for packet in container.demux():
    stream = packet.stream
    if packet.size == 0:
        continue
    print(json.dumps({"kind": stream.type, "codec": stream.codec_context.name, "keyframe": packet.is_keyframe,
        "dts": packet.dts, "pts": packet.pts, "size": packet.size, "width": getattr(stream.codec_context, "width", 0),
        "decoded": sum(1 for _ in packet.decode()) if stream.type == "video" and packet.is_keyframe else 0}),
        flush=True)
"""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of production: its transports are not asyncio's."""
    return {"uvloop": uvloop.new_event_loop}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LibavReceiver:
    """What libav's RTMP server understood, packet by packet."""

    url: str
    pid: int = 0
    packets: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [packet for packet in self.packets if packet["kind"] == kind]


@pytest.fixture
def libav_receiver() -> Callable[[], AbstractAsyncContextManager[LibavReceiver]]:
    """`async with libav_receiver() as receiver`: takes one publisher."""

    @asynccontextmanager
    async def start() -> AsyncIterator[LibavReceiver]:
        receiver = LibavReceiver(f"rtmp://127.0.0.1:{free_port()}/live/gate")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _LISTEN, receiver.url, stdout=asyncio.subprocess.PIPE
        )
        receiver.pid, stdout = process.pid, process.stdout
        assert stdout is not None

        async def read() -> None:
            async for line in stdout:
                receiver.packets.append(json.loads(line))

        reading = asyncio.create_task(read())
        try:
            yield receiver
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading

    return start


@dataclass
class Received:
    """One stream at our server."""

    app: str
    name: str
    messages: list[Message] = field(default_factory=list)
    live: bool = True
    players: list[Callable[[Message], None]] = field(default_factory=list)

    @property
    def video(self) -> list[Message]:
        """Pictures, without configurations."""
        coded = (message for message in self.messages if message.kind == chunks.VIDEO)
        return [message for message in coded if message.payload[1] == 1 or message.payload[0] & 0x80]

    @property
    def begins_with_keyframe(self) -> bool:
        return self.video[0].payload[0] >> 4 == 1


class RtmpServer:
    """Takes any number of publishers. `refuse_connect`, `refuse_publish`: answer with that code or description.

    `answers_pings`, `acknowledges`: what of that it does for what it has read.
    """

    def __init__(self, *, answers_pings: bool = False, acknowledges: bool = False) -> None:
        self.answers_pings, self.acknowledges = answers_pings, acknowledges
        self.streams: list[Received] = []
        self.connects: list[dict[str, Any]] = []
        self.refuse_connect: Callable[[dict[str, Any]], str | None] = lambda _: None
        self.refuse_publish: str | None = None
        self.hang_up_after_play = False
        self.reading = asyncio.Event()
        self.reading.set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def url(self, name: str, scheme: str = "rtmp") -> str:
        return f"{scheme}://localhost:{self.port}/live/{name}"

    @property
    def sockets(self) -> list[Any]:
        """Of the connections that stand."""
        return [writer.get_extra_info("socket") for writer in self._writers]

    async def start(self, **options: Any) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=4096, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections, and end those that stand."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        session = _Session(self, writer)
        try:
            await reader.readexactly(1537)
            writer.write(b"\3" + bytes(1536) + bytes(1536))
            await reader.readexactly(1536)
            while data := await reader.read(4096):
                await self.reading.wait()
                session.count(len(data))
                for message in session.reader.feed(data):
                    session.take(message)
        except (OSError, asyncio.IncompleteReadError):
            session.gone = True
        finally:
            if session.stream is not None:
                session.stream.live = False
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)


class _Session:
    def __init__(self, server: RtmpServer, writer: asyncio.StreamWriter) -> None:
        self.reader = ChunkReader()
        self.stream: Received | None = None
        self.gone = False
        self._server, self._writer = server, writer
        self._app = ""
        self._read = self._acknowledged = 2 * 1536 + 1
        self._window = 0

    def count(self, read: int) -> None:
        self._read += read
        if self._window and self._read - self._acknowledged >= self._window:
            self._acknowledged = self._read
            self._control(chunks.ACKNOWLEDGEMENT, self._read.to_bytes(4))

    def take(self, message: Message) -> None:
        if message.kind == chunks.COMMAND:
            name, transaction, *values = amf.decode(message.payload)
            self._answer(name, transaction, values)
        elif message.kind == chunks.WINDOW_SIZE:
            self._window = int.from_bytes(message.payload)
        elif message.kind == chunks.USER_CONTROL and self._server.answers_pings and message.payload[:2] == b"\0\6":
            self._control(chunks.USER_CONTROL, b"\0\7" + message.payload[2:])
        elif self.stream is not None and message.kind in (chunks.VIDEO, chunks.AUDIO, chunks.DATA):
            self.stream.messages.append(message)
            for play in self.stream.players:
                play(message)

    def _answer(self, name: Any, transaction: Any, values: list[Any]) -> None:
        server = self._server
        if name == "connect":
            server.connects.append(values[0])
            self._app = values[0]["app"]
            refusal = server.refuse_connect(values[0])
            if refusal is not None:
                about = {"level": "error", "code": "NetConnection.Connect.Rejected", "description": refusal}
                self._send_command("_error", transaction, None, about)
            else:
                if server.acknowledges:
                    self._control(chunks.PEER_BANDWIDTH, (5_000_000).to_bytes(4) + b"\2")
                self._send_command(
                    "_result", transaction, {"fmsVer": "FMS/3"}, {"code": "NetConnection.Connect.Success"}
                )
        elif name == "createStream":
            self._send_command("_result", transaction, None, 1.0)
        elif name == "publish" and server.refuse_publish:
            about = {"level": "error", "code": server.refuse_publish, "description": f"{values[1]} is not wanted"}
            self._send_command("onStatus", 0.0, None, about)
        elif name == "publish":
            self.stream = Received(self._app, values[1])
            server.streams.append(self.stream)
            self._send_command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start"})

        elif name == "play":
            self._play(values[1])

    def _play(self, name: str) -> None:
        stream = next((stream for stream in self._server.streams if stream.name == name and stream.live), None)
        if stream is None and self._server.hang_up_after_play:
            stream = Received(self._app, name)
        if stream is None:
            self._send_command("onStatus", 0.0, None, {"level": "error", "code": "NetStream.Play.StreamNotFound"})
            return
        self._send_command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Play.Start"})
        if self._server.hang_up_after_play:
            self._writer.close()
        for message in stream.messages:
            if message.kind == chunks.DATA or message.payload[1] == 0:
                self._send(message)
        stream.players.append(self._send)

    def _send(self, message: Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(write_message(message, chunk_stream=6, chunk_bytes=chunks.FIRST_CHUNK_BYTES))

    def _control(self, kind: int, payload: bytes) -> None:
        self._writer.write(write_message(Message(kind, 0, 0, payload), chunk_stream=2, chunk_bytes=128))

    def _send_command(self, *values: amf.AmfValue) -> None:
        message = Message(chunks.COMMAND, 0, 0, amf.encode(*values))
        self._writer.write(write_message(message, chunk_stream=3, chunk_bytes=chunks.FIRST_CHUNK_BYTES))


@pytest_asyncio.fixture
async def rtmp_server() -> AsyncIterator[RtmpServer]:
    server = RtmpServer()
    await server.start()
    yield server
    await server.stop()
