"""One pull of a camera reaches both centres, and the state words are true."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from forwarder.domain.camera_pull import PullState
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder


async def test_both_centres_receive_from_one_pull(
    sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay], recorder: Recorder
) -> None:
    relay = relay_of(planner.camera(sim))
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 50)
        assert stream.lost == 0
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe
    assert sim.cameras["gate"].sessions_total == 1
    await eventually(
        lambda: all(item.delivery.state is DeliveryState.ACKNOWLEDGED for item in relay.deliveries.values())
    )
    assert relay.pull.state is PullState.LIVE
    for item in relay.deliveries.values():
        counts = item.slot.counts
        # The simulator's pictures are several packets each.
        assert 0 < counts.frames_sent < counts.packets_sent / 2
    for destination in planner.destinations.values():
        states = recorder.states(destination)
        assert states[:2] == [DeliveryState.WAITING_FOR_CAMERA, DeliveryState.CONNECTING]
        assert states[-1] is DeliveryState.ACKNOWLEDGED


async def test_a_low_water_mark_loses_nothing_and_does_not_hold_up_the_end(
    sim: Simulator, planner: Planner, relay_of: Callable[..., CameraRelay]
) -> None:
    relay = relay_of(planner.camera(sim), receive_low_water_bytes=16_384)
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 200)
        assert stream.lost == 0
    await relay.release(DeliveryState.RELEASED)
    await eventually(lambda: sim.cameras["gate"].sessions == 0, within_s=1)
