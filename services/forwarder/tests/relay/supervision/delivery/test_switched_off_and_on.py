"""A delivery that the plan switches off and on again before its session has ended: one session, and true words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.events.forwarder import DeliveryState as State
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]


class SlowToEnd:
    """A centre that does not answer TEARDOWN. `overlapped`: of each ANNOUNCE, whether an older session stood still."""

    def __init__(self) -> None:
        self.overlapped: list[bool] = []
        self.peer = ScriptedPeer(ScriptedCamera(TEARDOWN=None, ANNOUNCE=self._announced))

    def _announced(self, _request: Request) -> Response:
        *older, _present = self.peer._writers
        self.overlapped.append(any(not writer.is_closing() for writer in older))
        return reply()


def led_to(peer: ScriptedPeer, camera: CameraV1) -> tuple[CameraV1, PlannedDelivery]:
    first, *others = camera.deliveries
    led = first.model_copy(update={"url": f"rtsp://127.0.0.1:{peer.port}/in/gate", "secret": None})
    return camera.model_copy(update={"deliveries": (led, *others)}), led


def switched(camera: CameraV1, revision: int, *, on: bool) -> CameraV1:
    """A newer plan with the first delivery on or off."""
    first, *others = camera.deliveries
    first = first.model_copy(update={"enabled": on})
    return camera.model_copy(update={"revision": revision, "deliveries": (first, *others)})


async def test_switched_on_again_it_begins_when_the_old_session_has_ended_and_is_never_called_disabled(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    centre = SlowToEnd()
    async with centre.peer as peer:
        camera, planned = led_to(peer, planner.camera(sim))
        relay = relay_of(camera)
        await eventually(lambda: relay.deliveries[planned.id].delivery.state is State.ACKNOWLEDGED)
        relay.apply_plan(switched(camera, 2, on=False))
        await peer.until(lambda: "TEARDOWN" in peer.methods)
        relay.apply_plan(switched(camera, 3, on=True))
        await eventually(lambda: relay.deliveries[planned.id].delivery.state is State.ACKNOWLEDGED, within_s=4)
        await eventually(lambda: not relay._leave_tasks)
        states = recorder.states(planned.destination_id)
        assert states[-1] is State.ACKNOWLEDGED
        assert State.DISABLED not in states
        assert centre.overlapped == [False, False]
        assert sim.centres["provincial"].streams["gate"].sessions == 1


async def test_switched_off_once_more_its_last_word_is_disabled_and_is_said_once(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    centre = SlowToEnd()
    async with centre.peer as peer:
        camera, planned = led_to(peer, planner.camera(sim))
        relay = relay_of(camera)
        await eventually(lambda: relay.deliveries[planned.id].delivery.state is State.ACKNOWLEDGED)
        for revision, on in ((2, False), (3, True), (4, False)):
            relay.apply_plan(switched(camera, revision, on=on))
        await eventually(lambda: not relay._leave_tasks)
        states = recorder.states(planned.destination_id)
        assert states[-1] is State.DISABLED
        assert states.count(State.DISABLED) == 1
        assert centre.overlapped == [False]


async def test_a_worker_that_stops_meanwhile_has_the_last_word(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    async with SlowToEnd().peer as peer:
        camera, planned = led_to(peer, planner.camera(sim))
        relay = relay_of(camera)
        await eventually(lambda: relay.deliveries[planned.id].delivery.state is State.ACKNOWLEDGED)
        relay.apply_plan(switched(camera, 2, on=False))
        relay.apply_plan(switched(camera, 3, on=True))
        await relay.release(State.RELEASED)
        states = recorder.states(planned.destination_id)
        assert states[-1] is State.RELEASED
        assert State.DISABLED not in states


async def test_a_delivery_that_is_switched_off_says_why_whether_it_ran_or_not(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    camera = planner.camera(sim)
    first, second = camera.deliveries
    relay = relay_of(switched(camera, 2, on=False))
    await eventually(lambda: relay.deliveries[second.id].delivery.state is State.ACKNOWLEDGED)
    assert recorder.detail(first.destination_id) == "it or its destination is switched off in the register"
    relay.camera = camera.model_copy(update={"revision": 3, "enabled": False})
    await relay.release(State.DISABLED)
    assert recorder.detail(second.destination_id) == "its camera is switched off in the register"
