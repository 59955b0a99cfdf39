"""Facts on their way to NATS: an overflow loses what it counts and nothing else, and no message blocks the others."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.aio.msg import Msg

from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.dead_letters import DeadLetters
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import outgoing_of
from vonggac.bus.messages.packed import BLOCK
from vonggac.bus.outgoing import MAX_TRIES, WINDOW
from vonggac.events import CloudEvent, decode, new_event, subjects
from vonggac.events.prober import ProberAliveV1
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.server


def heartbeat(worker: str) -> CloudEvent[ProberAliveV1]:
    now = datetime.now(UTC)
    data = ProberAliveV1(worker_id=worker, started_at=now, alive_at=now, probes_running=0)
    return new_event(data, source="/prober", subject=worker, time=now)


def queue_heartbeats(outgoing: Outgoing, first: int, last: int) -> None:
    for number in range(first, last):
        outgoing.queue_event(subjects.worker_heartbeat("forwarder", f"w{number}"), heartbeat(f"w{number}"))


async def stored_workers(bus: Bus) -> list[str]:
    """Whose heartbeats are in the stream, in its order."""
    info = await bus.js.stream_info(topology.OBSERVATIONS)
    found = []
    for sequence in range(1, info.state.last_seq + 1):
        message = await bus.js.get_msg(topology.OBSERVATIONS, sequence)
        found.append(decode(message.data or b"").subject)
    return found


class Halting:
    """Stands before the bus: the first publication waits until it is let go."""

    def __init__(self, bus: Bus) -> None:
        self.js, self.client, self.on_reconnect, self.connected = self, bus.client, bus.on_reconnect, True
        self._bus, self.reached, self.let_go = bus, asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus.js, name)

    async def publish_async(self, *arguments: Any, **options: Any) -> Awaitable[Any]:
        self.reached.set()
        await self.let_go.wait()
        return await self._bus.js.publish_async(*arguments, **options)


async def test_an_overflow_while_publishing_drops_what_waits_and_counts_it_right(bus: Bus) -> None:
    halting: Any = Halting(bus)
    outgoing = Outgoing(halting, max_queued=10)
    queue_heartbeats(outgoing, 0, 10)
    async with running_beside(outgoing.run()):
        await halting.reached.wait()
        # The ten are being published; of the next fifteen, five find no room.
        queue_heartbeats(outgoing, 10, 25)
        halting.let_go.set()
        assert await outgoing.drain(within_s=10) == 0
    expected = [f"w{number}" for number in [*range(10), *range(15, 25)]]
    assert await stored_workers(bus) == expected
    assert (outgoing.stored, outgoing.dropped) == (len(expected), 5)


async def test_what_waits_through_an_outage_is_packed_and_goes_out_in_order(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.bus.messages.queue.LOOSE", BLOCK)
    outgoing, thumbnail = Outgoing(bus, publisher="p", max_queued=8 * BLOCK), bytes(range(256)) * 60
    queue_heartbeats(outgoing, 0, 4 * BLOCK)
    outgoing.queue_value(topology.THUMBNAILS, "c", thumbnail)
    outgoing.queue_removal(topology.WORKERS, "w")
    queue_heartbeats(outgoing, 4 * BLOCK, 10 * BLOCK)
    assert (outgoing.waiting, outgoing.dropped) == (8 * BLOCK, 2 * BLOCK + 2)
    async with running_beside(outgoing.run()):
        assert await outgoing.flush(within_s=10)
        assert await outgoing.drain(within_s=10) == 0
    assert await stored_workers(bus) == [f"w{number}" for number in range(2 * BLOCK + 2, 10 * BLOCK)]
    assert await Bucket(bus, topology.THUMBNAILS).get("c") == thumbnail


async def test_a_flush_during_an_overflow_waits_for_what_was_queued_before_it(bus: Bus) -> None:
    halting: Any = Halting(bus)
    outgoing = Outgoing(halting, max_queued=3)
    queue_heartbeats(outgoing, 0, 3)
    async with running_beside(outgoing.run()):
        await halting.reached.wait()
        queue_heartbeats(outgoing, 3, 9)
        assert not await outgoing.flush(within_s=0.1)
        halting.let_go.set()
        assert await outgoing.flush(within_s=10)
        assert len(await stored_workers(bus)) == 6


async def test_a_refused_fact_becomes_a_dead_letter_and_blocks_nobody(bus: Bus) -> None:
    config = (await bus.js.stream_info(topology.OBSERVATIONS)).config
    config.max_msg_size = 2048
    await bus.js.update_stream(config)
    outgoing = Outgoing(bus)
    outgoing.queue_event(subjects.worker_heartbeat("forwarder", "big"), heartbeat("b" * 3000))
    queue_heartbeats(outgoing, 0, 2 * WINDOW)
    async with running_beside(outgoing.run()):
        assert await outgoing.drain(within_s=30) == 0
    assert sorted(await stored_workers(bus)) == sorted(f"w{number}" for number in range(2 * WINDOW))
    assert (outgoing.stored, outgoing.refused, outgoing.dropped) == (2 * WINDOW, 1, 0)
    [letter] = await DeadLetters(bus).page()
    assert (letter.stream, letter.durable, letter.subject) == (
        topology.OBSERVATIONS,
        outgoing_of(bus.user),
        subjects.worker_heartbeat("forwarder", "big"),
    )
    assert f"did not store it in {MAX_TRIES} tries" in letter.reason
    assert decode(letter.body).subject == "b" * 3000


async def test_a_fact_too_large_for_the_server_is_counted_and_blocks_nobody(bus: Bus) -> None:
    outgoing = Outgoing(bus)
    outgoing.queue_value(topology.THUMBNAILS, "c", b"x" * (2 << 20))
    queue_heartbeats(outgoing, 0, 3)
    async with running_beside(outgoing.run()):
        assert await outgoing.drain(within_s=30) == 0
    assert (await stored_workers(bus), outgoing.refused) == (["w0", "w1", "w2"], 1)


async def test_facts_wait_for_a_stream_that_is_away_however_often_they_are_tried(bus: Bus) -> None:
    await bus.js.delete_stream(topology.OBSERVATIONS)
    outgoing = Outgoing(bus)
    queue_heartbeats(outgoing, 0, 3)
    async with running_beside(outgoing.run()):
        assert await outgoing.drain(within_s=0.5 * (MAX_TRIES + 3)) == 3
        await topology.declare(bus.js)
        assert await outgoing.drain(within_s=20) == 0
    assert (outgoing.stored, outgoing.refused) == (3, 0)


async def test_facts_wait_for_their_stream_while_others_store_what_they_are_sent(bus: Bus) -> None:
    await bus.js.delete_stream(topology.OBSERVATIONS)
    outgoing = Outgoing(bus)
    queue_heartbeats(outgoing, 0, 2)
    outgoing.queue_value(topology.WORKERS, "prober-1", b"{}")
    outgoing.queue_live(subjects.camera_read_back("c"), b"{}")
    async with running_beside(outgoing.run()):
        assert await outgoing.drain(within_s=0.5 * (MAX_TRIES + 3)) == 4
        await topology.declare(bus.js)
        assert await outgoing.drain(within_s=20) == 0
    assert (await stored_workers(bus), outgoing.refused) == (["w0", "w1"], 0)
    assert await DeadLetters(bus).page() == []


async def test_facts_carry_their_publisher_and_a_sequence_without_gaps(bus: Bus) -> None:
    outgoing = Outgoing(bus, publisher="prober-1")
    queue_heartbeats(outgoing, 0, 3)
    outgoing.queue_value(topology.WORKERS, "prober-1", b"{}")
    queue_heartbeats(outgoing, 3, 5)
    async with running_beside(outgoing.run()):
        await outgoing.drain(within_s=10)
    found = []
    for number in range(5):
        message = await bus.js.get_last_msg(topology.OBSERVATIONS, subjects.worker_heartbeat("forwarder", f"w{number}"))
        event = decode(message.data or b"")
        found.append((event.publisher, event.publishersequence))
    assert found == [("prober-1", number) for number in range(1, 6)]
    assert await eventually(lambda: outgoing.stored == 6)


async def test_what_is_for_whoever_listens_now_goes_out_in_order_and_is_not_stored(bus: Bus) -> None:
    outgoing, heard = Outgoing(bus, publisher="prober-1"), list[str]()

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    live, heartbeats = subjects.camera_read_back("c"), subjects.worker_heartbeat("forwarder", "*")
    subscriptions = [await bus.client.subscribe(subject, cb=hear) for subject in (live, heartbeats)]
    queue_heartbeats(outgoing, 0, 1)
    outgoing.queue_live(live, b"{}")
    queue_heartbeats(outgoing, 1, 2)
    async with running_beside(outgoing.run()):
        await outgoing.drain(within_s=10)
    await eventually(lambda: len(heard) == 3)
    assert min(heard) == live
    assert await stored_workers(bus) == ["w0", "w1"]
    assert outgoing.kept == 2, "it is not published again"
    for subscription in subscriptions:
        await subscription.unsubscribe()


async def test_what_waits_has_the_age_of_its_oldest(bus: Bus) -> None:
    now_s = 100.0
    outgoing = Outgoing(bus, clock=lambda: now_s)
    assert outgoing.oldest_age_s == 0
    queue_heartbeats(outgoing, 0, 1)
    now_s = 107.0
    queue_heartbeats(outgoing, 1, 3)
    now_s = 110.0
    assert outgoing.oldest_age_s == 10
    async with running_beside(outgoing.run()):
        await eventually(lambda: not outgoing.waiting)
    assert outgoing.oldest_age_s == 0
