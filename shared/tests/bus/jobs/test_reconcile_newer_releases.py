"""What a newer release published waits for a worker of that release; an older one never takes it away."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from vonggac.bus import Bus, EventConsumer, JobQueue, Received
from vonggac.bus.declared import topology
from vonggac.bus.jobs import DEAD_LETTERED, NOT_UNDERSTOOD
from vonggac.events import CloudEvent, MalformedEventError, NewerTypeError, NotUnderstoodError, decode, subjects
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

pytestmark = pytest.mark.server

type MakeCamera = Callable[..., CloudEvent[CameraV1]]

WORKERS = (
    (topology.PROBE_JOBS, topology.PROBER),
    (topology.DELIVERY_JOBS, topology.FORWARDER),
    (topology.VERIFY_JOBS, topology.VERIFIER),
)


def changed(event: CloudEvent[CameraV1], **attributes: Any) -> bytes:
    """The event as another release would have written it."""
    return json.dumps(json.loads(event.encode()) | attributes).encode()


async def pending(bus: Bus, stream: str, durable: str) -> tuple[int, int]:
    """Messages in the stream, and those that wait for their next delivery."""
    info = await bus.js.consumer_info(stream, durable)
    return (await bus.js.stream_info(stream)).state.messages, info.num_ack_pending or 0


async def dead_letters(bus: Bus) -> int:
    return int((await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages)


def test_a_newer_type_is_told_from_nonsense(camera_event: MakeCamera) -> None:
    event = camera_event()
    with pytest.raises(NewerTypeError):
        decode(changed(event, type="vn.vonggac.inventory.camera.v2"))
    with pytest.raises(NotUnderstoodError, match=r"data\.revision"):
        decode(changed(event, data={"id": event.subject}))
    for nonsense in (b"{}", changed(event, type="com.example.camera.v2")):
        with pytest.raises(MalformedEventError) as refused:
            decode(nonsense)
        assert not isinstance(refused.value, NotUnderstoodError)


@pytest.mark.parametrize(("stream", "durable"), WORKERS)
async def test_reconcile_a_newer_job_stays_in_its_queue(
    bus: Bus, camera_event: MakeCamera, stream: str, durable: str
) -> None:
    event, outcomes = camera_event(), list[str]()
    queue = JobQueue(bus, stream=stream, durable=durable, on_unreadable=outcomes.append)
    for attributes in ({"type": "vn.vonggac.inventory.camera.v2"}, {"data": {"id": event.subject}}):
        await bus.js.publish(subjects.inventory("camera", event.subject), changed(event, **attributes))
        assert await queue.fetch(1, wait_s=0.5) == []
        await eventually(lambda: pending_is(bus, stream, durable, (1, 1)))
    assert outcomes == [NOT_UNDERSTOOD, NOT_UNDERSTOOD]
    assert await dead_letters(bus) == 0
    await queue.close()


async def pending_is(bus: Bus, stream: str, durable: str, wanted: tuple[int, int]) -> bool:
    found = await pending(bus, stream, durable)
    assert found == wanted, found
    return True


async def test_reconcile_a_newer_worker_gets_what_an_older_one_put_back(
    bus: Bus, camera_event: MakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = camera_event()
    queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    body = changed(event, type="vn.vonggac.inventory.camera.v2")
    await bus.js.publish(subjects.inventory("camera", event.subject), body)
    assert await queue.fetch(1, wait_s=0.2) == []
    # The upgraded worker knows the type.
    monkeypatch.setitem(decode.__globals__["_BY_TYPE"], "vn.vonggac.inventory.camera.v2", CameraV1)
    [job] = await queue.fetch(1, wait_s=5)
    assert job.event.data == event.data
    await queue.close()


async def test_reconcile_what_is_no_event_is_counted_as_a_dead_letter(bus: Bus) -> None:
    outcomes: list[str] = []
    queue = JobQueue(
        bus, stream=topology.PROBE_JOBS, durable=topology.PROBER, on_unreadable=outcomes.append, keep_open=True
    )
    await bus.js.publish(subjects.inventory("camera", "x"), b"not an event")
    assert await queue.fetch(1, wait_s=0.5) == []
    assert outcomes == [DEAD_LETTERED]
    assert await dead_letters(bus) == 1
    await queue.close()


async def test_reconcile_a_consumer_of_events_waits_for_its_own_upgrade(
    bus: Bus, camera_event: MakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer, known, handled, waited = camera_event(), camera_event(), list[str](), list[None]()

    async def handle(batch: Sequence[Received]) -> None:
        handled.extend(received.event.subject for received in batch)

    consumer = EventConsumer(
        bus,
        stream=topology.INVENTORY,
        durable=topology.REPORTING_INVENTORY,
        handler=handle,
        transient=lambda _error: False,
        newer_delays_s=(0.1,),
        on_newer=lambda: waited.append(None),
    )
    task = asyncio.create_task(consumer.run())
    body = changed(newer, type="vn.vonggac.inventory.camera.v2")
    await bus.js.publish(subjects.inventory("camera", newer.subject), body)
    await bus.js.publish(subjects.inventory("camera", known.subject), known.encode())
    await eventually(lambda: handled == [known.subject] and len(waited) > 2)
    assert await dead_letters(bus) == 0
    monkeypatch.setitem(decode.__globals__["_BY_TYPE"], "vn.vonggac.inventory.camera.v2", CameraV1)
    await eventually(lambda: handled == [known.subject, newer.subject])
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
