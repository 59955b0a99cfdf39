"""A probe that a person asks for and the probes of other probers never meet at a camera."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.messaging import CameraStatuses
from prober.probes.camera.observer import Observation
from prober.probes.camera.probe_lock import ProbeLock
from prober.probes.camera.prober import NotNow
from vonggac.bus import Bus
from vonggac.events import subjects
from vonggac.events.prober import CameraObservedV1
from vonggac.testing import eventually
from vonggac.testing.waiting import flush_all


@asynccontextmanager
async def running(bus: Bus, *locks: ProbeLock) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in locks]
    await asyncio.sleep(0)
    await flush_all(bus.client)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def observer_of(prober: Any) -> Any:
    await eventually(lambda: prober.process.observer is not None)
    return prober.process.observer


async def test_a_probe_that_is_on_demand_waits_for_another_probers_probe(
    start_prober: Any, planner: Any, simulate: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    first, second = await observer_of(await start_prober()), await observer_of(await start_prober())
    await gate.set_fault("black_hole")
    camera = await planner.camera(gate.url(), probe_timeout_s=4.0)
    await eventually(lambda: first.is_probing(camera.id) or second.is_probing(camera.id))
    idle = second if first.is_probing(camera.id) else first
    assert isinstance(await idle.observe(camera, on_demand=True), NotNow)
    await gate.clear_fault()
    await observed.observation(camera.id)
    assert isinstance(await idle.observe(camera, on_demand=True), Observation)


async def test_other_probers_leave_a_camera_alone_while_it_is_probed_for_a_person(bus: Bus) -> None:
    camera_id = uuid4()
    now = [100.0]
    one, other = (ProbeLock(bus, worker_id=name, is_probing=lambda _: False, clock=lambda: now[0]) for name in "ab")
    async with running(bus, one, other):
        async with one.lock(camera_id, lasts_s=10.0) as locked:
            assert locked
            assert other.is_locked_elsewhere(camera_id)
            assert not one.is_locked_elsewhere(camera_id)
            async with other.lock(camera_id, lasts_s=10.0) as locked_too:
                assert not locked_too
        await eventually(lambda: not other.is_locked_elsewhere(camera_id))


async def test_a_prober_that_probes_now_objects(bus: Bus) -> None:
    camera_id = uuid4()
    one = ProbeLock(bus, worker_id="a", is_probing=lambda _: False)
    other = ProbeLock(bus, worker_id="b", is_probing=lambda probed: probed == camera_id)
    async with running(bus, one, other), one.lock(camera_id, lasts_s=10.0) as locked:
        assert not locked


async def test_a_lock_of_a_prober_that_died_ends_by_itself(bus: Bus) -> None:
    camera_id = uuid4()
    now = [100.0]
    other = ProbeLock(bus, worker_id="b", is_probing=lambda _: False, clock=lambda: now[0])
    async with running(bus, other):
        await bus.client.publish(subjects.probe_lock(camera_id), b'{"worker_id": "a", "lasts_s": 10}')
        await eventually(lambda: other.is_locked_elsewhere(camera_id))
        now[0] += 10.0
        assert not other.is_locked_elsewhere(camera_id)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"worker_id": "a", "lasts_s": -1}'])
async def test_a_malformed_lock_is_passed_over(bus: Bus, body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    other = ProbeLock(bus, worker_id="b", is_probing=lambda _: False)
    async with running(bus, other):
        await bus.client.publish(subjects.probe_lock(uuid4()), body)
        await eventually(lambda: "probe_lock_malformed" in capsys.readouterr().out)


async def test_another_probers_lock_is_heard_at_its_beginning_and_its_end(bus: Bus) -> None:
    camera_id = uuid4()
    heard: list[UUID] = []
    one = ProbeLock(bus, worker_id="a", is_probing=lambda _: False)
    other = ProbeLock(bus, worker_id="b", is_probing=lambda _: False, on_probed_elsewhere=heard.append)
    async with running(bus, one, other):
        async with one.lock(camera_id, lasts_s=10.0):
            await eventually(lambda: heard == [camera_id])
        await eventually(lambda: heard == [camera_id, camera_id])


class SlowStatuses:
    """The statuses of the cameras, read only once `answer` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        last = CameraStatuses.last

        async def slowly(statuses: CameraStatuses, camera_id: UUID) -> CameraObservedV1 | None:
            self.asked.set()
            await self.answer.wait()
            return await last(statuses, camera_id)

        monkeypatch.setattr(CameraStatuses, "last", slowly)


@pytest.mark.parametrize("on_demand", [False, True])
async def test_another_probe_keeps_away_while_what_is_remembered_is_still_being_read(
    start_prober: Any, planner: Any, simulate: Any, observed: Any, monkeypatch: pytest.MonkeyPatch, on_demand: bool
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    observer = await observer_of(await start_prober())
    camera = await planner.camera(gate.url(), probe_interval_s=600.0)
    await observed.observation(camera.id)
    await eventually(lambda: not observer.is_probing(camera.id))
    changed = camera.model_copy(update={"revision": 2})
    slow = SlowStatuses(monkeypatch)
    first = asyncio.create_task(observer.observe(changed, on_demand=not on_demand))
    await slow.asked.wait()
    slow.asked.clear()
    second = asyncio.create_task(observer.observe(changed, on_demand=on_demand))
    await eventually(lambda: second.done() or slow.asked.is_set())
    slow.answer.set()
    assert [type(one) for one in await asyncio.gather(first, second)] == [Observation, NotNow]


async def test_a_prober_objects_while_it_still_reads_what_is_remembered(
    start_prober: Any, planner: Any, simulate: Any, observed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    first, second = await observer_of(await start_prober()), await observer_of(await start_prober())
    camera = await planner.camera(gate.url(), probe_interval_s=600.0)
    await observed.observation(camera.id)
    await eventually(lambda: not (first.is_probing(camera.id) or second.is_probing(camera.id)))
    slow = SlowStatuses(monkeypatch)
    scheduled = asyncio.create_task(first.observe(camera.model_copy(update={"revision": 2})))
    await slow.asked.wait()
    slow.asked.clear()
    asked = asyncio.create_task(second.observe(camera, on_demand=True))
    await eventually(lambda: asked.done() or slow.asked.is_set())
    slow.answer.set()
    assert [type(one) for one in await asyncio.gather(scheduled, asked)] == [Observation, NotNow]
