"""RTMP servers to publish to: libav's own, in a process of its own, and one of ours that can refuse."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
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
        continue  # somebody only looked whether anybody listens
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
        stdout = process.stdout
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
    """Takes any number of publishers. `refuse_connect`, `refuse_publish`: answer with that code or description."""

    def __init__(self) -> None:
        self.streams: list[Received] = []
        self.connects: list[dict[str, Any]] = []
        self.refuse_connect: Callable[[dict[str, Any]], str | None] = lambda _: None
        self.refuse_publish: str | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def url(self, name: str, scheme: str = "rtmp") -> str:
        return f"{scheme}://localhost:{self.port}/live/{name}"

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

    def take(self, message: Message) -> None:
        if message.kind == chunks.COMMAND:
            name, transaction, *values = amf.decode(message.payload)
            self._answer(name, transaction, values)
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
                self._say("_error", transaction, None, about)
            else:
                self._say("_result", transaction, {"fmsVer": "FMS/3"}, {"code": "NetConnection.Connect.Success"})
        elif name == "createStream":
            self._say("_result", transaction, None, 1.0)
        elif name == "publish" and server.refuse_publish:
            about = {"level": "error", "code": server.refuse_publish, "description": f"{values[1]} is not wanted"}
            self._say("onStatus", 0.0, None, about)
        elif name == "publish":
            self.stream = Received(self._app, values[1])
            server.streams.append(self.stream)
            self._say("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Publish.Start"})

        elif name == "play":
            self._play(values[1])

    def _play(self, name: str) -> None:
        stream = next((stream for stream in self._server.streams if stream.name == name and stream.live), None)
        if stream is None:
            self._say("onStatus", 0.0, None, {"level": "error", "code": "NetStream.Play.StreamNotFound"})
            return
        self._say("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Play.Start"})
        for message in stream.messages:
            if message.kind == chunks.DATA or message.payload[1] == 0:
                self._send(message)
        stream.players.append(self._send)

    def _send(self, message: Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(write_message(message, chunk_stream=6, chunk_bytes=chunks.FIRST_CHUNK_BYTES))

    def _say(self, *values: amf.AmfValue) -> None:
        message = Message(chunks.COMMAND, 0, 0, amf.encode(*values))
        self._writer.write(write_message(message, chunk_stream=3, chunk_bytes=chunks.FIRST_CHUNK_BYTES))


@pytest_asyncio.fixture
async def rtmp_server() -> AsyncIterator[RtmpServer]:
    server = RtmpServer()
    await server.start()
    yield server
    await server.stop()


_BROADCAST = """\
import sys, time
from fractions import Fraction
import av
import numpy as np

url, container = sys.argv[1:3]
options = dict(pair.split("=") for pair in sys.argv[3:])
codec = options.pop("codec", "libx264")
keyframes = options.pop("keyframes", "yes") == "yes"
out = av.open(url, "w", format=container, options=options)
coding = {"preset": "ultrafast", "tune": "zerolatency", "g": "15"} if codec == "libx264" else {}
stream = out.add_stream(codec, rate=15 if codec == "libx264" else 25, options=coding)
stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 320, 180, "yuv420p", 400_000
began, number = time.monotonic(), 0
while True:
    picture = np.full((180, 320, 3), number % 256, np.uint8)
    picture[:, number % 320] = 255
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, 15)
    for packet in stream.encode(frame):
        if keyframes or not packet.is_keyframe:
            out.mux(packet)
    number += 1
    time.sleep(max(0.0, began + number / 15 - time.monotonic()))
"""

_TS_VIDEO = b"\x47\x01\x00"
"""A transport packet of libav's first stream that goes on with what the last one began."""
_HLS = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "delete_segments"}
_ENCODING = {"keyless": {"keyframes": "no"}, "mpeg2": {"codec": "mpeg2video"}}


class Broadcaster:
    """A camera that speaks anything but RTSP: libav encodes and packs, we serve."""

    def __init__(self, folder: Path, rtmp: RtmpServer) -> None:
        self._folder, self._rtmp = folder, rtmp
        self.endless_bytes = 0
        self._beginning = b""
        self._process: asyncio.subprocess.Process | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, way: str) -> str:
        """Begin to broadcast; the address to play."""
        if way == "rtmp":
            await self._encode(self._rtmp.url("gate"), "flv")
            return self._rtmp.url("gate")
        if way == "hls_slow":
            return f"http://127.0.0.1:{await self._serve(self._serve_drops)}/live.m3u8"
        if way == "hls_bomb":
            await self._encode("pipe:1", "mp4", movflags="frag_keyframe+empty_moov+default_base_moof")
            await self._keep_beginning(20_000)
            return await self._serve_bomb()
        if way.startswith("hls"):
            more = {"hls_segment_type": "fmp4"} if way == "hls_mp4" else {}
            if way != "hls_foreign":
                await self._encode(str(self._folder / "live.m3u8"), "hls", **_HLS, **more)
            else:
                foreign = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://192.0.2.1/1.ts\n"
                (self._folder / "live.m3u8").write_text(foreign)
            port = await self._serve(self._serve_file)
            return f"http://127.0.0.1:{port}/live.m3u8"
        if way == "silent":
            return f"tcp://127.0.0.1:{await self._serve(self._serve_live)}"
        if way == "garbage":
            return f"tcp://127.0.0.1:{await self._serve(self._serve_garbage)}"
        await self._encode("pipe:1", "mpegts", **_ENCODING.get(way, {}))
        if way == "endless":
            return f"tcp://127.0.0.1:{await self._serve(self._serve_endless)}"
        if way == "mpeg2":
            await self._keep_beginning(100_000)
            return f"tcp://127.0.0.1:{await self._serve(self._serve_flood)}"
        if way == "udp":
            port = free_port()
            self._keep(self._send_datagrams(port))
            return f"udp://127.0.0.1:{port}"
        self._keep(self._pump())
        port = await self._serve(self._serve_http if way == "http" else self._serve_live)
        return f"http://127.0.0.1:{port}/live.ts" if way == "http" else f"tcp://127.0.0.1:{port}"

    def cut(self) -> None:
        """End every connection; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._process is not None:
            self._process.kill()
            # Reads to the end, which closes the pipe.
            await self._process.communicate()
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _encode(self, url: str, container: str, **options: str) -> None:
        pairs = [f"{name}={value}" for name, value in options.items()]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _BROADCAST, url, container, *pairs, stdout=asyncio.subprocess.PIPE
        )

    async def _serve(self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
        self._server = await asyncio.start_server(serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(work))

    async def _media(self) -> AsyncIterator[bytes]:
        assert self._process is not None
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(188 * 7):
            yield data

    async def _pump(self) -> None:
        async for data in self._media():
            for writer in self._writers:
                if not writer.is_closing():
                    writer.write(data)

    async def _send_datagrams(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            async for data in self._media():
                sender.sendto(data, ("127.0.0.1", port))

    async def _serve_live(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
        self._writers.add(writer)

    async def _serve_garbage(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        while not writer.is_closing():
            writer.write(bytes(range(256)) * 256)
            await writer.drain()

    async def _serve_endless(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Good pictures at first, then one without an end."""
        self._writers.add(writer)
        good = 0
        async for data in self._media():
            writer.write(data)
            good += len(data)
            if good > 50_000:
                break
        more = [_TS_VIDEO + bytes([0x10 | count]) + b"\x55" * 184 for count in range(16)]
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"".join(more) * 100)
                await writer.drain()
                self.endless_bytes += 188 * 1600

    async def _keep_beginning(self, size: int) -> None:
        async for data in self._media():
            self._beginning += data
            if len(self._beginning) > size:
                break

    async def _serve_flood(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The beginning again and again, as fast as it is taken."""
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(self._beginning)
                await writer.drain()

    async def _serve_bomb(self) -> str:
        """A fragment that claims 60 million pictures of the default size, with not a byte for any of them."""
        at = self._beginning.index(b"trun") + 4
        bomb = self._beginning[:at] + struct.pack(">II", 0, 60_000_000) + self._beginning[at + 8 :]
        (self._folder / "bomb.mp4").write_bytes(bomb)
        playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="bomb.mp4"\n#EXTINF:1,\nbomb.mp4\n'
        (self._folder / "bomb.m3u8").write_text(playlist)
        return f"http://127.0.0.1:{await self._serve(self._serve_file)}/bomb.m3u8"

    async def _serve_drops(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A playlist of which every line comes in time, and the end never."""
        self._writers.add(writer)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n")
        while not writer.is_closing():
            writer.write(b"#\n")
            await asyncio.sleep(0.05)

    async def _serve_file(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(4096)
        if not request:
            return  # somebody only looked whether anybody listens
        path = self._folder / request.split()[1].decode().strip("/")
        body = path.read_bytes() if path.exists() else None
        status = "404 Not Found" if body is None else "200 OK"
        body = body or b""
        half = len(body) // 2
        writer.write(f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for part in (body[:half], body[half:]):
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n" if part else b"")
        writer.write(b"0\r\n\r\n")
        writer.close()


@pytest_asyncio.fixture
async def broadcaster(tmp_path: Path, rtmp_server: RtmpServer) -> AsyncIterator[Broadcaster]:
    made = Broadcaster(tmp_path, rtmp_server)
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def hostile(tmp_path: Path, rtmp_server: RtmpServer) -> AsyncIterator[Broadcaster]:
    """Another one."""
    made = Broadcaster(tmp_path, rtmp_server)
    yield made
    await made.stop()
