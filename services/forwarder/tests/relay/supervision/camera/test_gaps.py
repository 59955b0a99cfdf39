"""While a camera sends nothing its centres receive nothing, and a picture of before a gap proves nothing after it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forwarder.domain.proof import Verified
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]


async def test_half_a_stream_is_delivered_by_halves(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    relay = relay_of(planner.camera(sim), media_timeout_s=30.0)
    deliveries = list(relay.deliveries.values())

    def all_are(state: DeliveryState) -> bool:
        return all(one.delivery.state is state for one in deliveries)

    await eventually(lambda: all_are(DeliveryState.ACKNOWLEDGED), within_s=15)
    for one in deliveries:
        one.handle(Verified(datetime.now(UTC), 0.1, 600.0))
    assert all_are(DeliveryState.VERIFIED)
    said = len(recorder.said)
    await sim.cameras["gate"].set_fault("gaps", for_s=2.5, every_s=5.0, kind="silence")
    await eventually(lambda: all_are(DeliveryState.WAITING_FOR_CAMERA), within_s=15)
    assert {one.delivery.cause for one in deliveries} == {Cause.STALLED}
    # Media of after the gap is acknowledged; only a read-back of it can prove it.
    await eventually(lambda: all_are(DeliveryState.ACKNOWLEDGED), within_s=15)
    states = {each.state for each in recorder.said[said:]}
    assert states <= {DeliveryState.WAITING_FOR_CAMERA, DeliveryState.ACKNOWLEDGED}
    assert relay.puller.attempts == 1
