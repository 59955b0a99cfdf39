"""What crosses the border of the accounts on the real server, and what does not, whatever the reply subject."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext

from vonggac.bus import Bus
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.accounts import STREAMS, account_of, crossings
from vonggac.bus.declared.permissions import USERS, User
from vonggac.bus.keyvalue import Bucket
from vonggac.bus.pull_consumer import PullConsumer
from vonggac.embedded import NatsServer
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


# --- whatever the reply subject -------------------------------------------------------------------------------------

VICTIM = "kept"
REPLIES = (
    "inventory.camera.evil",
    "inventory.destination.evil",
    "observation.camera.evil",
    "observation.delivery.evil",
    "observation.worker.prober.evil",
    "replay.observation.camera.evil",
    "notice.outage.evil",
    "demand.probe",
    *(subjects.dead_letter(topology.OBSERVATIONS, permissions.outgoing_of(each.name)) for each in SERVICES),
    "probe.job.evil",
    *(subjects.key_value(str(bucket.name).removeprefix("KV_"), "evil") for bucket in topology.buckets(1)),
    "$JS.API.STREAM.DELETE.NOTICES",
    "$JS.API.STREAM.DELETE.KV_scans",
    "$JS.API.STREAM.PURGE.NOTICES",
    "$JS.API.STREAM.PURGE.KV_camera_status",
    "$JS.API.STREAM.MSG.DELETE.DEAD_LETTERS",
    "$JS.API.STREAM.UPDATE.NOTICES",
    "$JS.API.CONSUMER.CREATE.INVENTORY",
    "$JS.API.CONSUMER.CREATE.INVENTORY.evil",
    "$JS.API.CONSUMER.DURABLE.CREATE.INVENTORY.evil",
    "$JS.API.CONSUMER.DELETE.PROBE_JOBS.prober",
    "$JS.API.CONSUMER.DELETE.OBSERVATIONS.reporting_observations",
    "$JS.API.CONSUMER.MSG.NEXT.DELIVERY_JOBS.forwarder",
    "$JS.ACK.DELIVERY_JOBS.forwarder.1.1.1.1.0",
    "$JS.ACK.OBSERVATIONS.reporting_observations.1.1.1.1.0",
    "$SYS.REQ.SERVER.PING",
)


async def tally(streams: JetStreamContext) -> dict[str, tuple[object, ...]]:
    """How every stream and consumer stands. What the attacker writes into a stream that is his own is told apart."""
    stands: dict[str, tuple[object, ...]] = {}
    for name in topology.ALL_STREAMS:
        info = await streams.stream_info(name, subjects_filter=">")
        stands[name] = tuple(sorted((info.state.subjects or {}).items()))
        for consumer in await streams.consumers_info(name):
            stands[f"{name}/{consumer.name}"] = (consumer.config.deliver_subject, consumer.ack_floor)
    return stands


def requests_of(user: User) -> list[tuple[str, bytes]]:
    """Everything this user may publish to, with bodies that make the server answer with what is stored."""
    found: list[tuple[str, bytes]] = []
    for pattern in user.publish:
        subject = pattern.replace(">", VICTIM).replace("*", VICTIM)
        if pattern.startswith("$JS.API.DIRECT.GET.KV_") and pattern.endswith(".>"):
            # The second is answered without a body: what asks JetStream to delete has none either.
            found += [(subject, b""), (subject.removesuffix(VICTIM) + "missing", b"")]
        elif pattern.startswith("$JS.API.DIRECT.GET."):
            found += [
                (subject, json.dumps(body).encode())
                for body in (
                    {"multi_last": [">"], "batch": 100},
                    {"seq": 1, "next_by_subj": ">", "batch": 100},
                    {"last_by_subj": f"inventory.camera.{VICTIM}"},
                )
            ]
        elif pattern.startswith("$JS.API.STREAM.MSG.GET."):
            found.append((subject, json.dumps({"seq": 1, "next_by_subj": ">"}).encode()))
        elif pattern.startswith("$JS.API.CONSUMER.MSG.NEXT."):
            found.append((subject, b'{"batch": 10, "no_wait": true}'))
        elif pattern.startswith("$JS.ACK."):
            token = subject.removesuffix(VICTIM) + "1.1.1.1.0"
            found += [(token, body) for body in (b"+ACK", b"+NXT", b'+NXT {"batch": 10, "no_wait": true}', b"+WPI")]
        elif pattern.startswith("$JS.API.STREAM.MSG.DELETE."):
            found.append((subject, b'{"seq": 999999}'))
        elif pattern.startswith("$JS."):
            found.append((subject, b""))
        else:
            # As a state of the register would be: what comes back as an acknowledgement must not become one.
            found.append((subject, b"{}"))
    return found


@pytest.mark.parametrize("user", SERVICES, ids=lambda user: user.name)
async def test_reply_subject_stores_removes_and_reads_nothing(
    server: NatsServer, streams: JetStreamContext, user: User
) -> None:
    for bucket in topology.buckets(1):
        await streams.publish(subjects.key_value(str(bucket.name).removeprefix("KV_"), VICTIM), b"value")
    for subject in ("inventory.camera", "inventory.focal_point", "observation.camera", "notice.outage"):
        await streams.publish(f"{subject}.{VICTIM}", b"secret of the register")
    await streams.publish("demand.probe", b"demand")
    client = await connect_once(server.url, name="hostile", user=user.name, password=server.password(user.name))
    try:
        requests = requests_of(user)
        # Once with a reply of its own: what this user's requests do by themselves is not what is asked here.
        await send(client, requests, [f"{user.inbox}.{uuid4().hex}"])
        before = await settled(streams)
        await send(client, requests, (*REPLIES, *(subject for subject, _ in requests)))
        after = await settled(streams)
    finally:
        await client.close()
    assert changes(before, after, requests) == []


async def send(client: Client, requests: list[tuple[str, bytes]], replies: Any) -> None:
    for reply in replies:
        for subject, body in requests:
            await client.publish(subject, body, reply=reply)
        await flush_all(client)


async def settled(streams: JetStreamContext) -> dict[str, tuple[object, ...]]:
    """The tally once two in a row are the same."""
    before = await tally(streams)
    while (after := await tally(streams)) != before:
        before = after
    return after


def changes(
    before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]], requests: list[tuple[str, bytes]]
) -> list[str]:
    """What stands otherwise, but for messages on the very subjects that were published to."""
    own = {subject for subject, _ in requests}
    wrong = [f"{name} is gone" for name in before.keys() - after.keys()]
    wrong += [f"{name} is new" for name in after.keys() - before.keys()]
    for name in before.keys() & after.keys():
        if "/" in name:
            continue
        for entry in set(after[name]) ^ set(before[name]):
            assert isinstance(entry, tuple)
            if entry[0] not in own and not _is_job_of(str(entry[0]), own):
                wrong.append(f"{name}: {entry}")
    return sorted(wrong)


def _is_job_of(subject: str, own: set[str]) -> bool:
    """A job that NATS makes, or gives to its worker, of a camera that the user published or fetched."""
    return subject.split(".")[1] == "job" and not subject.endswith("evil")


async def test_reply_subject_matrix_finds_the_attack_where_it_works(
    server: NatsServer, streams: JetStreamContext
) -> None:
    """In the account of the streams the attack stores and deletes: there the matrix would not be empty."""
    await streams.publish(subjects.key_value(topology.CAMERA_STATUS, VICTIM), b"value")
    before = await settled(streams)
    client = await connect_once(server.url, name="inside")
    stored, missing = (f"$JS.API.DIRECT.GET.KV_camera_status.$KV.camera_status.{key}" for key in (VICTIM, "missing"))
    requests = [(stored, b""), (missing, b"")]
    await send(client, requests, ["inventory.destination.evil", "$JS.API.CONSUMER.DELETE.PROBE_JOBS.prober"])
    await client.close()
    after = await settled(streams)
    wrong = changes(before, after, requests)
    assert "PROBE_JOBS/prober is gone" in wrong
    assert any("inventory.destination.evil" in line for line in wrong)
    await topology.declare(streams)


async def test_reply_subject_delivers_nothing_to_who_may_not_hear_it(buses: dict[str, Bus]) -> None:
    """What a reader has the server answer on a subject of another service never comes there."""
    heard = await buses["prober"].client.subscribe(subjects.read_back_hint("*"))
    await flush_all(buses["prober"].client)
    body = json.dumps({"seq": 1, "next_by_subj": ">", "batch": 10}).encode()
    await buses["reporting"].client.publish(
        subjects.direct_get(topology.INVENTORY), body, reply=subjects.read_back_hint("evil")
    )
    await flush_all(buses["reporting"].client)
    await buses["forwarder"].client.publish(subjects.read_back_hint("true"), b"hint")
    assert (await heard.next_msg(2)).data == b"hint"
    with pytest.raises(NatsTimeoutError):
        await heard.next_msg(0.2)


# --- the owner of the streams ---------------------------------------------------------------------------------------

OWNER_STORES_ON = frozenset(
    reply
    for reply in REPLIES
    if reply.startswith(("inventory.", "observation.", "replay.", "notice.", "demand.", "dead.", "$KV."))
)
"""Declared: the owner is where the streams are, so that the server's answers to it are stored wherever it names."""
JOBS = frozenset(job("evil") for job in (subjects.probe_job, subjects.delivery_job, subjects.verify_job))
"""What the server makes of a camera that is stored."""


async def test_reply_subject_of_the_owner_stores_in_its_streams_alone(
    server: NatsServer, streams: JetStreamContext
) -> None:
    owner = permissions.OWNER
    client = await connect_once(server.url, name="owner", user=owner.name, password=server.password(owner.name))
    requests = requests_of(owner)
    try:
        await send(client, requests, [f"{owner.inbox}.{uuid4().hex}"])
        before = await settled(streams)
        await send(client, requests, REPLIES)
        after = await settled(streams)
    finally:
        await client.close()
    wrong = changes(before, after, requests)
    assert [line for line in wrong if line.endswith((" is gone", " is new"))] == []
    assert {line.split("'")[1] for line in wrong} <= OWNER_STORES_ON | JOBS


async def test_reply_subject_of_the_owner_reaches_no_service(server: NatsServer, buses: dict[str, Bus]) -> None:
    owner = permissions.OWNER
    heard = {
        subject: await buses[user.name].client.subscribe(subject)
        for user in SERVICES
        for subject in (*user.subscribe, f"{user.inbox}.>")
        if not subject.startswith(("kv.", "stored."))
    }
    for bus in buses.values():
        await flush_all(bus.client)
    client = await connect_once(server.url, name="owner", user=owner.name, password=server.password(owner.name))
    targets = [subject.replace("*", "evil").replace(">", "evil") for subject in heard]
    await send(client, requests_of(owner), targets)
    for target in targets:
        await client.publish(target, b"from the owner")
    await flush_all(client)
    await client.close()
    for bus in buses.values():
        await flush_all(bus.client)
    assert {subject: each.pending_msgs for subject, each in heard.items() if each.pending_msgs} == {}
