"""Centres that do not take what they are offered (415 to ANNOUNCE)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forwarder.relay.supervision.camera import CameraRelay
from simulator import CameraConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
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
