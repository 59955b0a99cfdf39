"""Cameras are held, changed in place, adopted by their holder, given back and taken over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_sender import AT_ONCE
from forwarder.relay.service import Process
from simulator import CameraConfig, Simulator
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Statuses

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


async def test_a_planned_camera_is_delivered_to_both_centres(
    sim: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    forwarder = await start_forwarder()
    camera = planner.camera(sim)
    await inventory.publish(camera)
    await both_acknowledged(statuses, camera)
    for observed in await statuses.of(camera):
        assert observed.worker_id == forwarder.worker_id
        assert observed.cause is None
        assert observed.last_success_at is not None
    for centre in sim.centres.values():
        assert centre.streams["gate"].packets > 0


async def test_a_held_job_is_not_given_to_another_worker(
    sim: Simulator, forwarded: tuple[Process, CameraV1], start_forwarder: StartForwarder
) -> None:
    first, _ = forwarded
    second = await start_forwarder()
    national = sim.centres["national"]
    packets = national.streams["gate"].packets
    # About eight seconds of media: more than two ack waits.
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 8 * 75, timeout_s=30)
    assert stream.sessions == 1
    assert first.worker is not None
    assert second.worker is not None
    assert (len(first.worker.held), len(second.worker.held)) == (1, 0)
    assert sim.cameras["gate"].sessions_total == 1


async def test_an_orderly_stop_hands_the_camera_over_within_a_second(
    sim: Simulator, forwarded: tuple[Process, CameraV1], statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    first, camera = forwarded
    second = await start_forwarder()
    first.stop()
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.sessions == 2 and stream.packets > 0)
        stream = await centre.wait_for(
            "gate", lambda stream: stream.current is not None and stream.current.gap_s is not None
        )
        assert stream.current is not None
        assert stream.current.gap_s is not None
        assert stream.current.gap_s <= 1.0
        assert stream.current.first_packet_is_keyframe
    await both_acknowledged(statuses, camera)
    assert {observed.worker_id for observed in await statuses.of(camera)} == {second.worker_id}


async def test_a_changed_plan_restarts_only_what_changed(
    sim: Simulator, forwarded: tuple[Process, CameraV1], inventory: Inventory, statuses: Statuses
) -> None:
    _, camera = forwarded
    national, provincial = camera.deliveries
    moved = provincial.model_copy(update={"url": sim.centres["provincial"].stream_url("elsewhere")})
    await inventory.publish(camera.model_copy(update={"revision": 2, "deliveries": (national, moved)}))
    await sim.centres["provincial"].wait_for("elsewhere", lambda stream: stream.packets > 0)
    await eventually(lambda: not sim.centres["provincial"].streams["gate"].live)

    async def are_of_the_new_plan() -> bool:
        return {observed.camera_revision for observed in await statuses.of(camera)} == {2}

    await eventually(are_of_the_new_plan)
    await both_acknowledged(statuses, camera)
    untouched = sim.centres["national"].streams["gate"]
    assert (untouched.sessions, untouched.lost) == (1, 0)
    assert sim.cameras["gate"].sessions_total == 1


async def test_a_job_that_reaches_another_worker_is_adopted_by_the_holder(
    sim: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    holder, other = await start_forwarder(), await start_forwarder()
    camera = planner.camera(sim)
    await inventory.publish(camera)
    await both_acknowledged(statuses, camera)
    if holder.worker_id != (await statuses.of(camera))[0].worker_id:
        holder, other = other, holder

    async def passed_on() -> bool:
        # The server gives jobs to waiting workers in turn, so one of the next changes comes to the other one.
        newest = (await statuses.of(camera))[0].camera_revision + 1
        await inventory.publish(camera.model_copy(update={"revision": newest}))
        await eventually(lambda: _revisions(statuses, camera, {newest}))
        return other.worker is not None and other.worker.jobs_passed_on > 0

    await eventually(passed_on)
    assert other.worker is not None
    assert len(other.worker.held) == 0
    national = sim.centres["national"]
    packets = national.streams["gate"].packets
    # More than an ack wait later the adopted job is still the holder's.
    stream = await national.wait_for("gate", lambda stream: stream.packets > packets + 5 * 75, timeout_s=30)
    assert (stream.sessions, stream.lost) == (1, 0)
    assert {observed.worker_id for observed in await statuses.of(camera)} == {holder.worker_id}
    assert sim.cameras["gate"].sessions_total == 1


async def _revisions(statuses: Statuses, camera: CameraV1, revisions: set[int]) -> bool:
    return {observed.camera_revision for observed in await statuses.of(camera)} == revisions


async def test_a_removed_camera_is_left_and_its_deliveries_are_forgotten(
    sim: Simulator, forwarded: tuple[Process, CameraV1], inventory: Inventory, statuses: Statuses, bus: Bus
) -> None:
    forwarder, camera = forwarded
    await inventory.remove(camera)
    await eventually(lambda: _are(statuses, camera, []))
    assert forwarder.worker is not None
    await eventually(lambda: forwarder.worker is not None and len(forwarder.worker.held) == 0)
    await eventually(lambda: sim.cameras["gate"].sessions == 0)
    assert not sim.centres["national"].streams["gate"].live
    await eventually(lambda: _none_left(bus))


async def _none_left(bus: Bus) -> bool:
    return await jobs_left(bus) == 0


async def test_a_disabled_camera_is_left_and_taken_again_when_it_is_enabled(
    sim: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.publish(camera.model_copy(update={"enabled": False}))
    await eventually(lambda: _are(statuses, camera, ["disabled", "disabled"]))
    await inventory.publish(camera.model_copy(update={"revision": 2}))
    await both_acknowledged(statuses, camera)
    await inventory.publish(camera.model_copy(update={"revision": 3, "enabled": False}))
    await eventually(lambda: _are(statuses, camera, ["disabled", "disabled"]))
    await inventory.publish(camera.model_copy(update={"revision": 4}))
    await both_acknowledged(statuses, camera)


async def test_a_full_worker_leaves_cameras_to_the_others(
    sim: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    full = await start_forwarder(max_cameras=1)
    first, second = planner.camera(sim), planner.camera(sim)
    await inventory.publish(first)
    await both_acknowledged(statuses, first)
    other_path = tuple(
        delivery.model_copy(update={"url": sim.centres[delivery.destination_code].stream_url("second")})
        for delivery in second.deliveries
    )
    second = second.model_copy(update={"deliveries": other_path})
    await inventory.publish(second)
    assert full.worker is not None
    await eventually(lambda: full.worker is not None and full.worker.jobs_turned_away >= 1)
    relief = await start_forwarder(max_cameras=1)
    await both_acknowledged(statuses, second)
    assert {observed.worker_id for observed in await statuses.of(second)} == {relief.worker_id}


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
