"""A NATS that comes back with an old disk: what it acknowledged and forgot is published again."""

import asyncio
import tracemalloc
from datetime import UTC, datetime

import pytest
from nats.js.api import PubAck

from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.bus.kept_messages import BLOCK, KEPT_S, KeptMessages, Message
from vonggac.events import CloudEvent, decode, new_event, subjects
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.events.prober import ProberAliveV1
from vonggac.testing import eventually
from vonggac.testing.processes import ForgetfulServer
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.server


def heartbeat(worker: str) -> CloudEvent[ProberAliveV1]:
    now = datetime.now(UTC)
    data = ProberAliveV1(worker_id=worker, started_at=now, alive_at=now, probes_running=0)
    return new_event(data, source="/prober", subject=worker, time=now)


def publish(outgoing: Outgoing, first: int, last: int) -> None:
    for number in range(first, last):
        outgoing.queue_event(subjects.worker_heartbeat("forwarder", f"w{number}"), heartbeat(f"w{number}"))
        outgoing.queue_value(topology.WORKERS, f"w{number}", b"%d" % number)


async def workers_seen(bus: Bus) -> set[str]:
    info = await bus.js.stream_info(topology.OBSERVATIONS)
    seen = set()
    for sequence in range(info.state.first_seq or 1, info.state.last_seq + 1):
        seen.add(decode((await bus.js.get_msg(topology.OBSERVATIONS, sequence)).data or b"").subject)
    return seen


async def all_there(bus: Bus, count: int) -> bool:
    wanted = {f"w{number}" for number in range(count)}
    seen = await workers_seen(bus)
    assert seen >= wanted, sorted(wanted - seen)
    values = await Bucket(bus, topology.WORKERS).all()
    assert values.keys() >= wanted
    return True


@pytest.mark.parametrize("silent", [False, True], ids=["publishing on", "silent since"])
async def test_amnesia_of_nats_loses_no_fact(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus, silent: bool
) -> None:
    outgoing = Outgoing(forgetful_bus, publisher="p")
    async with running_beside(outgoing.run()):
        publish(outgoing, 0, 20)
        assert await outgoing.drain(within_s=10) == 0
        await asyncio.to_thread(forgetful_server.remember)
        publish(outgoing, 20, 60)
        assert await outgoing.drain(within_s=10) == 0
        await asyncio.to_thread(forgetful_server.forget)
        await eventually(lambda: forgetful_bus.connected)
        if not silent:
            publish(outgoing, 60, 70)
        await eventually(lambda: all_there(forgetful_bus, 60 if silent else 70), within_s=30)
        assert outgoing.republished >= 40


async def test_amnesia_of_a_stream_made_anew_loses_no_fact(forgetful_bus: Bus) -> None:
    outgoing = Outgoing(forgetful_bus, publisher="p")
    async with running_beside(outgoing.run()):
        publish(outgoing, 0, 20)
        assert await outgoing.drain(within_s=10) == 0
        await forgetful_bus.js.delete_stream(topology.OBSERVATIONS)
        await topology.declare(forgetful_bus.js)
        publish(outgoing, 20, 21)
        await eventually(lambda: all_there(forgetful_bus, 21), within_s=10)


async def test_amnesia_does_not_bring_back_what_is_older_than_what_is_kept(forgetful_bus: Bus) -> None:
    now = 1000.0
    outgoing = Outgoing(forgetful_bus, publisher="p", clock=lambda: now)
    async with running_beside(outgoing.run()):
        publish(outgoing, 0, 5)
        assert await outgoing.drain(within_s=10) == 0
        now += KEPT_S + 1
        await forgetful_bus.js.delete_stream(topology.OBSERVATIONS)
        await topology.declare(forgetful_bus.js)
        publish(outgoing, 5, 8)
        await eventually(lambda: all_there(forgetful_bus, 0))
        assert await outgoing.drain(within_s=10) == 0
    assert await workers_seen(forgetful_bus) == {"w5", "w6", "w7"}


async def test_what_was_stored_is_kept_no_longer_also_when_nothing_more_is_published(
    forgetful_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.bus.kept_messages.CHECK_EVERY_S", 0.05)
    now = 1000.0
    outgoing = Outgoing(forgetful_bus, publisher="p", clock=lambda: now)
    async with running_beside(outgoing.run()):
        publish(outgoing, 0, 5)
        assert await outgoing.drain(within_s=10) == 0
        assert outgoing.kept == 10
        now += KEPT_S + 1
        await eventually(lambda: outgoing.kept == 0)


async def test_amnesia_brings_back_what_was_packed_unless_it_is_too_old(forgetful_bus: Bus) -> None:
    """More events than one block holds; the first of them are older than what is kept, the rest are not."""
    now, count = 1000.0, 5 * BLOCK
    outgoing = Outgoing(forgetful_bus, publisher="p", clock=lambda: now)
    async with running_beside(outgoing.run()):
        publish(outgoing, 0, 10)
        assert await outgoing.drain(within_s=10) == 0
        now += KEPT_S - 10
        publish(outgoing, 10, count)
        assert await outgoing.drain(within_s=10) == 0
        assert outgoing.kept == 2 * count
        now += 20
        await forgetful_bus.js.delete_stream(topology.OBSERVATIONS)
        await topology.declare(forgetful_bus.js)
        publish(outgoing, count, count + 1)
        await eventually(lambda: outgoing.republished, within_s=10)
        assert await outgoing.drain(within_s=10) == 0
    assert await workers_seen(forgetful_bus) == {f"w{number}" for number in range(10, count + 1)}


async def test_an_event_that_is_kept_takes_a_fraction_of_its_size(forgetful_bus: Bus) -> None:
    kept, ack, count = KeptMessages(forgetful_bus, lambda: 1000.0), PubAck(stream="OBSERVATIONS", seq=0), 20 * BLOCK
    events = [heartbeat(f"w{number}") for number in range(count)]
    sizes, before = 0, 0
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number, event in enumerate(events, start=1):
            message = Message(
                subjects.worker_heartbeat("forwarder", event.subject), event.encode(), event.id, CONTENT_TYPE
            )
            sizes += len(message.body)
            ack.seq = number
            kept.keep(message, ack)
        del message
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept.count == count
    assert grown < 0.6 * sizes


async def test_repetitions_and_a_mere_restart_are_no_amnesia(
    forgetful_server: ForgetfulServer, forgetful_bus: Bus
) -> None:
    outgoing = Outgoing(forgetful_bus, publisher="p")
    event = heartbeat("w0")
    async with running_beside(outgoing.run()):
        for _ in range(3):
            outgoing.queue_event(subjects.worker_heartbeat("forwarder", "w0"), event)
            assert await outgoing.drain(within_s=10) == 0
        await asyncio.to_thread(forgetful_server.stop)
        await asyncio.to_thread(forgetful_server.start)
        await eventually(lambda: forgetful_bus.connected)
        publish(outgoing, 1, 3)
        assert await outgoing.drain(within_s=10) == 0
    assert outgoing.republished == 0
