"""A NATS that comes back with an old disk: what it acknowledged and forgot is published again."""

import asyncio
import random
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest
from nats.js.api import PubAck

from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.bus.messages.kept import KEPT_S, KeptMessages
from vonggac.bus.messages.packed import BLOCK, Message
from vonggac.bus.messages.queue import MessageQueue
from vonggac.events import CloudEvent, decode, new_event, subjects
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.events.prober import CameraObservedV1, Media, ProbeKind, ProberAliveV1, Step, Verdict
from vonggac.testing import eventually
from vonggac.testing.processes import ForgetfulServer
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.server
MANY = 20_000


@pytest.fixture
def quiet_bus() -> Bus:
    """Of what keeps messages only to be heard of a reconnection."""
    return cast(Bus, SimpleNamespace(on_reconnect=lambda _callback: None))


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
    monkeypatch.setattr("vonggac.bus.messages.kept.CHECK_EVERY_S", 0.05)
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


def probes(count: int) -> Iterator[tuple[Message, Message]]:
    """Fact and latest status of one probe of each of so many cameras, no two alike, as the prober queues them."""
    chance, bucket = random.Random(7), topology.CAMERA_STATUS
    event = new_event(observation(UUID(int=1)), source="/prober", subject=str(UUID(int=1)), time=datetime.now(UTC))
    fact, status = (text.decode() for text in (event.encode(), event.data.model_dump_json().encode()))
    for number in range(1, count + 1):
        changes = {
            str(UUID(int=1)): (camera := str(UUID(int=chance.getrandbits(128)))),
            event.id: (message_id := str(UUID(int=chance.getrandbits(128)))),
            "1500.25": f"{chance.uniform(1000, 3000):.2f}",
            "2047.3": f"{chance.uniform(1900, 2100):.1f}",
            "3.125": f"{chance.uniform(0, 9):.3f}",
        }
        one, other = fact, status
        for before, after in changes.items():
            one, other = one.replace(before, after), other.replace(before, after)
        yield (
            Message(subjects.camera_observation(UUID(camera)), one.encode(), message_id, CONTENT_TYPE, position=number),
            Message(subjects.key_value(bucket, camera), other.encode(), None, "application/json", position=number),
        )


def observation(camera: UUID) -> CameraObservedV1:
    now = datetime.now(UTC)
    return CameraObservedV1(
        camera_id=camera,
        camera_revision=3,
        worker_id="prober-0123456789ab",
        observed_at=now,
        verdict=Verdict.UP,
        interval_s=60,
        duration_ms=1500.25,
        steps=tuple(Step(name=name, duration_ms=1.5) for name in ("resolve", "connect", "describe", "setup", "play")),
        media=Media(codec="h264", width=1920, height=1080, fps=25, bitrate_kbps=2047.3, gop_s=2, jitter_ms=3.125),
        kind=ProbeKind.LIGHT,
        not_checked=dict.fromkeys(("frozen", "black", "covered", "blurred", "scene_changed"), "light probe"),
        facility_id=UUID(int=2),
        since=now,
        deep_at=now,
    )


@contextmanager
def at_most_bytes_each(count: int, most: int) -> Iterator[None]:
    """What the block leaves in memory is at most `most` bytes for each of `count`."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield
        each = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert each <= most


def test_a_fact_that_is_kept_takes_600_bytes_at_most_and_so_does_the_latest_of_its_camera(quiet_bus: Bus) -> None:
    kept, ack = KeptMessages(quiet_bus, lambda: 1000.0), PubAck(stream="OBSERVATIONS", seq=0)
    latest, published = PubAck(stream="KV_camera_status", seq=0), [*probes(MANY // 2)]
    with at_most_bytes_each(MANY, 600):
        for number, (fact, status) in enumerate(published, start=1):
            ack.seq = latest.seq = number
            kept.keep(copied(fact), ack)
            kept.keep(copied(status), latest)
    assert kept.count == MANY


def test_a_fact_that_waits_while_nats_is_away_takes_600_bytes_at_most() -> None:
    queue, facts = MessageQueue(), [fact for fact, _ in probes(MANY)]
    with at_most_bytes_each(MANY, 600):
        for fact in facts:
            queue.append(copied(fact))
    assert [queue.pop_first() for _ in facts] == facts
    assert queue.first is None


def copied(message: Message) -> Message:
    """Copy the message with memory of its own for the largest part of it."""
    return replace(message, body=bytes(bytearray(message.body)))


def test_of_a_key_only_the_newest_value_is_published_again_though_both_are_packed(quiet_bus: Bus) -> None:
    kept, ack, published = KeptMessages(quiet_bus, lambda: 1000.0), PubAck(stream="KV_workers", seq=0), 5 * BLOCK
    for turn in range(2):
        for number in range(published):
            ack.seq += 1
            key = subjects.key_value(topology.WORKERS, f"w{number}")
            kept.keep(Message(key, f"{turn} of w{number}".encode(), None, "application/json"), ack)
    assert kept.count == published
    ack.seq = 1
    kept.keep(Message(subjects.key_value(topology.WORKERS, "w0"), b"", None, "application/json", removes=True), ack)
    again = kept.take_forgotten()
    assert [message.body for message in again] == [*(f"1 of w{number}".encode() for number in range(1, published)), b""]
    assert again[-1].removes
    assert kept.count == 0


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
