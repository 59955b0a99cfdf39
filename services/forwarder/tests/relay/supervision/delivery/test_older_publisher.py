"""A destination that refuses us because an older session still publishes the stream."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CentreConfig, Simulator
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator

type StartRelay = Callable[..., CameraRelay]
TRIED_WITHIN_S = 3.0


def national(relay: CameraRelay, planner: Planner) -> DeliverySupervisor:
    destination = planner.destination("national")
    [supervisor] = [item for item in relay.deliveries.values() if item.plan.destination_id == destination]
    return supervisor


@pytest.mark.parametrize("status", [406, 455])
async def test_an_older_publisher_is_a_cause_of_its_own_and_its_place_is_taken_within_three_seconds(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, status: int
) -> None:
    centres = [CentreConfig(id="national", second_publisher_status=status), CentreConfig(id="provincial")]
    async with simulate(centres=centres) as sim:
        older = relay_of(planner.camera(sim))
        await eventually(lambda: national(older, planner).delivery.state is DeliveryState.ACKNOWLEDGED)
        # The longest waits, as if the destination had failed often before.
        newer = relay_of(planner.camera(sim), chance=lambda: 0.999)
        supervisor = national(newer, planner)
        await eventually(lambda: supervisor.delivery.cause is Cause.ALREADY_PUBLISHING)
        first_s, refused_at = time.monotonic(), supervisor.delivery.since
        await eventually(
            lambda: supervisor.delivery.state is DeliveryState.BACKING_OFF and supervisor.delivery.since > refused_at,
            what="refused once more",
        )
        assert time.monotonic() - first_s < TRIED_WITHIN_S
        await older.release(DeliveryState.RELEASED)
        gone_s = time.monotonic()
        await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED)
        assert time.monotonic() - gone_s < TRIED_WITHIN_S + 1.5
        causes = {said.cause for said in recorder.said if said.destination_id == planner.destination("national")}
        assert "protocol_error" not in causes


async def test_after_a_black_hole_a_delivery_waits_no_longer_for_its_own_old_session_than_the_centre(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), chance=lambda: 0.999)
    supervisor, centre = national(relay, planner), sim.centres["national"]
    await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED)
    await centre.set_fault("black_hole")
    await eventually(lambda: supervisor.delivery.attempt >= 4, within_s=40)
    await centre.clear_fault()
    back_s = time.monotonic()
    await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=30)
    assert time.monotonic() - back_s < 2 * TRIED_WITHIN_S
