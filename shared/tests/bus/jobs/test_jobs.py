"""The work queue against a real server: jobs come back, are held, replaced and removed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from vonggac.bus import Bus, JobQueue
from vonggac.bus.declared import topology
from vonggac.events import CloudEvent, new_event, subjects
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.events.traces import new_trace, within_trace
from vonggac.testing import eventually

type PublishState = Callable[[Bus, CloudEvent[CameraV1] | CloudEvent[RemovedV1]], Awaitable[None]]
type MakeCamera = Callable[..., CloudEvent[CameraV1]]


@pytest_asyncio.fixture
async def queue(bus: Bus) -> AsyncIterator[JobQueue]:
    jobs = JobQueue(bus, stream=topology.DELIVERY_JOBS, durable=topology.FORWARDER)
    yield jobs
    await jobs.close()


async def test_a_camera_becomes_a_job_for_each_worker_kind(
    bus: Bus, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    event = camera_event()
    await publish_state(bus, event)
    for stream, durable in ((topology.PROBE_JOBS, topology.PROBER), (topology.DELIVERY_JOBS, topology.FORWARDER)):
        queue = JobQueue(bus, stream=stream, durable=durable)
        [job] = await queue.fetch(10)
        assert job.event == event
        await queue.close()


async def test_a_job_put_back_comes_again_after_its_delay(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    await publish_state(bus, camera_event())
    [job] = await queue.fetch(1)
    before = time.monotonic()
    await job.postpone(0.3)
    [again] = await queue.fetch(1)
    assert 0.25 <= time.monotonic() - before < 3
    assert again.deliveries == 2


async def test_a_changed_camera_replaces_its_job_and_comes_at_once(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    camera_id = uuid4()
    await publish_state(bus, camera_event(camera_id))
    [job] = await queue.fetch(1)
    await job.postpone(3600)
    await publish_state(bus, camera_event(camera_id, revision=2))
    [new] = await queue.fetch(10)
    assert isinstance(new.event.data, CameraV1)
    assert new.event.data.revision == 2
    assert (await bus.js.stream_info(topology.DELIVERY_JOBS)).state.messages == 1


async def test_a_held_job_stays_with_its_holder_and_a_dropped_one_goes_to_the_next(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    await publish_state(bus, camera_event())
    [job] = await queue.fetch(1)
    deadline = time.monotonic() + topology.DELIVERY_ACK_WAIT_S * 1.5
    while time.monotonic() < deadline:
        await job.keep_in_progress()
        assert await queue.fetch(1, wait_s=topology.DELIVERY_ACK_WAIT_S / 3) == []
    [next_holder] = await queue.fetch(1, wait_s=topology.DELIVERY_ACK_WAIT_S * 2)
    assert next_holder.event == job.event


async def test_a_job_given_back_is_offered_at_once(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    await publish_state(bus, camera_event())
    [job] = await queue.fetch(1)
    before = time.monotonic()
    await job.release()
    assert len(await queue.fetch(1)) == 1
    assert time.monotonic() - before < 1


async def test_a_tombstone_is_acked_and_the_job_is_gone(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    event = camera_event()
    await publish_state(bus, event)
    [job] = await queue.fetch(1)
    now = datetime.now(UTC)
    removed = RemovedV1(id=event.data.id, noun="camera", revision=2, removed_at=now)
    await publish_state(bus, new_event(removed, source="/inventory", subject=event.subject, time=now))
    [tombstone] = await queue.fetch(1)
    assert isinstance(tombstone.event.data, RemovedV1)
    await tombstone.complete()
    await job.complete()

    async def empty() -> bool:
        return (await bus.js.stream_info(topology.DELIVERY_JOBS)).state.messages == 0

    await eventually(empty)


async def test_a_message_that_is_no_event_is_kept_with_its_reason(bus: Bus, queue: JobQueue) -> None:
    await bus.js.publish(subjects.inventory("camera", "x"), b"not an event")
    assert await queue.fetch(1) == []
    letter = subjects.dead_letter(topology.DELIVERY_JOBS, topology.FORWARDER)
    kept = await bus.js.get_last_msg(topology.DEAD_LETTERS, letter)
    assert kept.data == b"not an event"
    assert kept.headers is not None
    assert "JSON" in kept.headers["Vonggac-Reason"]
    assert await queue.fetch(1, wait_s=0.1) == []


@pytest.mark.parametrize("most", [1, 50])
async def test_fetch_on_an_empty_queue_gives_nothing(queue: JobQueue, most: int) -> None:
    assert await queue.fetch(most, wait_s=0.2) == []


async def test_declaring_twice_touches_nothing(bus: Bus) -> None:
    assert await topology.declare(bus.js) == []
    assert await topology.missing(bus.js) == []


async def test_a_probe_job_that_was_given_to_nobody_comes_within_seconds(
    bus: Bus, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    """As a NATS that slept gives it, when it wakes, to a connection that is gone: nobody misses it by himself."""
    await publish_state(bus, camera_event())
    queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    inbox = bus.client.new_inbox()
    gone = await bus.client.subscribe(inbox)
    await bus.client.publish(subjects.next_messages(topology.PROBE_JOBS, topology.PROBER), b'{"batch": 1}', reply=inbox)
    assert (await gone.next_msg(timeout=5.0)).reply
    await gone.unsubscribe()
    given_s, come = time.monotonic(), 0
    while not come:
        come = len(await queue.fetch(1, wait_s=1.0))
        assert time.monotonic() - given_s < 15.0
    await queue.close()


async def test_a_job_that_a_request_caused_is_logged_with_its_trace_and_once(
    bus: Bus, queue: JobQueue, publish_state: PublishState, camera_event: MakeCamera
) -> None:
    trace = new_trace()
    with within_trace(trace):
        event = camera_event()
    assert event.traceparent == trace.traceparent
    await publish_state(bus, event)
    with capture_logs() as logged:
        [job] = await queue.fetch(1)
        await job.postpone(0.2)
        await queue.fetch(1)
    lines = [one for one in logged if one["event"] == "traced_job_fetched"]
    assert [one["trace_id"] for one in lines] == [trace.trace_id]
