"""A pull consumer against a real server: with a request that stays open, and with one for each fetch."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

import pytest
import pytest_asyncio

from vonggac.bus import Bus, Job, JobQueue, PullConsumer
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import CloudEvent
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt

type PublishState = Callable[[Bus, CloudEvent[CameraV1]], Awaitable[None]]
type MakeCamera = Callable[..., CloudEvent[CameraV1]]


def open_queue(bus: Bus, *, keep_open: bool = True) -> JobQueue:
    return JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER, keep_open=keep_open)


@pytest_asyncio.fixture
async def queue(bus: Bus) -> AsyncIterator[JobQueue]:
    jobs = open_queue(bus)
    yield jobs
    await jobs.close()


async def collect(queue: JobQueue, count: int, *, room: int = 100) -> list[Job]:
    """Fetch until `count` jobs came."""
    jobs: list[Job] = []
    async with asyncio.timeout(20):
        while len(jobs) < count:
            jobs += await queue.fetch(room, wait_s=1.0)
    return jobs


async def test_jobs_come_once_each_and_again_after_their_delay(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    for _ in range(5):
        await publish_state(bus, camera_event())
    jobs = await collect(queue, 5)
    assert len({job.event.subject for job in jobs}) == 5
    before = time.monotonic()
    for job in jobs:
        await job.postpone(0.3)
    again = await collect(queue, 5)
    assert time.monotonic() - before >= 0.25
    assert {job.deliveries for job in again} == {2}


async def test_a_job_that_comes_while_nobody_fetches_is_there_at_the_next_fetch(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    assert await queue.fetch(2, wait_s=0.05) == []
    await publish_state(bus, camera_event())
    [job] = await collect(queue, 1)
    assert job.deliveries == 1


async def test_never_more_jobs_are_on_their_way_than_there_is_room_for(
    bus: Bus, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    for _ in range(10):
        await publish_state(bus, camera_event())
    pull = PullConsumer(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER, keep_open=True)
    came = await pull.fetch(3, wait_s=5.0)
    while len(came) < 3:
        came += await pull.fetch(3 - len(came), wait_s=5.0)
    info = await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
    assert (info.num_ack_pending, info.num_pending) == (3, 7)
    await pull.close()
    info = await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
    assert info.num_ack_pending == 3


async def test_what_came_and_was_not_begun_goes_to_the_next_at_once(
    bus: Bus, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    for _ in range(4):
        await publish_state(bus, camera_event())
    first, second = open_queue(bus), open_queue(bus)
    begun = await first.fetch(4, wait_s=5.0)

    async def all_sent() -> bool:
        info = await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
        return bool(info.num_pending == 0)

    await eventually(all_sent)
    before = time.monotonic()
    await first.close()
    for job in begun:
        await job.release()
    assert len(await collect(second, 4)) == 4
    assert time.monotonic() - before < 5, "the ack wait is 30 s"
    await second.close()


async def test_an_expired_request_is_made_anew(bus: Bus, publish_state: PublishState, camera_event: MakeCamera) -> None:
    pull = PullConsumer(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER, keep_open=True, expires_s=0.3)
    assert await pull.fetch(2, wait_s=1.0) == []
    await publish_state(bus, camera_event(uuid4()))
    assert len(await pull.fetch(2, wait_s=5.0)) == 1
    await pull.close()


@pytest.mark.server
@pytest.mark.parametrize("keep_open", [True, False])
async def test_jobs_come_again_after_the_server_was_restarted(
    tmp_path: Path, publish_state: PublishState, camera_event: MakeCamera, *, keep_open: bool
) -> None:
    server = NatsServer(tmp_path / "nats", free_port())
    server.start()
    bus = await Bus.connect(NatsAt(server.url), name="test")
    try:
        await topology.declare(bus.js)
        queue = open_queue(bus, keep_open=keep_open)
        assert await queue.fetch(2, wait_s=0.05) == []
        server.stop()
        server.start()
        await eventually(lambda: bus.connections == 2)
        await publish_state(bus, camera_event())
        assert len(await collect(queue, 1)) == 1
        await queue.close()
    finally:
        await bus.close()
        server.stop()


@pytest.mark.parametrize("keep_open", [True, False])
async def test_fetches_that_end_empty_leave_nothing_behind(bus: Bus, *, keep_open: bool) -> None:
    consumer = PullConsumer(
        bus, stream=topology.OBSERVATIONS, durable=topology.REPORTING_OBSERVATIONS, keep_open=keep_open
    )
    assert await consumer.fetch(10, wait_s=0.1) == []
    gc.collect()
    gc.disable()
    # Other tests of this process may have kept tasks of theirs.
    before = WeakSet(finished_tasks())
    try:
        for _ in range(5):
            assert await consumer.fetch(10, wait_s=0.1) == []
        await eventually(lambda: not [one for one in finished_tasks() if one not in before])
    finally:
        gc.enable()


def finished_tasks() -> list[asyncio.Task[object]]:
    return [one for one in gc.get_objects() if type(one) is asyncio.Task and one.done()]


async def test_between_two_fetches_nothing_comes_unless_the_request_stays_open(
    bus: Bus, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    consumer = PullConsumer(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    assert await consumer.fetch(10, wait_s=0.1) == []
    for _ in range(3):
        await publish_state(bus, camera_event())

    async def queued() -> bool:
        return bool((await consumer.info()).num_pending == 3)

    await eventually(queued)
    assert (await consumer.info()).num_ack_pending == 0
    assert len(await consumer.fetch(10)) == 3
    await consumer.close()
