"""Centres that do not take what they are offered (415 to ANNOUNCE)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy
from simulator import CameraConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.net.url import RtspUrl
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

UNSUPPORTED = reply(415, reason="Unsupported Media Type")


def delivered_to(camera: CameraV1, port: int) -> CameraV1:
    """The camera with one delivery, to a scripted centre."""
    first = camera.deliveries[0].model_copy(update={"url": f"rtsp://127.0.0.1:{port}/in/gate", "secret": None})
    return camera.model_copy(update={"deliveries": (first,)})


@asynccontextmanager
async def renumbering(port: int, payload_type: int) -> AsyncIterator[int]:
    """The port of a way to the camera at `port` on which its video gets another RTP payload type."""

    writers: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(4)
                if head[0] != 0x24:
                    head += await reader.readuntil(b"\r\n\r\n")
                    found = re.search(rb"(?i)content-length: *(\d+)", head)
                    writer.write(head + await reader.readexactly(int(found[1]) if found else 0))
                    continue
                body = bytearray(await reader.readexactly(int.from_bytes(head[2:])))
                if head[1] == 0:
                    body[1] = body[1] & 0x80 | payload_type
                writer.write(head + body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_camera, to_camera = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        back = asyncio.create_task(pass_on(from_camera, writer))
        try:
            while data := await reader.read(65536):
                to_camera.write(data)
        finally:
            back.cancel()
            to_camera.close()
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])
        for writer in writers:
            writer.close()


def offered_sound(peer: ScriptedPeer) -> list[bool]:
    return [b"m=audio" in request.body for request in peer.requests if request.method == "ANNOUNCE"]


async def test_a_centre_that_does_not_take_the_video_is_reported_as_such(
    sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay]
) -> None:
    async with ScriptedPeer(ScriptedCamera(ANNOUNCE=UNSUPPORTED)) as peer:
        [supervisor] = relay_of(delivered_to(planner.camera(sim), peer.port)).deliveries.values()
        await eventually(lambda: supervisor.delivery.cause is not None)
        assert supervisor.delivery.cause is Cause.CODEC_UNSUPPORTED
        assert supervisor.delivery.detail == "ANNOUNCE was answered 415 Unsupported Media Type"


async def test_a_foreign_payload_type_is_announced_as_it_comes(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    relay_of: Callable[..., CameraRelay],
) -> None:
    """The camera's description names 96; a centre goes by what is announced to it."""
    async with simulate(cameras=[make_gate()]) as sim, ScriptedPeer(ScriptedCamera()) as centre:
        planned = delivered_to(planner.camera(sim), centre.port)
        own = RtspUrl.parse(planned.url).port
        async with renumbering(own, 97) as port:
            camera = planned.model_copy(update={"url": planned.url.replace(f":{own}/", f":{port}/"), "secret": None})
            relay = relay_of(camera)
            [supervisor] = relay.deliveries.values()
            await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED)
            announced = next(request.body for request in centre.requests if request.method == "ANNOUNCE")
            assert b"m=video 0 RTP/AVP 97\r\n" in announced
            assert b"a=rtpmap:97 H264/90000\r\n" in announced
            assert b"96" not in announced.replace(b"o=", b"").split(b"m=video")[1]
            copy = await relay.keyframes.copy_keyframe()
            assert isinstance(copy, KeyframeCopy)
            assert copy.foreign_payload == 97


async def test_a_centre_that_does_not_take_the_sound_gets_the_video_alone(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    relay_of: Callable[..., CameraRelay],
) -> None:
    def announced(request: Request) -> Response:
        return UNSUPPORTED if b"m=audio" in request.body else reply()

    peer = ScriptedPeer(ScriptedCamera(ANNOUNCE=announced))
    async with simulate(cameras=[make_gate(audio="pcma")]) as sim, peer:
        camera = delivered_to(planner.camera(sim, forward_audio=True), peer.port)
        [supervisor] = relay_of(camera).deliveries.values()
        await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED)
        assert offered_sound(peer) == [True, False]
