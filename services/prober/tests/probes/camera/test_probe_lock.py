"""A look that a person asks for and the looks of other probers never meet at a camera."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.messaging import CameraStatuses
from prober.probes.camera.observer import Observation
from prober.probes.camera.probe_lock import Turns
from prober.probes.camera.prober import NotNow
from vonggac.bus import Bus
from vonggac.events.prober import CameraObservedV1
from vonggac.testing import eventually


@asynccontextmanager
async def running(bus: Bus, *turns: Turns) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in turns]
    await asyncio.sleep(0)
    await bus.client.flush()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def observer_of(prober: Any) -> Any:
    await eventually(lambda: prober.process.observer is not None)
    return prober.process.observer


async def test_a_look_that_is_asked_for_waits_for_another_probers_look(
    probe: Any, planner: Any, simulate: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    first, second = await observer_of(await probe()), await observer_of(await probe())
    await gate.set_fault("black_hole")
    camera = await planner.camera(gate.url(), probe_timeout_s=4.0)
    await eventually(lambda: first.is_looking(camera.id) or second.is_looking(camera.id))
    idle = second if first.is_looking(camera.id) else first
    assert isinstance(await idle.observe(camera, asked_for=True), NotNow)
    await gate.clear_fault()
    await observed.look(camera.id)
    assert isinstance(await idle.observe(camera, asked_for=True), Observation)


async def test_other_probers_leave_a_camera_alone_while_it_is_looked_at_for_a_person(bus: Bus) -> None:
    camera_id = uuid4()
    now = [100.0]
    one, other = (Turns(bus, worker_id=name, is_looking=lambda _: False, clock=lambda: now[0]) for name in "ab")
    async with running(bus, one, other):
        async with one.take(camera_id, lasts_s=10.0) as taken:
            assert taken
            assert other.is_others(camera_id)
            assert not one.is_others(camera_id)
            async with other.take(camera_id, lasts_s=10.0) as taken_too:
                assert not taken_too
        await eventually(lambda: not other.is_others(camera_id))


async def test_a_prober_that_looks_now_objects(bus: Bus) -> None:
    camera_id = uuid4()
    one = Turns(bus, worker_id="a", is_looking=lambda _: False)
    other = Turns(bus, worker_id="b", is_looking=lambda looked_at: looked_at == camera_id)
    async with running(bus, one, other), one.take(camera_id, lasts_s=10.0) as taken:
        assert not taken


async def test_a_turn_of_a_prober_that_died_ends_by_itself(bus: Bus) -> None:
    camera_id = uuid4()
    now = [100.0]
    other = Turns(bus, worker_id="b", is_looking=lambda _: False, clock=lambda: now[0])
    async with running(bus, other):
        await bus.client.publish(f"prober.turn.{camera_id}", b'{"worker_id": "a", "lasts_s": 10}')
        await eventually(lambda: other.is_others(camera_id))
        now[0] += 10.0
        assert not other.is_others(camera_id)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"worker_id": "a", "lasts_s": -1}'])
async def test_a_malformed_turn_is_passed_over(bus: Bus, body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    other = Turns(bus, worker_id="b", is_looking=lambda _: False)
    async with running(bus, other):
        await bus.client.publish(f"prober.turn.{uuid4()}", body)
        await eventually(lambda: "turn_malformed" in capsys.readouterr().out)


async def test_another_probers_turn_is_told_at_its_beginning_and_its_end(bus: Bus) -> None:
    camera_id = uuid4()
    told: list[UUID] = []
    one = Turns(bus, worker_id="a", is_looking=lambda _: False)
    other = Turns(bus, worker_id="b", is_looking=lambda _: False, on_others=told.append)
    async with running(bus, one, other):
        async with one.take(camera_id, lasts_s=10.0):
            await eventually(lambda: told == [camera_id])
        await eventually(lambda: told == [camera_id, camera_id])


class SlowStatuses:
    """What is remembered of the cameras, told only when `answer` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        last = CameraStatuses.last

        async def slowly(statuses: CameraStatuses, camera_id: UUID) -> CameraObservedV1 | None:
            self.asked.set()
            await self.answer.wait()
            return await last(statuses, camera_id)

        monkeypatch.setattr(CameraStatuses, "last", slowly)


@pytest.mark.parametrize("asked_for", [False, True])
async def test_another_look_keeps_away_while_what_is_remembered_is_still_being_read(
    probe: Any, planner: Any, simulate: Any, observed: Any, monkeypatch: pytest.MonkeyPatch, asked_for: bool
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    observer = await observer_of(await probe())
    camera = await planner.camera(gate.url(), probe_interval_s=600.0)
    await observed.look(camera.id)
    await eventually(lambda: not observer.is_looking(camera.id))
    changed = camera.model_copy(update={"revision": 2})
    slow = SlowStatuses(monkeypatch)
    first = asyncio.create_task(observer.observe(changed, asked_for=not asked_for))
    await slow.asked.wait()
    slow.asked.clear()
    second = asyncio.create_task(observer.observe(changed, asked_for=asked_for))
    await eventually(lambda: second.done() or slow.asked.is_set())
    slow.answer.set()
    assert [type(one) for one in await asyncio.gather(first, second)] == [Observation, NotNow]


async def test_a_prober_objects_while_it_still_reads_what_is_remembered(
    probe: Any, planner: Any, simulate: Any, observed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    first, second = await observer_of(await probe()), await observer_of(await probe())
    camera = await planner.camera(gate.url(), probe_interval_s=600.0)
    await observed.look(camera.id)
    await eventually(lambda: not (first.is_looking(camera.id) or second.is_looking(camera.id)))
    slow = SlowStatuses(monkeypatch)
    scheduled = asyncio.create_task(first.observe(camera.model_copy(update={"revision": 2})))
    await slow.asked.wait()
    slow.asked.clear()
    asked = asyncio.create_task(second.observe(camera, asked_for=True))
    await eventually(lambda: asked.done() or slow.asked.is_set())
    slow.answer.set()
    assert [type(one) for one in await asyncio.gather(scheduled, asked)] == [Observation, NotNow]
