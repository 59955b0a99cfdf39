"""What centres pull with plays from the library's server: each program that is installed, over each transport."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import av
import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]
type Command = Callable[[Camera, str, Path], list[str]]

PLAYS_WITHIN_S = 60
PICTURES = 15
PASSWORD = "s3cret-of-the-centre"


def ffmpeg(camera: Camera, transport: str, _: Path) -> list[str]:
    url = camera.url(with_credentials=True)
    ways = [] if transport == "default" else ["-rtsp_transport", "udp" if transport == "udp" else "tcp"]
    return ["ffmpeg", "-v", "error", "-nostdin", *ways, "-i", url, "-frames:v", str(PICTURES), "-f", "null", "-"]


def gstreamer(camera: Camera, transport: str, _: Path) -> list[str]:
    way = {"rtsps": "tcp", "default": "tcp+udp"}.get(transport, transport)
    source = ["rtspsrc", f"location={camera.url()}", f"protocols={way}", "user-id=viewer", f"user-pw={PASSWORD}"]
    sink = ["!", "rtph264depay", "!", "fakesink", f"num-buffers={PICTURES}"]
    return ["gst-launch-1.0", "-q", *source, "tls-validation-flags=0", *sink]


def openrtsp(camera: Camera, transport: str, folder: Path) -> list[str]:
    ways = [] if transport == "udp" else ["-t"]
    return ["openRTSP", "-V", *ways, "-d", "3", "-F", str(folder / "out"), "-u", "viewer", PASSWORD, camera.url()]


CLIENTS: dict[str, Command] = {"ffmpeg": ffmpeg, "gst-launch-1.0": gstreamer, "openRTSP": openrtsp}


@cache
def has_plugins() -> bool:
    """Whether GStreamer has what plays H.264 by RTSP."""
    wanted = ("rtspsrc", "rtph264depay")
    return all(subprocess.run(("gst-inspect-1.0", "--exists", each), check=False).returncode == 0 for each in wanted)


async def start(simulate: Simulate, make_camera: MakeCamera, **options: object) -> Camera:
    login = {"username": "viewer", "password": PASSWORD}
    sim = await simulate(cameras=[make_camera(**{"auth": "digest", **login, **options})])
    return sim.cameras["cam"]


async def run(program: str, camera: Camera, transport: str, folder: Path) -> str:
    """Play with `program` until it has its pictures, and return what it printed. Skips where it is not installed."""
    if shutil.which(program) is None or (program.startswith("gst") and not has_plugins()):
        pytest.skip(f"{program} is not installed, or not whole")
    process = await asyncio.create_subprocess_exec(
        *CLIENTS[program](camera, transport, folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PLAYS_WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode(errors="replace")
    return output.decode(errors="replace")


@pytest.mark.parametrize("transport", ["tcp", "rtsps", "udp"])
@pytest.mark.parametrize("program", CLIENTS)
async def test_served_camera_is_played_by_foreign_clients(
    simulate: Simulate, make_camera: MakeCamera, tmp_path: Path, program: str, transport: str
) -> None:
    camera = await start(simulate, make_camera, tls=transport == "rtsps")
    await run(program, camera, transport, tmp_path)
    assert camera.logins_failed == 0
    assert camera.sessions_total == 1
    if program == "openRTSP":
        assert max(written_bytes(tmp_path)) > 10_000, "media has come"


@pytest.mark.parametrize("program", ["ffmpeg", "gst-launch-1.0"])
async def test_served_tcp_alone_is_found_by_clients_that_ask_for_udp_first(
    simulate: Simulate, make_camera: MakeCamera, tmp_path: Path, program: str
) -> None:
    camera = await start(simulate, make_camera, transports=("tcp",))
    await run(program, camera, "default", tmp_path)


@pytest.mark.parametrize("program", CLIENTS)
async def test_served_digest_with_both_algorithms_admits_foreign_clients(
    simulate: Simulate, make_camera: MakeCamera, tmp_path: Path, program: str
) -> None:
    camera = await start(simulate, make_camera, auth="digest-both")
    await run(program, camera, "tcp", tmp_path)
    assert camera.logins_failed == 0


@pytest.mark.parametrize("transport", ["tcp", "rtsps", "udp"])
async def test_served_camera_is_played_by_pyav(simulate: Simulate, make_camera: MakeCamera, transport: str) -> None:
    camera = await start(simulate, make_camera, tls=transport == "rtsps")
    pictures = await asyncio.to_thread(count_pictures, camera.url(with_credentials=True), transport)
    assert pictures == PICTURES
    assert camera.logins_failed == 0


def written_bytes(folder: Path) -> list[int]:
    """The sizes of the files that a client has written."""
    return [path.stat().st_size for path in folder.iterdir()]


def count_pictures(url: str, transport: str) -> int:
    """Decode until there are as many pictures as are wanted."""
    way = "udp" if transport == "udp" else "tcp"
    with av.open(url, options={"rtsp_transport": way, "tls_verify": "0"}, timeout=10) as container:
        for count, _ in enumerate(container.decode(video=0), 1):
            if count == PICTURES:
                return count
    return 0
