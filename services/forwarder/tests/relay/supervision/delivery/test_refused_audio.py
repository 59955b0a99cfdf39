"""A destination that refuses a camera's sound gets the video, and is offered the sound again when it may take it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CameraConfig, Simulator
from vonggac.events.forwarder import DeliveryState as State
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

type StartRelay = Callable[..., CameraRelay]


@pytest_asyncio.fixture
async def sim(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    """As everywhere, with sound."""
    async with simulate(cameras=[make_gate(audio="pcma")]) as running:
        yield running


class Deaf:
    """A centre that refuses sound. `offered`: of each ANNOUNCE, whether sound was offered."""

    def __init__(self) -> None:
        self.takes_sound = False
        self.offered: list[bool] = []
        self.peer = ScriptedPeer(ScriptedCamera(ANNOUNCE=self._announced))

    def _announced(self, request: Request) -> Response:
        self.offered.append(b"m=audio" in request.body)
        refused = self.offered[-1] and not self.takes_sound
        return reply(415, reason="Unsupported Media Type") if refused else reply()


def led_to(peer: ScriptedPeer, camera: CameraV1) -> tuple[CameraV1, PlannedDelivery]:
    first, *others = camera.deliveries
    led = first.model_copy(update={"url": f"rtsp://127.0.0.1:{peer.port}/in/gate", "secret": None})
    return camera.model_copy(update={"deliveries": (led, *others)}), led


async def acknowledged(delivery: DeliverySupervisor, *, sessions: int) -> None:
    await eventually(
        lambda: (delivery.slot.sessions, delivery.delivery.state) == (sessions, State.ACKNOWLEDGED), within_s=15
    )


async def test_sound_is_offered_again_with_the_cameras_next_stream_and_not_before(
    sim: Simulator, planner: Planner, relay_of: StartRelay, capsys: pytest.CaptureFixture[str]
) -> None:
    centre = Deaf()
    async with centre.peer as peer:
        camera, planned = led_to(peer, planner.camera(sim, forward_audio=True))
        relay = relay_of(camera)
        delivery = relay.deliveries[planned.id]
        await acknowledged(delivery, sessions=1)
        assert centre.offered == [True, False]
        # The same stream in another session.
        peer.writer.close()
        await acknowledged(delivery, sessions=2)
        assert centre.offered == [True, False, False]
        assert "".join(capsys.readouterr()).count("delivery_without_audio") == 1
        # Another stream, and the centre has not changed.
        await sim.cameras["gate"].set_fault("close")
        await acknowledged(delivery, sessions=3)
        assert centre.offered[3:] == [True, False]
        assert "".join(capsys.readouterr()).count("delivery_without_audio") == 1
        centre.takes_sound = True
        await sim.cameras["gate"].set_fault("close")
        await acknowledged(delivery, sessions=4)
        assert centre.offered[5:] == [True]
        assert "delivery_without_audio" not in "".join(capsys.readouterr())


async def test_a_centre_that_takes_neither_is_offered_nothing_new_of_sound(
    sim: Simulator, planner: Planner, relay_of: StartRelay, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = reply(415, reason="Unsupported Media Type")
    async with ScriptedPeer(ScriptedCamera(ANNOUNCE=refused)) as peer:
        camera, planned = led_to(peer, planner.camera(sim, forward_audio=True))
        delivery = relay_of(camera).deliveries[planned.id]
        await eventually(lambda: delivery.delivery.attempt >= 3, within_s=15)
        assert delivery.delivery.failing or delivery.delivery.state is State.CONNECTING
        assert "".join(capsys.readouterr()).count("delivery_without_audio") == 1
