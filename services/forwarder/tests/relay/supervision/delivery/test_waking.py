"""After a sleep a delivery's state is reported when it is known again, and no earlier read-back proves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from forwarder.domain.proof import Verified
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner

type StartRelay = Callable[..., CameraRelay]


async def test_waking_a_delivery_is_reported_when_media_of_now_is_acknowledged(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    delivery = next(iter(relay_of(planner.camera(sim)).deliveries.values()))
    await eventually(lambda: delivery.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=15)
    delivery.handle(Verified(datetime.now(UTC), 0.1, 600.0))
    assert delivery.delivery.state is DeliveryState.VERIFIED
    reported: list[tuple[DeliveryState, int]] = []
    delivery.wake(lambda: reported.append((delivery.delivery.state, delivery.slot.counts.bytes_acknowledged)))
    before = delivery.slot.counts.bytes_acknowledged
    assert reported == []
    await eventually(lambda: reported)
    [(state, acknowledged)] = reported
    assert state is DeliveryState.ACKNOWLEDGED
    assert acknowledged > before


async def test_waking_a_delivery_whose_session_broke_reports_only_that(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    delivery = next(iter(relay_of(planner.camera(sim), chance=lambda: 0.999).deliveries.values()))
    await eventually(lambda: delivery.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=15)
    centre = sim.centres[delivery.plan.destination_code]
    await centre.set_fault("refuse")
    reported: list[DeliveryState] = []
    delivery.wake(lambda: reported.append(delivery.delivery.state))
    await eventually(lambda: delivery.delivery.state is DeliveryState.BACKING_OFF)
    await centre.clear_fault()
    await eventually(lambda: delivery.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=15)
    assert reported == []
