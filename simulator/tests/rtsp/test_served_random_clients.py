"""Clients that send requests at random, whole and in pieces, and go: they leave nothing behind, and raise nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.rtsp.server.session_state import METHODS
from vonggac.testing import eventually

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

CLIENTS = 60
TRANSPORTS = (
    "RTP/AVP/TCP",
    "RTP/AVP/TCP;interleaved=0-1",
    "RTP/AVP/TCP;interleaved=255",
    "RTP/AVP/TCP;interleaved=-1",
    "RTP/AVP;unicast;client_port=40000-40001",
    "RTP/AVP;client_port=65535",
    ";;;,,,",
)
LOGINS = (
    "Basic ====",
    "Digest",
    "Digest " + "a=b," * 2_000,
    'Digest username="viewer",realm="",nonce="",uri="",response=""',
    'Digest username="viewer",algorithm=SHA-256,uri="rtsp://[",nonce="' + "n" * 500 + '",response="x"',
)
ODD = ("Require: a\tb", "Accept: ,;,", " folded", "Content-Length: 3", "Content-Length: 1e3", "\x00: \x00")


def random_request(chance: random.Random, url: str, number: int, session: str) -> bytes:
    uris = (url, f"{url}/trackID=1", f"{url}/trackID=2", "*", "rtsp://", "rtsp://[::1/live", "rtsp://u:p@x/live/", "/é")
    lines = [f"{chance.choice([*METHODS.split(', '), 'RECORD', 'FOO'])} {chance.choice(uris)} RTSP/1.0"]
    lines.append(f"CSeq: {number}")
    for name, values in (
        ("Transport", TRANSPORTS),
        ("Session", (session, f"{session};timeout=9", '"', ";", "x" * 5_000)),
        ("Authorization", LOGINS),
    ):
        if chance.random() < 0.7:
            lines.append(f"{name}: {chance.choice(values)}")
    if chance.random() < 0.2:
        lines.append(chance.choice(ODD))
    sent = ("\r\n".join(lines) + "\r\n\r\n").encode()
    if chance.random() < 0.1:
        sent = b"$\0" + chance.randbytes(2) + sent
    return sent[: chance.randrange(len(sent))] if chance.random() < 0.1 else sent


async def play_at_random(camera: Camera, chance: random.Random) -> None:
    reader, writer = await asyncio.open_connection(camera.host, camera.port)
    session = ""
    try:
        for number in range(chance.randrange(1, 25)):
            writer.write(random_request(chance, camera.url(), number, session))
            answer = await asyncio.wait_for(reader.read(65_536), 0.1)
            _, _, named = answer.partition(b"Session: ")
            session = named[:16].decode("latin-1") or session
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()


def open_files() -> int:
    """How many this process has, sockets too."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("auth", ["none", "digest-both"])
async def test_served_clients_at_random_leave_nothing_behind(
    simulate: Simulate, make_camera: MakeCamera, auth: str
) -> None:
    config = make_camera(session_timeout_s=2, audio="pcma", auth=auth, username="viewer", password="x")
    camera = (await simulate(cameras=[config])).cameras["cam"]
    raised: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: raised.append(context))
    chance = random.Random(1742)
    before = open_files()
    for _ in range(3):
        await asyncio.gather(*(play_at_random(camera, chance) for _ in range(CLIENTS // 3)))
    await eventually(lambda: not camera.connections)
    await eventually(lambda: open_files() <= before, what="every socket is closed")
    assert camera.feed.subscribers == 0
    assert raised == []
