"""Cameras are handed to another worker without a gap to speak of, and spread over the workers that are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from nats.errors import NoRespondersError

from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.commands import CommandStore
from forwarder.relay.assignment.handover_sender import HandoverWay
from forwarder.relay.assignment.worker import Worker
from forwarder.relay.service import Process
from simulator import CameraConfig, Simulator
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.events.forwarder import DeliveryCommand, DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene, Statuses

pytestmark = pytest.mark.slow

type StartForwarder = Callable[..., Awaitable[Process]]
LONG_GOP_S = 4.0


def worker_of(process: Process) -> Worker:
    assert process.worker is not None
    return process.worker


async def known_to(process: Process, others: int) -> None:
    """Wait until a worker has heard of so many others."""
    worker = worker_of(process)
    await eventually(lambda: len(worker.members.others()) == others)


async def all_acknowledged(statuses: Statuses, cameras: list[CameraV1]) -> None:
    async def reached() -> bool:
        for camera in cameras:
            seen = await statuses.of(camera)
            assert [item.state for item in seen] == [DeliveryState.ACKNOWLEDGED] * 2, seen
        return True

    await eventually(reached, within_s=20)


@dataclass(frozen=True)
class Handing:
    """Forwarders, of which the first forwards all cameras of a simulator."""

    simulate: StartSimulator
    planner: Planner
    inventory: Inventory
    statuses: Statuses
    start: StartForwarder

    @asynccontextmanager
    async def forward(
        self, configs: list[CameraConfig], **settings: object
    ) -> AsyncIterator[tuple[Simulator, Process, list[CameraV1]]]:
        """Plan every camera, and wait until both centres acknowledge them all."""
        async with self.simulate(cameras=configs) as sim:
            first = await self.start(**settings)
            cameras = [self.planner.camera(sim, name) for name in sim.cameras]
            for camera in cameras:
                await self.inventory.publish(camera)
            await all_acknowledged(self.statuses, cameras)
            yield sim, first, cameras


@pytest.fixture
def handing(
    simulate: StartSimulator,
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    start_forwarder: StartForwarder,
) -> Handing:
    return Handing(simulate, planner, inventory, statuses, start_forwarder)


def cameras_of(count: int, make_gate: Callable[..., CameraConfig], **options: object) -> list[CameraConfig]:
    return [make_gate(id=f"gate-{index}", number=1, **options) for index in range(count)]


async def gaps(sim: Simulator, cameras: list[CameraV1]) -> list[float]:
    """Of the second session of every camera at every centre; each must begin with a keyframe."""
    found = []
    for camera in cameras:
        for centre in sim.centres.values():
            stream = await centre.wait_for(
                camera.code, lambda stream: stream.sessions == 2 and stream.live and bool(stream.gaps_s), timeout_s=15
            )
            assert stream.current is not None
            assert stream.current.first_packet_is_keyframe
            found.append(stream.gaps_s[0])
    return sorted(found)


async def test_a_stopping_worker_hands_prepared_cameras_over_with_hardly_a_gap(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    configs = cameras_of(4, make_gate, gop_s=LONG_GOP_S, loop_s=8.0, starts_with_keyframe=False)
    async with handing.forward(configs) as (sim, first, cameras):
        second = await handing.start()
        await known_to(first, 1)
        first.stop()
        # The wait for a keyframe, up to four seconds, is over before the old sessions end.
        assert (await gaps(sim, cameras))[-1] < 1.0
        await all_acknowledged(handing.statuses, cameras)
        await eventually(lambda: sum(worker_of(first).handed_over.values()) == 4)
        assert worker_of(first).handed_over == {"prepared": 4, "unprepared": 0, "given_back": 0}
        for camera in cameras:
            assert {item.worker_id for item in await handing.statuses.of(camera)} == {second.worker_id}
        await eventually(lambda: all(sim.cameras[config.id].sessions == 1 for config in configs))


async def test_keyframes_ten_seconds_apart_make_no_longer_gap(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    seldom = cameras_of(3, make_gate, gop_s=10.0, loop_s=20.0, starts_with_keyframe=False, bitrate_kbps=100)
    async with handing.forward(seldom) as (sim, first, cameras):
        await handing.start()
        await known_to(first, 1)
        first.stop()
        assert (await gaps(sim, cameras))[-1] < 1.0
        await eventually(lambda: sum(worker_of(first).handed_over.values()) == 3)
        assert worker_of(first).handed_over == {"prepared": 3, "unprepared": 0, "given_back": 0}


async def test_a_camera_without_keyframes_is_not_moved_for_balance_and_the_others_are(
    handing: Handing, make_gate: Callable[..., CameraConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "PREPARE_WITHIN_S", 1.5)
    configs = [make_gate(id="gate-0", gop_s=30.0, loop_s=30.0, bitrate_kbps=100), *cameras_of(4, make_gate)[1:]]
    async with handing.forward(configs, rebalance_after_s=1) as (sim, first, _):
        # From now on nobody who joins it gets a keyframe in time.
        await sim.cameras["gate-0"].set_fault("no_keyframe")
        second = await handing.start(rebalance_after_s=1)
        await eventually(lambda: worker_of(first).handed_over["prepared"] == 2, within_s=30)
        assert {held.relay.camera.code for held in worker_of(second).held.values()} <= {"gate-1", "gate-2", "gate-3"}
        assert worker_of(first).handed_over == {"prepared": 2, "unprepared": 0, "given_back": 0}
        await eventually(lambda: sim.cameras["gate-0"].sessions == 1)


ELSEWHERE = ("10.0.0.0/8",)
"""Of a worker that reaches none of the cameras: no route, a rule of its firewall, other settings."""


async def test_for_balance_no_camera_goes_to_a_worker_that_cannot_have_it_but_to_the_next(
    handing: Handing, make_gate: Callable[..., CameraConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two that carry the same the first by name is given to: the one that can have none.
    names = iter(UUID(int=number << 96) for number in range(1, 9))
    monkeypatch.setattr("forwarder.relay.service.uuid4", lambda: next(names))
    configs = cameras_of(4, make_gate)
    async with handing.forward(configs, rebalance_after_s=1) as (sim, first, cameras):
        cut_off = await handing.start(rebalance_after_s=1, allowed_networks=ELSEWHERE)
        giving = worker_of(first)._handover_sender
        everything = {(camera.id, cut_off.worker_id) for camera in cameras}
        await eventually(lambda: giving._unprepared == everything, within_s=20)
        assert sum(worker_of(first).handed_over.values()) == 0
        third = await handing.start(rebalance_after_s=1)
        await eventually(lambda: len(worker_of(third).held) == 2, within_s=25)
        await all_acknowledged(handing.statuses, cameras)
        assert worker_of(first).handed_over == {"prepared": 2, "unprepared": 0, "given_back": 0}
        assert len(worker_of(cut_off).held) == 0
        sessions = [stream.sessions for centre in sim.centres.values() for stream in centre.streams.values()]
        assert sorted(sessions) == [1, 1, 1, 1, 2, 2, 2, 2]
        assert all(stream.lost == 0 for centre in sim.centres.values() for stream in centre.streams.values())
        await eventually(lambda: len(giving._movable(list(worker_of(first).held.values()), third.worker_id)) == 2)
        assert {camera_id for camera_id, _ in giving._unprepared} == set(worker_of(first).held)


async def test_a_stopping_worker_asks_another_one_when_the_first_reaches_no_camera(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    configs = cameras_of(4, make_gate)
    async with handing.forward(configs) as (sim, first, cameras):
        await handing.start(allowed_networks=ELSEWHERE)
        third = await handing.start()
        await known_to(first, 2)
        first.stop()
        # What was promised to each counts, so both are asked.
        assert (await gaps(sim, cameras))[-1] < 1.0
        await eventually(lambda: worker_of(first).handed_over["prepared"] == 4)
        await all_acknowledged(handing.statuses, cameras)
        assert len(worker_of(third).held) == 4


async def test_a_camera_that_allows_one_session_is_handed_over_without_being_pulled_twice(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    async with handing.forward([make_gate(max_sessions=1)]) as (sim, first, [camera]):
        await handing.start()
        await known_to(first, 1)
        first.stop()
        await gaps(sim, [camera])
        await all_acknowledged(handing.statuses, [camera])
        # The next holder's media flows before the last one has put everything away.
        await eventually(lambda: worker_of(first).handed_over[HandoverWay.UNPREPARED] == 1)


async def test_without_another_worker_the_cameras_wait_in_the_queue(scene: Scene) -> None:
    first, camera = await scene.forward()
    first.stop()
    await eventually(lambda: worker_of(first).handed_over[HandoverWay.GIVEN_BACK] == 1)
    await scene.start()
    await all_acknowledged(scene.statuses, [camera])


@pytest.mark.usefixtures("bus")
async def test_a_worker_gives_no_sign_of_life_before_it_takes_cameras(
    start_forwarder: StartForwarder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who hands a camera over would be answered by nobody."""
    known, waiting = asyncio.Event(), list[CommandStore]()

    async def wait_loaded(book: CommandStore) -> None:
        waiting.append(book)
        if book is waiting[0]:
            await known.wait()

    first = await start_forwarder()
    monkeypatch.setattr(CommandStore, "wait_loaded", wait_loaded)
    second = await start_forwarder(until_ready=False)
    await eventually(lambda: waiting)
    third = await start_forwarder()
    await known_to(first, 1)
    assert [load.worker_id for load in worker_of(first).members.others()] == [third.worker_id]
    assert await second.check() == "waiting for the commands, the last reports and the other workers' heartbeats"
    known.set()
    await known_to(first, 2)
    assert await second.check() is None


async def test_a_worker_that_joins_is_given_its_part_and_then_nothing_moves(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    configs = cameras_of(6, make_gate)
    async with handing.forward(configs, rebalance_after_s=1) as (sim, first, cameras):
        second = await handing.start(rebalance_after_s=1)
        await eventually(lambda: len(worker_of(second).held) == 3, within_s=20)
        await all_acknowledged(handing.statuses, cameras)
        assert len(worker_of(first).held) == 3
        assert worker_of(first).handed_over == {"prepared": 3, "unprepared": 0, "given_back": 0}
        # Two signs of life later both know how it stands, and leave it so.
        centre = sim.centres["national"]
        packets = centre.streams["gate-0"].packets
        await centre.wait_for("gate-0", lambda stream: stream.packets > packets + 10 * 50, timeout_s=40)
        assert sum(worker_of(first).handed_over.values()) == 3
        assert sum(worker_of(second).handed_over.values()) == 0
        assert sum(centre.streams[config.id].sessions for config in configs) == 9


async def test_a_plan_that_changes_while_the_next_worker_prepares_is_what_it_carries_out(
    handing: Handing, make_gate: Callable[..., CameraConfig]
) -> None:
    seldom = [make_gate(gop_s=10.0, loop_s=20.0, starts_with_keyframe=False)]
    async with handing.forward(seldom) as (_, first, [camera]):
        second = await handing.start()
        await known_to(first, 1)
        first.stop()
        await eventually(lambda: worker_of(second)._handover_receiver.preparing == 1)
        changed = camera.model_copy(
            update={
                "revision": 2,
                "deliveries": (
                    camera.deliveries[0],
                    camera.deliveries[1].model_copy(update={"enabled": False}),
                ),
            }
        )
        await handing.inventory.publish(changed)
        await eventually(lambda: len(worker_of(second).held) == 1)

        async def as_changed() -> bool:
            seen = await handing.statuses.of(changed)
            return [(item.state.value, item.camera_revision) for item in seen] == [("acknowledged", 2), ("disabled", 2)]

        await eventually(as_changed, within_s=15)


async def test_a_stopped_delivery_stays_stopped_whoever_takes_the_camera(scene: Scene, bus: Bus) -> None:
    first = await scene.start()
    camera = scene.plan()
    stopped, runs = camera.deliveries
    order = DeliveryCommand(delivery_id=stopped.id, stopped=True, by="lan", reason="bảo trì", at=camera.changed_at)
    orders = Bucket(bus, topology.DELIVERY_COMMANDS)
    await orders.put(str(stopped.id), order.model_dump_json().encode())
    await scene.inventory.publish(camera)
    words = ["stopped", "acknowledged"]

    async def as_ordered() -> bool:
        seen = await scene.statuses.words(camera)
        assert seen == words, seen
        return True

    await eventually(as_ordered, within_s=15)
    second = await scene.start()
    await known_to(first, 1)
    first.stop()
    await eventually(lambda: len(worker_of(second).held) == 1)
    await eventually(as_ordered, within_s=15)
    assert stopped.destination_code not in {
        name for name, centre in scene.sim.centres.items() if "gate" in centre.streams
    }
    assert scene.sim.centres[runs.destination_code].streams["gate"].live
    # The camera goes, and its orders with it.
    await scene.inventory.remove(camera)

    async def forgotten() -> bool:
        return not await orders.get(str(stopped.id))

    await eventually(forgotten)


@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_who_asks_in_the_wrong_way_gets_no_answer(
    forwarder_bus: Bus, start_forwarder: StartForwarder, body: bytes
) -> None:
    process = await start_forwarder()
    subject = subjects.worker_handover(process.worker_id)

    async def heard_and_not_answered() -> bool:
        try:
            await forwarder_bus.client.request(subject, body, 0.2, headers={"Vonggac-Handover": "prepare"})
        except NoRespondersError:
            return False
        except TimeoutError:
            return True
        return pytest.fail("it was answered")

    await eventually(heard_and_not_answered)
    assert worker_of(process)._handover_receiver.preparing == 0
