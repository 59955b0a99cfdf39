"""At most one change of state per delivery and second goes out; nothing of what happened is lost."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from nats.aio.msg import Msg

from forwarder.relay.assignment.paced_reports import PacedReports
from forwarder.relay.service import Process
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from vonggac.bus import Bus
from vonggac.events import decode, subjects
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.assignment.conftest import Scene

type StartForwarder = Callable[..., Awaitable[Process]]


@pytest.fixture
def sent(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each report of a delivery to the national centre is let go: a busy machine delays what comes by the bus."""
    times: list[float] = []
    flush = PacedReports._flush

    def noted(reports: PacedReports, relay: CameraRelay, supervisor: DeliverySupervisor) -> None:
        if supervisor.plan.destination_id == planner.destination("national"):
            times.append(time.monotonic())
        flush(reports, relay, supervisor)

    monkeypatch.setattr(PacedReports, "_flush", noted)
    return times


async def test_flapping_deliveries_publish_one_change_a_second_and_the_last_state_always(
    scene: Scene, bus: Bus, sent: list[float]
) -> None:
    camera, national = scene.plan(), scene.sim.centres["national"]
    came: list[DeliveryObservedV1] = []

    async def note(message: Msg) -> None:
        observed = decode(message.data).data
        if isinstance(observed, DeliveryObservedV1) and observed.destination_id == scene.planner.destination(
            "national"
        ):
            came.append(observed)

    await bus.client.subscribe(subjects.delivery_observation("*"), cb=note)
    await scene.start()
    await scene.inventory.publish(camera)
    await scene.become(camera, "acknowledged", "acknowledged")
    # On a busy machine the next session may begin before anybody sees that the last one has ended.
    for sessions in range(1, 5):
        await national.wait_for("gate", lambda stream: stream.live and stream.sessions == sessions)  # noqa: B023 - awaited
        if sessions < 4:
            await national.set_fault("close")

    def all_reported() -> bool:
        return came[-1].state is DeliveryState.ACKNOWLEDGED and any(report.changes > 1 for report in came)

    await eventually(all_reported, within_s=20)

    assert len(sent) >= len(came), "nothing goes out beside them"
    assert all(later - earlier >= 0.9 for earlier, later in pairwise(sent))
    [first, *_] = reports = list(came)
    assert (first.state, first.changes) == (DeliveryState.WAITING_FOR_CAMERA, 1)
    assert [report.sequence for report in reports] == list(range(1, len(reports) + 1))
    summed = [report for report in reports if report.changes > 1]
    assert summed
    for report in summed:
        assert report.first_changed_at is not None
        assert report.first_changed_at <= report.observed_at
