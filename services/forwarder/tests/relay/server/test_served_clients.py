"""What centres pull with plays from a worker, and is judged rightly: each program over each transport."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Protocol

import av
import pytest

from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import StartServing

PICTURES = 40
PLAYS_WITHIN_S = 60
TRANSPORTS = ("tcp", "rtsps", "udp")


class Address(Protocol):
    """Where the camera is had."""

    def url(self, *, tls: bool = False, login: str | None = ...) -> str: ...


type Command = Callable[[Address, str], list[str]]


def ffmpeg(served: Address, transport: str) -> list[str]:
    url = served.url(tls=transport == "rtsps")
    way = "udp" if transport == "udp" else "tcp"
    return ["ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", way, "-i", url, "-c", "copy", "-f", "null", "-"]


def gstreamer(served: Address, transport: str) -> list[str]:
    url = served.url(tls=transport == "rtsps", login=None)
    source = ["rtspsrc", f"location={url}", f"protocols={'udp' if transport == 'udp' else 'tcp'}"]
    login = ["user-id=ioc", f"user-pw={served_password()}", "tls-validation-flags=0", "latency=100"]
    return ["gst-launch-1.0", "-q", *source, *login, "!", "rtph264depay", "!", "fakesink"]


def served_password() -> str:
    return "mat-khau-20-ky-tu-xx"


def live555(served: Address, transport: str) -> list[str]:
    """The player of live555, which the software of many centres descends from."""
    url = served.url(tls=transport == "rtsps", login=None)
    over_tcp = [] if transport == "udp" else ["-t"]
    return ["openRTSP", "-v", *over_tcp, "-u", "ioc", served_password(), url]


CLIENTS: dict[str, Command] = {"ffmpeg": ffmpeg, "gst-launch-1.0": gstreamer, "openRTSP": live555}


@cache
def is_usable(program: str) -> bool:
    if shutil.which(program) is None:
        return False
    wanted = ("rtspsrc", "rtph264depay") if program.startswith("gst") else ()
    return all(subprocess.run(("gst-inspect-1.0", "--exists", each), check=False).returncode == 0 for each in wanted)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("program", CLIENTS)
async def test_served_camera_is_played_by_a_foreign_client_and_judged(
    sim: Simulator, serve: StartServing, program: str, transport: str
) -> None:
    if not is_usable(program):
        pytest.skip(f"{program} is not installed, or not whole")
    served = serve(sim)
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    process = await asyncio.create_subprocess_exec(
        *CLIENTS[program](served, transport), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED, within_s=PLAYS_WITHIN_S)
        [session] = served.supervisor.slot.taken_by
        assert session.transport == ("udp" if transport == "udp" else "tcp")
        assert (session.tls is not None) is (transport == "rtsps")
        assert session.peer == "127.0.0.1"
        assert session.agent
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await eventually(lambda: served.cause is Cause.LEFT, within_s=10)
    assert served.supervisor.slot.asking.refusals == {}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_served_camera_is_played_by_pyav(sim: Simulator, serve: StartServing, transport: str) -> None:
    served = serve(sim)
    await eventually(lambda: served.state is DeliveryState.WAITING_FOR_CENTRE)
    assert await asyncio.to_thread(count_pictures, served.url(tls=transport == "rtsps"), transport) == PICTURES
    await eventually(lambda: served.cause is Cause.LEFT, within_s=10)


def count_pictures(url: str, transport: str) -> int:
    """Decode until there are as many pictures as are wanted."""
    way = "udp" if transport == "udp" else "tcp"
    with av.open(url, options={"rtsp_transport": way, "tls_verify": "0"}, timeout=10) as container:
        for count, _ in enumerate(container.decode(video=0), 1):
            if count == PICTURES:
                return count
    return 0
