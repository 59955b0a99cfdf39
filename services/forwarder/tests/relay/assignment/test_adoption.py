"""A forwarder dies, the bus goes away, two hold one camera: the camera goes on, once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from nats.aio.msg import Msg

from forwarder.messaging import Adoption
from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_receiver import HandoverOutcome, HandoverStep
from forwarder.relay.service import Process
from vonggac.bus import Bucket, Bus, Job
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.events import decode, new_event, subjects
from vonggac.events.forwarder import DeliveryCommand, DeliveryObservedV1, DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.assignment.conftest import Scene, Statuses

type StartForwarder = Callable[..., Awaitable[Process]]
type SpawnForwarder = Callable[[], subprocess.Popen[bytes]]


async def all_acknowledged(statuses: Statuses, camera: CameraV1) -> list[str]:
    """Ids of the workers that say so."""

    async def workers() -> list[str]:
        seen = await statuses.of(camera)
        assert [observed.state for observed in seen] == [DeliveryState.ACKNOWLEDGED] * 2, seen
        return [observed.worker_id for observed in seen]

    return await eventually(workers, within_s=20)


async def test_a_killed_forwarders_camera_is_with_another_within_five_seconds(
    scene: Scene, spawn_forwarder: SpawnForwarder
) -> None:
    killed = spawn_forwarder()
    camera = await scene.publish()
    [first, _] = await all_acknowledged(scene.statuses, camera)
    second = await scene.start()
    assert first != second.worker_id

    killed.send_signal(signal.SIGKILL)

    for centre in scene.sim.centres.values():
        stream = await centre.wait_for(
            "gate", lambda stream: stream.sessions == 2 and stream.live and bool(stream.gaps_s), timeout_s=15
        )
        assert stream.gaps_s[0] <= 5.0
    assert await all_acknowledged(scene.statuses, camera) == [second.worker_id] * 2


async def test_a_terminated_forwarder_hands_over_and_ends_with_status_zero(
    scene: Scene, spawn_forwarder: SpawnForwarder
) -> None:
    terminated = spawn_forwarder()
    camera = await scene.publish()
    await all_acknowledged(scene.statuses, camera)
    await scene.start()

    terminated.terminate()

    for centre in scene.sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.sessions == 2 and bool(stream.gaps_s))
        assert stream.gaps_s[0] <= 1.0
    await eventually(lambda: terminated.poll() is not None)
    assert terminated.returncode in (0, -signal.SIGTERM)


@pytest.mark.slow
async def test_a_restarted_bus_interrupts_no_camera(scene: Scene, nats_server: NatsServer, bus: Bus) -> None:
    await scene.start()
    await scene.start()
    camera = await scene.publish()
    [holder, _] = await all_acknowledged(scene.statuses, camera)

    nats_server.kill()
    national = scene.sim.centres["national"]
    packets = national.streams["gate"].packets
    # Longer than an ack wait without a bus: media goes on.
    await national.wait_for("gate", lambda stream: stream.packets > packets + 5 * 75, timeout_s=30)
    nats_server.start()

    await eventually(lambda: bus.connected, within_s=15)
    packets = national.streams["gate"].packets
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 8 * 75, timeout_s=30)
    assert (stream.sessions, stream.lost) == (1, 0)
    assert scene.sim.cameras["gate"].sessions_total == 1
    assert await all_acknowledged(scene.statuses, camera) == [holder] * 2
    # The queue works again for what comes new.
    await scene.inventory.publish(camera.model_copy(update={"revision": 2}))
    await eventually(lambda: _revision_is(scene.statuses, camera, 2), within_s=15)


async def _revision_is(statuses: Statuses, camera: CameraV1, revision: int) -> bool:
    return all(observed.camera_revision == revision for observed in await statuses.of(camera))


async def test_of_two_holders_the_earlier_one_yields_and_leaves_the_bucket_to_the_later_one(
    scene: Scene, bus: Bus
) -> None:
    cut_off = await scene.start()
    camera = await scene.publish()
    await all_acknowledged(scene.statuses, camera)
    [ours, _] = await scene.statuses.of(camera)
    later = ours.model_copy(
        update={"worker_id": "forwarder-other", "held_since": datetime.now(UTC) + timedelta(milliseconds=1)}
    )
    key = subjects.key_value(topology.DELIVERY_STATUS, later.delivery_id)
    await bus.js.publish(key, later.model_dump_json().encode())
    await eventually(lambda: cut_off.worker is not None and len(cut_off.worker.held) == 0)
    assert not scene.sim.centres["national"].streams["gate"].live
    await eventually(lambda: _last_word_is(bus, later, DeliveryState.RELEASED))
    [observed, _] = await scene.statuses.of(camera)
    assert observed.worker_id == "forwarder-other"


async def test_the_last_word_of_a_holder_that_slept_does_not_stand_over_the_present_ones(
    scene: Scene, bus: Bus
) -> None:
    """It wakes amid a hand-over, ends its sessions and reports that, before it learns who holds the camera."""
    holder = await scene.start()
    camera = await scene.publish()
    await all_acknowledged(scene.statuses, camera)
    for ours in await scene.statuses.of(camera):
        slept = {"worker_id": "forwarder-other", "held_since": ours.held_since - timedelta(seconds=20)}
        word = ours.model_copy(update={**slept, "state": DeliveryState.RELEASED, "observed_at": datetime.now(UTC)})
        key = subjects.key_value(topology.DELIVERY_STATUS, word.delivery_id)
        await bus.js.publish(key, word.model_dump_json().encode())
    assert await all_acknowledged(scene.statuses, camera) == [holder.worker_id] * 2
    assert all(centre.streams["gate"].sessions == 1 for centre in scene.sim.centres.values())


async def _last_word_is(bus: Bus, delivery: DeliveryObservedV1, state: DeliveryState) -> bool:
    """Whether the last observation of a delivery says so."""
    subject = subjects.delivery_observation(delivery.delivery_id)
    message = await bus.js.get_last_msg(topology.OBSERVATIONS, subject)
    assert message.data is not None
    observed = decode(message.data).data
    assert isinstance(observed, DeliveryObservedV1)
    return observed.state is state


async def test_what_once_succeeded_is_known_to_whoever_takes_the_camera(scene: Scene) -> None:
    first = await scene.start()
    camera = await scene.publish()
    await all_acknowledged(scene.statuses, camera)
    await scene.sim.centres["national"].set_fault("refuse")
    [failing, _] = await scene.become(camera, "backing_off", "acknowledged")
    assert failing.last_success_at is not None
    first.stop()
    await scene.become(camera, "released", "released")
    second = await scene.start()

    async def reported_by_the_second() -> DeliveryObservedV1:
        [observed, _] = await scene.statuses.of(camera)
        assert (observed.worker_id, observed.state) == (second.worker_id, DeliveryState.BACKING_OFF)
        return observed

    taken: DeliveryObservedV1 = await eventually(reported_by_the_second)
    assert taken.last_success_at is not None
    assert taken.last_success_at >= failing.last_success_at


@pytest.mark.slow
async def test_an_order_to_stop_outlives_the_bus_and_every_forwarder(
    scene: Scene, nats_server: NatsServer, bus: Bus
) -> None:
    first = await scene.start()
    camera = await scene.publish()
    await all_acknowledged(scene.statuses, camera)
    stopped = camera.deliveries[0]
    order = DeliveryCommand(delivery_id=stopped.id, stopped=True, by="lan", reason="bảo trì", at=camera.changed_at)
    await Bucket(bus, topology.DELIVERY_COMMANDS).put(str(stopped.id), order.model_dump_json().encode())
    await scene.become(camera, "stopped", "acknowledged")
    first.stop()
    await scene.become(camera, "released", "released")
    nats_server.kill()
    nats_server.start()
    await eventually(lambda: bus.connected, within_s=15)
    sessions = scene.sim.centres["national"].streams["gate"].sessions
    await scene.start()
    [observed, _] = await scene.become(camera, "stopped", "acknowledged")
    assert observed.detail == "stopped by lan: bảo trì"
    assert scene.sim.centres["national"].streams["gate"].sessions == sessions


async def test_a_camera_that_is_handed_over_while_its_holder_is_asked_is_pulled_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = (await scene.start()).worker
    assert worker is not None
    camera = scene.plan()

    async def handed_over_meanwhile(_self: Adoption, _camera_id: UUID, job: Job) -> bool:
        assert await worker.hold_camera(camera, job)
        return False

    monkeypatch.setattr(Adoption, "offer_job", handed_over_meanwhile)
    await scene.inventory.publish(camera)
    await all_acknowledged(scene.statuses, camera)
    assert scene.sim.cameras["gate"].sessions == 1


async def test_a_camera_that_is_fetched_while_it_is_prepared_for_a_handover_is_pulled_once(
    bus: Bus, forwarder_bus: Bus, scene: Scene
) -> None:
    process, camera = await scene.start(), scene.plan()
    worker = process.worker
    assert worker is not None
    event = new_event(camera, source="/scene.inventory", subject=str(camera.id), time=datetime.now(UTC))
    reply = ".".join(("$JS", "ACK", topology.DELIVERY_JOBS, topology.FORWARDER, *"11110"))
    message = Msg(bus.client, subject=subjects.delivery_job(camera.id), reply=reply, data=event.encode())
    handed_over = Job(decode(message.data), message, deliveries=1, stream_sequence=1)
    prepared = await receiver.request_prepare(forwarder_bus, process.worker_id, handed_over, within_s=5.0)
    assert prepared.outcome is HandoverOutcome.READY
    # The holder is cut off from the bus for a while: its job is given out again, and then it goes on.
    await scene.inventory.publish(camera)
    await eventually(lambda: camera.id in worker.held)
    taken = await receiver.request_step(forwarder_bus, process.worker_id, HandoverStep.GO, handed_over)
    assert taken.outcome is HandoverOutcome.TAKEN
    await all_acknowledged(scene.statuses, camera)
    await eventually(lambda: scene.sim.cameras["gate"].sessions == 1)
    await scene.inventory.remove(camera)
    await eventually(lambda: scene.sim.cameras["gate"].sessions == 0 and not worker.held)
