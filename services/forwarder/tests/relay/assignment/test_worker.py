"""Cameras are held, changed in place, adopted by their holder, given back and taken over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_sender import AT_ONCE
from forwarder.relay.service import Process
from simulator import CameraConfig
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene, Statuses

pytestmark = pytest.mark.slow

type StartForwarder = Callable[..., Awaitable[Process]]
BOTH_ACKNOWLEDGED = ["acknowledged", "acknowledged"]


async def both_acknowledged(statuses: Statuses, camera: CameraV1) -> None:
    await eventually(lambda: _are(statuses, camera, BOTH_ACKNOWLEDGED), within_s=15)


async def _are(statuses: Statuses, camera: CameraV1, words: list[str]) -> bool:
    seen = await statuses.words(camera)
    assert seen == words, seen
    return True


async def jobs_left(bus: Bus) -> int:
    return (await bus.js.stream_info(topology.DELIVERY_JOBS)).state.messages


async def test_a_planned_camera_is_delivered_to_both_centres(scene: Scene) -> None:
    forwarder = await scene.start()
    camera = await scene.publish()
    await both_acknowledged(scene.statuses, camera)
    for observed in await scene.statuses.of(camera):
        assert observed.worker_id == forwarder.worker_id
        assert observed.cause is None
        assert observed.last_success_at is not None
    for centre in scene.sim.centres.values():
        assert centre.streams["gate"].packets > 0


async def test_a_held_job_is_not_given_to_another_worker(scene: Scene) -> None:
    first, _ = await scene.forward()
    second = await scene.start()
    national = scene.sim.centres["national"]
    packets = national.streams["gate"].packets
    # About eight seconds of media: more than two ack waits.
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 8 * 75, timeout_s=30)
    assert stream.sessions == 1
    assert first.worker is not None
    assert second.worker is not None
    assert (len(first.worker.held), len(second.worker.held)) == (1, 0)
    assert scene.sim.cameras["gate"].sessions_total == 1


async def test_an_orderly_stop_hands_the_camera_over_within_a_second(scene: Scene) -> None:
    first, camera = await scene.forward()
    second = await scene.start()
    first.stop()
    for centre in scene.sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.sessions == 2 and stream.packets > 0)
        stream = await centre.wait_for(
            "gate", lambda stream: stream.current is not None and stream.current.gap_s is not None
        )
        assert stream.current is not None
        assert stream.current.gap_s is not None
        assert stream.current.gap_s <= 1.0
        assert stream.current.first_packet_is_keyframe
    await both_acknowledged(scene.statuses, camera)
    assert {observed.worker_id for observed in await scene.statuses.of(camera)} == {second.worker_id}


async def test_a_changed_plan_restarts_only_what_changed(scene: Scene) -> None:
    _, camera = await scene.forward()
    national, provincial = camera.deliveries
    moved = provincial.model_copy(update={"url": scene.sim.centres["provincial"].stream_url("elsewhere")})
    await scene.inventory.publish(camera.model_copy(update={"revision": 2, "deliveries": (national, moved)}))
    await scene.sim.centres["provincial"].wait_for("elsewhere", lambda stream: stream.packets > 0)
    await eventually(lambda: not scene.sim.centres["provincial"].streams["gate"].live)

    async def are_of_the_new_plan() -> bool:
        return {observed.camera_revision for observed in await scene.statuses.of(camera)} == {2}

    await eventually(are_of_the_new_plan)
    await both_acknowledged(scene.statuses, camera)
    untouched = scene.sim.centres["national"].streams["gate"]
    assert (untouched.sessions, untouched.lost) == (1, 0)
    assert scene.sim.cameras["gate"].sessions_total == 1


async def test_a_job_that_reaches_another_worker_is_adopted_by_the_holder(scene: Scene) -> None:
    holder, other = await scene.start(), await scene.start()
    camera = await scene.publish()
    await both_acknowledged(scene.statuses, camera)
    if holder.worker_id != (await scene.statuses.of(camera))[0].worker_id:
        holder, other = other, holder

    async def passed_on() -> bool:
        # The server gives jobs to waiting workers in turn, so one of the next changes comes to the other one.
        newest = (await scene.statuses.of(camera))[0].camera_revision + 1
        await scene.inventory.publish(camera.model_copy(update={"revision": newest}))
        await eventually(lambda: _revisions(scene.statuses, camera, {newest}))
        return other.worker is not None and other.worker.jobs_passed_on > 0

    await eventually(passed_on)
    assert other.worker is not None
    assert len(other.worker.held) == 0
    national = scene.sim.centres["national"]
    packets = national.streams["gate"].packets
    # More than an ack wait later the adopted job is still the holder's.
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 5 * 75, timeout_s=30)
    assert (stream.sessions, stream.lost) == (1, 0)
    assert {observed.worker_id for observed in await scene.statuses.of(camera)} == {holder.worker_id}
    assert scene.sim.cameras["gate"].sessions_total == 1


async def _revisions(statuses: Statuses, camera: CameraV1, revisions: set[int]) -> bool:
    return {observed.camera_revision for observed in await statuses.of(camera)} == revisions


async def test_a_removed_camera_is_left_and_its_deliveries_are_forgotten(scene: Scene, bus: Bus) -> None:
    forwarder, camera = await scene.forward()
    await scene.inventory.remove(camera)
    await eventually(lambda: _are(scene.statuses, camera, []))
    assert forwarder.worker is not None
    await eventually(lambda: forwarder.worker is not None and len(forwarder.worker.held) == 0)
    await eventually(lambda: scene.sim.cameras["gate"].sessions == 0)
    assert not scene.sim.centres["national"].streams["gate"].live
    await eventually(lambda: _none_left(bus))


async def _none_left(bus: Bus) -> bool:
    return await jobs_left(bus) == 0


async def test_a_disabled_camera_is_left_and_taken_again_when_it_is_enabled(scene: Scene) -> None:
    await scene.start()
    camera = scene.plan()
    await scene.inventory.publish(camera.model_copy(update={"enabled": False}))
    await eventually(lambda: _are(scene.statuses, camera, ["disabled", "disabled"]))
    await scene.inventory.publish(camera.model_copy(update={"revision": 2}))
    await both_acknowledged(scene.statuses, camera)
    await scene.inventory.publish(camera.model_copy(update={"revision": 3, "enabled": False}))
    await eventually(lambda: _are(scene.statuses, camera, ["disabled", "disabled"]))
    await scene.inventory.publish(camera.model_copy(update={"revision": 4}))
    await both_acknowledged(scene.statuses, camera)


async def test_a_full_worker_leaves_cameras_to_the_others(scene: Scene) -> None:
    full = await scene.start(max_cameras=1)
    first, second = scene.plan(), scene.plan()
    await scene.inventory.publish(first)
    await both_acknowledged(scene.statuses, first)
    other_path = tuple(
        delivery.model_copy(update={"url": scene.sim.centres[delivery.destination_code].stream_url("second")})
        for delivery in second.deliveries
    )
    second = second.model_copy(update={"deliveries": other_path})
    await scene.inventory.publish(second)
    assert full.worker is not None
    await eventually(lambda: full.worker is not None and full.worker.jobs_turned_away >= 1)
    relief = await scene.start(max_cameras=1)
    await both_acknowledged(scene.statuses, second)
    assert {observed.worker_id for observed in await scene.statuses.of(second)} == {relief.worker_id}


async def test_a_slow_goodbye_of_many_cameras_lets_no_prepared_one_expire(
    simulate: StartSimulator,
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    start_forwarder: StartForwarder,
    make_gate: Callable[..., CameraConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver, "KEPT_READY_S", 2.5)

    def plan_to(port: int, index: int) -> CameraV1:
        url = f"rtsp://127.0.0.1:{port}/{index}"
        slow = PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="slow", url=url, secret=None)
        return planner.camera(sim, code=f"gate-{index}", deliveries=(slow,))

    gate = make_gate(max_sessions=100, bitrate_kbps=100)
    async with simulate(cameras=[gate], centres=[]) as sim, ScriptedPeer(ScriptedCamera(TEARDOWN=None)) as centre:
        first = await start_forwarder()
        assert first.worker is not None
        leaving = first.worker
        cameras = [plan_to(centre.port, index) for index in range(AT_ONCE)]
        for camera in cameras:
            await inventory.publish(camera)
        for camera in cameras:
            await statuses.become(camera, "acknowledged")
        await start_forwarder()
        await eventually(lambda: len(leaving.members.others()) == 1)
        first.stop()
        await eventually(lambda: sum(leaving.handed_over.values()) == AT_ONCE, within_s=20)
        assert leaving.handed_over == {"prepared": AT_ONCE, "unprepared": 0, "given_back": 0}
        for camera in cameras:
            await statuses.become(camera, "acknowledged")
        # Once by each worker: one that had expired would be pulled anew, without its kept keyframe.
        assert sim.cameras["gate"].sessions_total == 2 * AT_ONCE
