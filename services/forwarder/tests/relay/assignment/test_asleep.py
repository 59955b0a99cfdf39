"""A forwarder that was asleep says so, and publishes all states anew: nothing is claimed of its sleep."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from forwarder.messaging import request_handover
from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_receiver import HandoverOutcome, HandoverStep
from forwarder.relay.service import Process
from simulator import Simulator
from vonggac.bus import Bus
from vonggac.events import decode, subjects
from vonggac.events.forwarder import DeliveryObservedV1, ForwarderAliveV1
from vonggac.telemetry.awake import read_clocks
from vonggac.testing import eventually
from vonggac.testing.processes import put_to_sleep

if TYPE_CHECKING:
    import pytest
    from nats.aio.msg import Msg
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Statuses


async def test_after_its_sleep_a_forwarder_publishes_every_state_anew(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    start_forwarder: Callable[..., Awaitable[Process]],
    bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forwarder = await start_forwarder()
    camera = planner.camera(sim)
    await inventory.publish(camera)
    await statuses.become(camera, "acknowledged", "acknowledged")
    facts: list[DeliveryObservedV1] = []
    beats: list[ForwarderAliveV1] = []

    async def take(message: Msg) -> None:
        data = decode(message.data).data
        if isinstance(data, DeliveryObservedV1):
            facts.append(data)
        elif isinstance(data, ForwarderAliveV1):
            beats.append(data)

    await bus.js.subscribe(subjects.OBSERVATIONS, cb=take, ordered_consumer=True)
    await eventually(lambda: len(beats) >= 1 and len(facts) >= 2)
    awake_before, newest = beats[0].awake_since, max(fact.sequence for fact in facts)
    assert awake_before is not None

    def after_a_sleep() -> tuple[object, float]:
        wall, monotonic_s = read_clocks()
        return wall, monotonic_s + 150

    monkeypatch.setattr(forwarder.awake, "_clocks", after_a_sleep)
    anew = await eventually(lambda: [fact for fact in facts if fact.sequence > newest])
    assert {fact.delivery_id for fact in anew} == {planned.id for planned in camera.deliveries}
    awake_since = beats[-1].awake_since
    assert awake_since is not None
    assert awake_since > awake_before
    assert all(fact.observed_at >= awake_since for fact in anew)
    assert {fact.state.value for fact in anew} == {"acknowledged"}


async def test_a_forwarder_that_slept_amid_a_handover_takes_no_camera_that_another_one_holds(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    start_forwarder: Callable[..., Awaitable[Process]],
    spawn_forwarder: Callable[[], subprocess.Popen[bytes]],
    bus: Bus,
) -> None:
    holder = await start_forwarder(rebalance_after_s=600)
    camera = planner.camera(sim)
    await inventory.publish(camera)
    await statuses.become(camera, "acknowledged", "acknowledged")
    worker = holder.worker
    assert worker is not None
    asleep = spawn_forwarder()
    [other] = await eventually(worker.members.others, within_s=15)
    put_to_sleep(asleep.pid)
    job = worker.held[camera.id].job
    asked = [await receiver.request_step(bus, other.worker_id, HandoverStep.GO, job) for _ in range(2)]
    assert {answer.outcome for answer in asked} == {HandoverOutcome.UNWILLING}
    os.kill(asleep.pid, signal.SIGCONT)
    drop = {"Vonggac-Handover": HandoverStep.DROP.value}
    assert await request_handover(bus, other.worker_id, job, drop, within_s=5.0) is not None
    # It has read all by now: two seconds of what it would do.
    national = sim.centres["national"]
    packets = national.streams["gate"].packets
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 2 * 75)
    assert [observed.worker_id for observed in await statuses.of(camera)] == [holder.worker_id] * 2
    assert list(worker.held) == [camera.id]
    assert (sim.cameras["gate"].sessions_total, stream.sessions) == (1, 1)
