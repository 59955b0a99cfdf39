"""A forwarder that was asleep, or of whose facts some are lost, says so and publishes all states anew."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forwarder.messaging import request_handover
from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_receiver import HandoverOutcome, HandoverStep
from vonggac.bus import Bus
from vonggac.events import subjects
from vonggac.events.forwarder import FactsLost
from vonggac.telemetry.awake import read_clocks
from vonggac.testing import eventually
from vonggac.testing.processes import put_to_sleep

if TYPE_CHECKING:
    import pytest
    from services.forwarder.tests.relay.assignment.conftest import Observations, Scene


async def test_after_its_sleep_a_forwarder_publishes_every_state_anew(
    scene: Scene, observations: Observations, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarder, camera = await scene.forward()
    facts, beats = observations.facts, observations.beats
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


async def test_a_forwarder_of_whose_facts_some_are_lost_publishes_every_state_anew_once(
    scene: Scene, observations: Observations, reporting_bus: Bus
) -> None:
    forwarder, camera = await scene.forward()
    facts, beats = observations.facts, observations.beats

    async def report_loss(lost_until: datetime) -> None:
        subject, loss = subjects.worker_facts_lost(forwarder.worker_id), FactsLost(lost_until=lost_until)
        await reporting_bus.client.publish(subject, loss.model_dump_json().encode())

    await eventually(lambda: len(beats) >= 1 and len(facts) >= 2)
    awake_before, newest = beats[-1].awake_since, {fact.delivery_id: fact.sequence for fact in facts}
    assert awake_before is not None
    # Of before it began: answered already. And what no forwarder understands.
    await report_loss(awake_before - timedelta(seconds=1))
    await reporting_bus.client.publish(subjects.worker_facts_lost(forwarder.worker_id), b"{}")
    seen = len(beats)
    await eventually(lambda: len(beats) > seen, within_s=10)
    assert beats[-1].awake_since == awake_before
    await report_loss(awake_before)
    await eventually(lambda: beats[-1].awake_since != awake_before)
    anew = beats[-1].awake_since
    assert anew is not None
    assert anew > awake_before
    # Another replica of reporting misses the same facts.
    await report_loss(awake_before)
    seen = len(beats)
    await eventually(lambda: len(beats) > seen, within_s=10)
    assert beats[-1].awake_since == anew
    published = [fact for fact in facts if fact.sequence > newest[fact.delivery_id]]
    assert {(fact.delivery_id, fact.state.value) for fact in published} == {
        (planned.id, "acknowledged") for planned in camera.deliveries
    }
    assert len(published) == len(camera.deliveries)
    assert all(fact.observed_at >= anew for fact in published)


async def test_a_forwarder_that_slept_amid_a_handover_takes_no_camera_that_another_one_holds(
    scene: Scene, spawn_forwarder: Callable[[], subprocess.Popen[bytes]], forwarder_bus: Bus
) -> None:
    holder = await scene.start(rebalance_after_s=600)
    camera = await scene.publish()
    await scene.become(camera, "acknowledged", "acknowledged")
    worker = holder.worker
    assert worker is not None
    asleep = spawn_forwarder()
    [other] = await eventually(worker.members.others, within_s=15)
    put_to_sleep(asleep.pid)
    job = worker.held[camera.id].job
    asked = [await receiver.request_step(forwarder_bus, other.worker_id, HandoverStep.GO, job) for _ in range(2)]
    assert {answer.outcome for answer in asked} == {HandoverOutcome.UNWILLING}
    os.kill(asleep.pid, signal.SIGCONT)
    drop = {"Vonggac-Handover": HandoverStep.DROP.value}
    assert await request_handover(forwarder_bus, other.worker_id, job, drop, within_s=5.0) is not None
    # It has read all by now: two seconds of what it would do.
    national = scene.sim.centres["national"]
    packets = national.streams["gate"].packets
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 2 * 75)
    assert [observed.worker_id for observed in await scene.statuses.of(camera)] == [holder.worker_id] * 2
    assert list(worker.held) == [camera.id]
    assert (scene.sim.cameras["gate"].sessions_total, stream.sessions) == (1, 1)
