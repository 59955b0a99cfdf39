"""What was acknowledged since the last sample dates the end of a session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.progress import READ_EVERY_S
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import Simulator
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.conftest import RtmpServer

type StartRelay = Callable[..., CameraRelay]

MEDIA_BYTES = 100_000
"""Two seconds of the simulator's camera."""


async def long_unread(relay: CameraRelay, context: RelayContext) -> DeliverySupervisor:
    """The first delivery, long after its last sample."""
    delivery = next(iter(relay.deliveries.values()))
    await eventually(lambda: delivery.delivery.state is DeliveryState.ACKNOWLEDGED and not delivery._quick.running)
    context.ticker.remove(relay._tick)
    read_bytes = delivery.slot.counts.bytes_acknowledged
    await eventually(lambda: delivery.slot.counts.bytes_written > read_bytes + MEDIA_BYTES, within_s=20)
    assert delivery.slot.counts.bytes_acknowledged == read_bytes
    return delivery


def acknowledged_until(delivery: DeliverySupervisor, end: datetime) -> bool:
    last = delivery.delivery.last_acknowledged_at
    assert last is not None
    return abs((end - last).total_seconds()) <= READ_EVERY_S / 2 + 0.3


@pytest.mark.parametrize("fault", ["close", "refuse"])
async def test_the_end_of_a_centre_that_hangs_up_between_two_samples_is_dated(
    fault: str, sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext
) -> None:
    # Without chance it is tried again after half a second: long enough to be seen.
    delivery = await long_unread(relay_of(planner.camera(sim), chance=lambda: 0.999), context)
    await sim.centres[delivery.plan.destination_code].set_fault(fault)
    ended_at = datetime.now(UTC)
    await eventually(lambda: delivery.delivery.state is DeliveryState.BACKING_OFF)
    assert acknowledged_until(delivery, ended_at)


async def test_the_end_of_an_rtmp_centre_that_hangs_up_between_two_samples_is_dated(
    sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext, rtmp_server: RtmpServer
) -> None:
    camera = planner.camera(sim)
    first = camera.deliveries[0].model_copy(update={"url": rtmp_server.url("gate"), "secret": None})
    relay = relay_of(camera.model_copy(update={"deliveries": (first,)}))
    delivery = await long_unread(relay, context)
    await rtmp_server.stop()
    ended_at = datetime.now(UTC)
    await eventually(lambda: delivery.delivery.state is DeliveryState.BACKING_OFF)
    assert acknowledged_until(delivery, ended_at)


async def test_what_a_centre_confirmed_until_the_camera_ended_between_two_samples_is_dated(
    sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext
) -> None:
    delivery = await long_unread(relay_of(planner.camera(sim)), context)
    await sim.cameras["gate"].set_fault("refuse")
    ended_at = datetime.now(UTC)
    await eventually(lambda: delivery.delivery.state is DeliveryState.WAITING_FOR_CAMERA)
    assert acknowledged_until(delivery, ended_at)
