"""Cameras that do not speak RTSP: libav encodes and packs, we serve; good ones and hostile ones."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

from vonggac.embedded import free_port

if TYPE_CHECKING:
    from services.forwarder.tests.relay.conftest import RtmpServer

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
        self._stopped = False

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
        self._stopped = True
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
        async def serve_until_stopped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._stopped:
                # It was accepted before the server was closed, and nobody else would close it.
                writer.transport.abort()
                return
            await serve(reader, writer)

        self._server = await asyncio.start_server(serve_until_stopped, "127.0.0.1", 0)
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
            return  # somebody only checked whether anybody listens
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
