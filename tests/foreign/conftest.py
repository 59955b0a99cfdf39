"""The wall: every foreign camera registered at a platform of its own, whose centres play back."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
from tests.e2e.platform import RunningPlatform
from tests.foreign import wrong
from tests.foreign.programs import GstCamera, Programs, missing

from local.apis.access import admin_token, approver_token
from local.apis.inventory import InventoryApi
from local.apis.simulator import SimulatorApi
from local.demo import content
from local.demo.load import load_base
from local.demo.surveys import except_from_plans
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder
from vonggac.embedded import free_port

type Json = dict[str, Any]

FACILITY = "QT-01"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast"
# A test picture of bars or a ball is rightly called a card, or black.
NOISE = "pattern=snow ! video/x-raw,width=640,height=360,framerate=15/1"
GSTREAMER = {
    "plain": GstCamera(NOISE, f"{H264} key-int-max=30 bitrate=1500"),
    "aud-sei": GstCamera(
        NOISE,
        f"{H264} key-int-max=30 aud=true bitrate=1500"
        " option-string=nal-hrd=vbr:vbv-bufsize=1500:vbv-maxrate=1500 ! h264parse",
        "rtph264pay name=pay0 pt=96 config-interval=-1 aggregate-mode=none",
    ),
    "h265": GstCamera(
        NOISE,
        "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=30 bitrate=1500 ! h265parse",
        "rtph265pay name=pay0 pt=96 config-interval=-1",
    ),
    "uhd": GstCamera(
        "pattern=zone-plate kx2=40 ky2=40 kt=2 ! video/x-raw,width=3840,height=2160,framerate=2/1",
        f"{H264} key-int-max=4 bitrate=8000 sliced-threads=false option-string=slices=8",
    ),
    "rare": GstCamera(NOISE, f"{H264} key-int-max=900 bitrate=1500 option-string=scenecut=0"),
    "intra": GstCamera(
        "pattern=snow ! video/x-raw,width=1920,height=1080,framerate=2/1",
        f"{H264} key-int-max=1 pass=quant quantizer=2",
    ),
}


@dataclass(frozen=True)
class Seen:
    """What the wall shall see of one camera."""

    codec: str
    width: int
    height: int
    programs: tuple[str, ...] = ("gstreamer",)


RIGHT = {
    "G-PLAIN": Seen("h264", 640, 360),
    "G-AUD-SEI": Seen("h264", 640, 360),
    "G-H265": Seen("h265", 640, 360),
    "G-UHD": Seen("h264", 3840, 2160),
    "G-RARE": Seen("h264", 640, 360),
    "G-INTRA": Seen("h264", 1920, 1080),
    "F-TCP": Seen("h264", 640, 360, ("ffmpeg",)),
    "F-HTTP": Seen("h264", 640, 360, ("ffmpeg",)),
    "F-HLS": Seen("h264", 640, 360, ("ffmpeg",)),
    "F-RTMP": Seen("h264", 640, 360, ("ffmpeg", "nginx-rtmp")),
}


class Wall(RunningPlatform):
    """The platform, and the cameras' ids by code."""

    cameras: dict[str, str]
    programs: Programs

    async def probe(self, code: str) -> Json:
        """A probe now, as the prober shows it then."""
        camera_id = self.cameras[code]
        await self.call("prober", "POST", "/v1/probes", {"camera_id": camera_id})
        return await self.get("prober", f"/v1/cameras/{camera_id}")

    async def deliveries(self, code: str) -> list[Json]:
        return list((await self.get("forwarder", f"/v1/cameras/{self.cameras[code]}/deliveries"))["items"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wall() -> AsyncIterator[Wall]:
    """Every camera that can be had on this machine, forwarded to two centres that play back."""
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="vonggac-wall-", ignore_cleanup_errors=True))
        )
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - PostgreSQL may run as another user
        made = folder / "foreign"
        made.mkdir()
        programs = Programs(made)
        stack.push_async_callback(programs.stop)
        addresses = {**await wrong.start_all(stack), **await _start_cameras(programs, stack)}
        platform = Platform(
            StateFolder(folder / "state"), anywhere(), allowed=("127.0.0.0/8",), progress=Progress(), durable=False
        )
        stack.push_async_callback(platform.stop)
        await platform.start()
        running = Wall(platform, admin_token(platform.state.keys))
        running.programs = programs
        running.cameras = await _register(running, addresses)
        yield running


async def _start_cameras(programs: Programs, stack: AsyncExitStack) -> dict[str, str]:
    addresses: dict[str, str] = {}
    if not missing("gstreamer"):
        port = await programs.rtsp_cameras(GSTREAMER)
        addresses |= {f"G-{path.upper()}": f"rtsp://127.0.0.1:{port}/{path}" for path in GSTREAMER}
    if not missing("ffmpeg"):
        tcp, http, hls = free_port(), free_port(), await _serve_files(programs.folder, stack)
        # Both take one client, and leave with it: whoever only checks whether anybody is there ends them.
        await programs.broadcast("mpegts", f"tcp://127.0.0.1:{tcp}?listen=1")
        await programs.broadcast("mpegts", f"http://127.0.0.1:{http}/live.ts", "-listen", "1")
        playlist = ("-hls_time", "1", "-hls_list_size", "5", "-hls_flags", "delete_segments")
        await programs.broadcast("hls", str(programs.folder / "live.m3u8"), *playlist)
        addresses |= {
            "F-TCP": f"tcp://127.0.0.1:{tcp}",
            "F-HTTP": f"http://127.0.0.1:{http}/live.ts",
            "F-HLS": f"http://127.0.0.1:{hls}/live.m3u8",
        }
    if not missing("ffmpeg", "nginx-rtmp"):
        port = free_port()
        await programs.rtmp_centre(port)
        await _listening(port)
        url = f"rtmp://127.0.0.1:{port}/live/gate"
        await programs.broadcast("flv", url)
        addresses["F-RTMP"] = url
    return addresses


async def _listening(port: int) -> None:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


async def _serve_files(folder: Path, stack: AsyncExitStack) -> int:
    """A plain web server for a folder."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.read(4096)
        path = folder / request.split()[1].decode().strip("/") if request else folder
        found = path.is_file()
        body = path.read_bytes() if found else b""
        status = "200 OK" if found else "404 Not Found"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    server = await stack.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0))
    return int(server.sockets[0].getsockname()[1])


async def _register(running: RunningPlatform, addresses: dict[str, str]) -> dict[str, str]:
    simulator = SimulatorApi(running.platform.addresses.simulator)
    approver = approver_token(running.platform.state.keys)
    async with InventoryApi(running.platform.addresses.inventory, running.token, approver=approver) as inventory:
        await load_base(inventory, simulator)
        await except_from_plans(inventory, {FACILITY}, "tường camera lạ")
        rows = [
            {"code": code, "name": code, "facility_code": FACILITY, "url": url, "probe_interval_s": "15"}
            for code, url in addresses.items()
        ]
        await inventory.import_csv("cameras", content.as_csv(rows))
        return {str(camera["code"]): str(camera["id"]) for camera in await inventory.all("cameras")}
