"""What crosses the border of the accounts on the real server, and what does not, whatever the reply subject."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from nats.js import JetStreamContext

from vonggac.bus import Bus
from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.accounts import STREAMS, account_of, crossings
from vonggac.bus.declared.permissions import USERS
from vonggac.bus.keyvalue import Bucket
from vonggac.bus.pull_consumer import PullConsumer
from vonggac.events import subjects
from vonggac.testing.waiting import eventually, flush_all

pytestmark = pytest.mark.server
SERVICES = tuple(user for user in USERS if user != permissions.OWNER)


async def store_jobs(streams: JetStreamContext, count: int) -> list[str]:
    """New cameras in INVENTORY; NATS makes their jobs."""
    ids = [str(uuid4()) for _ in range(count)]
    for each in ids:
        await streams.publish(subjects.inventory("camera", each), each.encode())
    return ids


async def test_accounts_jobs_are_fetched_kept_postponed_and_acknowledged(
    buses: dict[str, Bus], streams: JetStreamContext
) -> None:
    ids = await store_jobs(streams, 3)
    queue = PullConsumer(buses["prober"], stream=topology.PROBE_JOBS, durable=topology.PROBER)
    arrived: list[Any] = []

    async def fetched() -> bool:
        arrived.extend(await queue.fetch(3, wait_s=1))
        return len(arrived) >= 3

    await eventually(fetched, what="the jobs")
    first, second, third = arrived
    assert {message.data.decode() for message in arrived} == set(ids)
    assert first.metadata.stream == topology.PROBE_JOBS
    await first.in_progress()
    await first.ack_sync()
    await second.nak(delay=0.3)
    await third.ack()
    began = time.monotonic()
    [again] = await queue.fetch(1, wait_s=5)
    assert (again.data, again.metadata.num_delivered) == (second.data, 2)
    assert time.monotonic() - began > 0.2
    await again.ack()

    async def done() -> bool:
        return (await streams.stream_info(topology.PROBE_JOBS)).state.messages == 0

    await eventually(done, what="an empty queue")
    await queue.close()


async def test_accounts_buckets_are_written_read_and_followed(buses: dict[str, Bus]) -> None:
    key = uuid4().hex
    bucket = Bucket(buses["prober"], topology.CAMERA_STATUS)
    await bucket.put(key, b"before")
    async with bucket.watch() as watcher:
        seen: list[bytes | None] = []
        while (entry := await watcher.updates(2)) is not None:
            seen.append(entry.value)
        assert b"before" in seen
        await bucket.put(key, b"after")
        live = await watcher.updates(2)
    assert live is not None
    assert (live.key, live.value) == (key, b"after")
    assert (await Bucket(buses["inventory"], topology.CAMERA_STATUS).all())[key] == b"after"
    lease = Bucket(buses["forwarder"], topology.LOGIN_FAILURES)
    value, revision = await lease.entry(key)
    assert value is None
    assert await lease.replace(key, b"mine", revision)
    assert not await lease.replace(key, b"late", revision)


async def test_accounts_facts_are_followed_as_they_were_stored_and_without_a_reply(buses: dict[str, Bus]) -> None:
    heard = await buses["prober"].client.subscribe(subjects.stored(subjects.delivery_observation("*")))
    await flush_all(buses["prober"].client)
    await buses["forwarder"].js.publish(subjects.delivery_observation("d"), b"fact")
    message = await heard.next_msg(2)
    assert (message.data, message.reply) == (b"fact", "")


async def test_accounts_readiness_space_and_the_clock_are_known_to_each_service(buses: dict[str, Bus]) -> None:
    for bus in buses.values():
        assert await bus.check() is None
        assert (await bus.storage()).used >= 0
        assert await bus.clock.measure(bus)


async def test_accounts_requests_reach_their_service_and_the_answer_comes_back(buses: dict[str, Bus]) -> None:
    asked = await buses["forwarder"].client.subscribe(subjects.camera_keyframe("*"))
    await flush_all(buses["forwarder"].client)
    asking = asyncio.ensure_future(buses["prober"].client.request(subjects.camera_keyframe("c"), b"", 2))
    question = await asked.next_msg(2)
    assert not question.reply.startswith(permissions.PROBER.inbox), "the asker's own subject crossed the border"
    await question.respond(b"picture")
    assert (await asking).data == b"picture"


def test_accounts_every_subject_that_is_stored_crosses_by_a_pattern() -> None:
    """Where one crosses without a wildcard, it is a reply subject under which JetStream's answers cross as well."""
    stored = [each.subject for each in crossings() if each.kind == "service" and not each.subject.startswith("$JS.")]
    assert [subject for subject in stored if "*" not in subject and ">" not in subject] == []


def test_accounts_no_service_is_where_the_streams_are_and_none_may_make_a_consumer() -> None:
    assert STREAMS not in {account_of(user) for user in SERVICES}
    assert [each for each in crossings() if "CREATE" in each.subject or "RESTORE" in each.subject] == []
