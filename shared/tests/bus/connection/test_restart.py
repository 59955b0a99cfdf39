"""A nats-server that goes away and comes back: nothing queued is lost, consumers come back by themselves."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from vonggac.bus import Bus, EventConsumer, Outgoing, Received
from vonggac.bus import outgoing as sending
from vonggac.bus.declared import topology
from vonggac.bus.events import Handler, Transient
from vonggac.events import CloudEvent, new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import ProberAliveV1
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt
from vonggac.testing.processes import ForgetfulServer

pytestmark = pytest.mark.server


def heartbeat(worker: str) -> CloudEvent[ProberAliveV1]:
    now = datetime.now(UTC)
    data = ProberAliveV1(worker_id=worker, started_at=now, alive_at=now, probes_running=0)
    return new_event(data, source="/prober", subject=worker, time=now)


def consumer_of_cameras(
    bus: Bus, handler: Handler, *delays_s: float, transient: Transient = lambda _error: False
) -> EventConsumer:
    """As reporting's; by default every error is one that no retry saves."""
    return EventConsumer(
        bus,
        stream=topology.INVENTORY,
        durable=topology.REPORTING_INVENTORY,
        handler=handler,
        transient=transient,
        delays_s=delays_s,
    )


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_observations_published_while_nats_is_away_arrive_in_order(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus
) -> None:
    seen: list[str] = []

    async def handle(batch: Sequence[Received]) -> None:
        seen.extend(received.event.subject for received in batch)

    outgoing = Outgoing(forgetful_bus)
    consumer = EventConsumer(
        forgetful_bus,
        stream=topology.OBSERVATIONS,
        durable=topology.REPORTING_OBSERVATIONS,
        handler=handle,
        transient=lambda _error: False,
    )
    tasks = [asyncio.create_task(outgoing.run()), asyncio.create_task(consumer.run())]
    expected = [f"w{number}" for number in range(60)]
    for worker in expected[:20]:
        outgoing.queue_event(subjects.worker_heartbeat("prober", worker), heartbeat(worker))
    await eventually(lambda: seen == expected[:20])
    await asyncio.to_thread(forgetful_server.kill)
    for worker in expected[20:]:
        outgoing.queue_event(subjects.worker_heartbeat("prober", worker), heartbeat(worker))
    await eventually(lambda: not forgetful_bus.connected)
    assert await forgetful_bus.check() == "NATS is not connected"
    assert outgoing.waiting == 40
    await asyncio.to_thread(forgetful_server.start)
    assert await outgoing.drain(within_s=20) == 0
    await eventually(lambda: len(set(seen)) == 60, within_s=20)
    # A killed server may deliver again what was acked just before: at least once, so each once after the inbox.
    assert list(dict.fromkeys(seen)) == expected
    for task in tasks:
        await cancelled(task)


async def test_facts_arrive_after_any_number_of_tries_while_nats_was_away(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nats-py has room for so many that are not answered yet, and keeps it for each that its buffer does not hold."""
    usual = {name: getattr(sending, name) for name in ("RETRY_AFTER_S", "STORE_WITHIN_S", "OTHERS_WITHIN_S")}
    for name in usual:
        monkeypatch.setattr(sending, name, 0.01)
    tries, send = 0, Outgoing._send

    async def counted(self: Outgoing, message: Any) -> Any:
        nonlocal tries
        tries += 1
        return await send(self, message)

    monkeypatch.setattr(Outgoing, "_send", counted)
    forgetful_bus.js = forgetful_bus.client.jetstream(timeout=5, publish_async_max_pending=2 * sending.WINDOW)
    outgoing = Outgoing(forgetful_bus)
    running = asyncio.create_task(outgoing.run())
    outgoing.queue_value(topology.LOGIN_FAILURES, "before", b"1")
    assert await outgoing.drain(within_s=10) == 0
    await asyncio.to_thread(forgetful_server.kill)
    await eventually(lambda: not forgetful_bus.connected)
    for number in range(sending.WINDOW):
        outgoing.queue_value(topology.LOGIN_FAILURES, f"key-{number}", bytes(20_000))
    # More than nats-py has room for.
    await eventually(lambda: tries > 3 * sending.WINDOW, within_s=30)
    # A server that is busy needs longer to answer.
    for name, seconds in usual.items():
        monkeypatch.setattr(sending, name, seconds)
    await asyncio.to_thread(forgetful_server.start)
    assert await outgoing.drain(within_s=30) == 0
    await cancelled(running)


async def test_what_the_bounded_queue_cannot_hold_is_counted(forgetful_bus: Bus) -> None:
    outgoing = Outgoing(forgetful_bus, max_queued=3)
    for number in range(5):
        outgoing.queue_event(subjects.worker_heartbeat("prober", f"w{number}"), heartbeat(f"w{number}"))
    assert (outgoing.waiting, outgoing.dropped) == (3, 2)


async def test_a_poisonous_event_becomes_a_dead_letter_and_delays_no_other(
    bus: Bus, camera_event: Callable[..., CloudEvent[CameraV1]]
) -> None:
    good, bad = camera_event(), camera_event()
    handled: list[str] = []

    async def handle(batch: Sequence[Received]) -> None:
        if any(received.event.id == bad.id for received in batch):
            message = "cannot be stored"
            raise ValueError(message)
        handled.extend(received.event.id for received in batch)

    for event in (bad, good):
        await bus.js.publish(subjects.inventory("camera", event.subject), event.encode())
    task = asyncio.create_task(consumer_of_cameras(bus, handle, 0.05, 0.05).run())
    await eventually(lambda: handled == [good.id])

    async def dead_lettered() -> bool:
        return (await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages == 1

    async def nothing_is_left() -> bool:
        info = await bus.js.consumer_info(topology.INVENTORY, topology.REPORTING_INVENTORY)
        return (info.num_pending, info.num_ack_pending) == (0, 0)

    await eventually(dead_lettered)
    await eventually(nothing_is_left)
    await cancelled(task)


async def test_an_event_is_retried_for_as_long_as_what_it_needs_is_away(
    bus: Bus, camera_event: Callable[..., CloudEvent[CameraV1]]
) -> None:
    attempts: list[int] = []

    async def handle(batch: Sequence[Received]) -> None:
        attempts.append(len(batch))
        if len(attempts) < 5:
            raise ConnectionError

    event = camera_event()
    await bus.js.publish(subjects.inventory("camera", event.subject), event.encode())
    consumer = consumer_of_cameras(bus, handle, 0.02, 0.02, transient=lambda error: isinstance(error, ConnectionError))
    task = asyncio.create_task(consumer.run())
    await eventually(lambda: len(attempts) == 5)
    assert (await bus.js.stream_info(topology.DEAD_LETTERS)).state.messages == 0
    await cancelled(task)


async def test_closing_in_order_is_no_disconnection_to_warn_of(forgetful_server: ForgetfulServer) -> None:
    with capture_logs() as logs:
        lost = await Bus.connect(NatsAt(forgetful_server.url), name="lost")
        closed = await Bus.connect(NatsAt(forgetful_server.url), name="closed")
        await closed.close()
        forgetful_server.kill()
        await eventually(lambda: not lost.connected)
        await eventually(lambda: bool(logs))
        await lost.close()
    assert [entry["client"] for entry in logs if entry["event"] == "bus_disconnected"] == ["lost"]


async def test_a_flush_waits_for_what_was_queued_before_it_alone(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus
) -> None:
    outgoing = Outgoing(forgetful_bus)
    subject = subjects.worker_heartbeat("prober", "w")
    assert await outgoing.flush(within_s=0)
    outgoing.queue_event(subject, heartbeat("w"))
    assert not await outgoing.flush(within_s=0.01)
    flushing = asyncio.create_task(outgoing.flush(within_s=10))
    await asyncio.sleep(0)
    forgetful_server.kill()
    outgoing.queue_event(subject, heartbeat("w"))
    running = asyncio.create_task(outgoing.run())
    assert not flushing.done()
    forgetful_server.start()
    assert await flushing
    assert outgoing.stored >= 1
    await cancelled(running)


async def test_one_bad_event_of_a_batch_costs_a_few_parts_and_not_one_by_one(
    bus: Bus, camera_event: Callable[..., CloudEvent[CameraV1]]
) -> None:
    events = [camera_event() for _ in range(64)]
    bad, calls, handled = events[17], [0], set[str]()

    async def handle(batch: Sequence[Received]) -> None:
        calls[0] += 1
        if any(received.event.id == bad.id for received in batch):
            message = "cannot be stored"
            raise ValueError(message)
        handled.update(received.event.id for received in batch)

    for event in events:
        await bus.js.publish(subjects.inventory("camera", event.subject), event.encode())
    task = asyncio.create_task(consumer_of_cameras(bus, handle, 60.0).run())
    await eventually(lambda: len(handled) == 63)
    assert calls[0] <= 16
    await cancelled(task)
