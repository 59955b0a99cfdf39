"""Foreign programs as cameras and centres: GStreamer's RTSP server, ffmpeg, nginx with its RTMP module.

They come from the distribution: ffmpeg; python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good, -bad and
-ugly; nginx with libnginx-mod-rtmp. What is not installed is skipped with one line that names it.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
NGINX_RTMP = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
_ELEMENTS = ("x264enc", "x265enc", "rtph264pay", "rtph265pay", "h264parse", "h265parse", "videotestsrc")
_HAS_ELEMENTS = f"""
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [name for name in {_ELEMENTS!r} if Gst.ElementFactory.find(name) is None]
raise SystemExit(", ".join(missing) or 0)
"""
_SERVE = """
import sys
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
for line in sys.stdin:
    path, _, launch = line.strip().partition(" ")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("( " + launch + " )")
    factory.set_shared(True)
    server.get_mount_points().add_factory(path, factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
_NGINX = """
load_module {module};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; chunk_size 4096; application live {{ live on; record off; }} }} }}
"""


@dataclass(frozen=True, slots=True)
class GstCamera:
    """A mount of the RTSP server: a test picture of this size, encoded and packed as `launch` says."""

    source: str
    encode: str
    pay: str = "rtph264pay name=pay0 pt=96"

    @property
    def launch(self) -> str:
        return f"videotestsrc is-live=true {self.source} ! {self.encode} ! {self.pay}"


@cache
def missing_gstreamer() -> str:
    """What is not installed, or an empty text."""
    if not Path(SYSTEM_PYTHON).exists():
        return SYSTEM_PYTHON
    asked = subprocess.run([SYSTEM_PYTHON, "-c", _HAS_ELEMENTS], capture_output=True, text=True, check=False)
    return "" if asked.returncode == 0 else asked.stderr.strip().splitlines()[-1]


def missing(*names: str) -> str:
    """Which of these programs is not installed: ffmpeg, gstreamer, nginx-rtmp."""
    for name in names:
        if name == "gstreamer" and (what := missing_gstreamer()):
            return f"GStreamer's RTSP server ({what})"
        if name == "nginx-rtmp" and not (NGINX_RTMP.exists() and shutil.which("nginx")):
            return "nginx with libnginx-mod-rtmp"
        if name == "ffmpeg" and shutil.which("ffmpeg") is None:
            return "ffmpeg"
    return ""


def need(*names: str) -> None:
    """Skip the test, with one line, where a program is not installed."""
    if what := missing(*names):
        pytest.skip(f"not installed: {what}")


class Programs:
    """Starts foreign programs, and ends all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[asyncio.subprocess.Process] = []

    async def rtsp_cameras(self, cameras: Mapping[str, GstCamera]) -> int:
        """The port of an RTSP server that has them, each at its path."""
        server = await self._start(SYSTEM_PYTHON, "-c", _SERVE, pipe=True)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("".join(f"/{path} {camera.launch}\n" for path, camera in cameras.items()).encode())
        server.stdin.close()
        async with asyncio.timeout(20):
            return int(await server.stdout.readline())

    async def ffmpeg(self, *arguments: str) -> asyncio.subprocess.Process:
        return await self._start("ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", *arguments)

    async def broadcast(self, container: str, url: str, *options: str) -> asyncio.subprocess.Process:
        """A moving picture, 640x360 at 15 a second with a keyframe in two, into this container."""
        source = ("-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=15")
        code = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-b:v", "600k")
        return await self.ffmpeg(*source, *code, "-pix_fmt", "yuv420p", *options, "-f", container, url)

    async def rtmp_centre(self, port: int) -> asyncio.subprocess.Process:
        """nginx that takes and plays rtmp://127.0.0.1:port/live/…"""
        text = _NGINX.format(module=NGINX_RTMP, folder=self.folder, port=port)
        (self.folder / "nginx.conf").write_text(text)
        return await self._start("nginx", "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log")

    async def stop(self) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
        for process in self._running:
            await process.communicate()

    async def _start(self, *command: str, pipe: bool = False) -> asyncio.subprocess.Process:
        log = (self.folder / f"{len(self._running):02d}-{Path(command[0]).name}.log").open("wb")
        with log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE if pipe else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if pipe else log,
                stderr=log,
            )
        self._running.append(process)
        return process
