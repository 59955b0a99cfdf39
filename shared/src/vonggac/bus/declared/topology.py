"""Every stream, consumer and bucket of the platform, and the one function that declares them.

Only one owner declares (nats-server #5526: delayed naks have been reported lost when a clustered stream is updated),
and it touches nothing that is already as it should be. What NATS cannot change on a stream that stands is refused with
the reason: the owner never deletes.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
    StreamSource,
    SubjectTransform,
)
from nats.js.errors import APIError, NotFoundError

from vonggac.bus.declared.differences import (
    CONSUMER_DEFAULTS,
    DEDUPLICATION_S,
    STREAM_DEFAULTS,
    UNCHANGEABLE,
    UNCHANGEABLE_OF_CONSUMERS,
    find_differences,
    refuse_unchangeable,
)
from vonggac.bus.declared.differences import UnchangeableError as UnchangeableError
from vonggac.events import subjects

INVENTORY = "INVENTORY"
PROBE_JOBS = "PROBE_JOBS"
DELIVERY_JOBS = "DELIVERY_JOBS"
VERIFY_JOBS = "VERIFY_JOBS"
OBSERVATIONS = "OBSERVATIONS"
NOTICES = "NOTICES"
DEMANDS = "DEMANDS"
DEAD_LETTERS = "DEAD_LETTERS"
BOUNDED = (OBSERVATIONS, NOTICES, DEMANDS, DEAD_LETTERS)
"""Streams that grow with time, not with the register."""

PROBER = "prober"
FORWARDER = "forwarder"
VERIFIER = "verifier"
REPORTING_INVENTORY = "reporting_inventory"
REPORTING_OBSERVATIONS = "reporting_observations"

CAMERA_STATUS = "camera_status"
DELIVERY_STATUS = "delivery_status"
WORKERS = "workers"
SCANS = "scans"
CAMERA_FAILURES = "camera_failures"
THUMBNAILS = "thumbnails"
PICTURE_REFERENCES = "picture_references"
REPETITION_DISPUTES = "repetition_disputes"
SITE_STATUS = "site_status"
LOGIN_FAILURES = "login_failures"
KEYFRAMES = "keyframes"
VERIFICATIONS = "verifications"
DELIVERY_COMMANDS = "delivery_commands"
LEASES = "leases"
POSITIONS = "positions"
RESEALED_SECRETS = "resealed_secrets"
SERVED_ACCOUNTS = "served_accounts"
"""How centres that pull log in; forwarders alone read it."""
CONSOLE_SESSIONS = "console_sessions"
"""Each sealed with a key that its browser alone has."""
CONSOLE_SCREENS = "console_screens"
"""Wall screens: who made each in the clear, its tokens sealed like a session."""
STREAMS_SEEN = "streams_seen"
"""How all streams stood when their owner saw them last."""
READINESS = "readiness"
"""Nobody reads it: whoever can write there is sure that JetStream stores."""

PROBE_ACK_WAIT_S = VERIFY_ACK_WAIT_S = 12.0
"""So long nobody has a job that a dead prober held, or that NATS gave, when it woke, to a connection that was gone."""
DELIVERY_ACK_WAIT_S = 3.0
"""A dead forwarder's cameras are delivered to the others after this long."""
EVENT_ACK_WAIT_S = 30.0
WORKER_TTL_S = 15.0
LEASE_S = 30.0
"""A lease that is not renewed for so long is free."""
SCANS_KEPT_S = 3600.0
SCANS_MAX_BYTES = 64 << 20
THUMBNAILS_KEPT_S = 86_400.0
LOGIN_FAILURES_KEPT_S = 86_400.0
KEYFRAMES_KEPT_S = 300.0
VERIFICATIONS_KEPT_S = 86_400.0
STATES_KEPT = 10  # Of each thing of the register (decision 0106).
COMMANDS_KEPT = 20  # Of each delivery: who stopped it, who started it.
CONSOLE_SESSIONS_KEPT_S = 12 * 3600.0
CONSOLE_SESSIONS_MAX_BYTES = 64 << 20
"""More than 10,000 sessions; the console lets nobody in on its last tenth (SECURITY.md)."""
CONSOLE_SCREENS_KEPT_S = 31 * 86_400.0
CONSOLE_SCREENS_MAX_BYTES = 4 << 20
OBSERVATIONS_KEPT_S = 30 * 86_400.0
OBSERVATIONS_MAX_BYTES = 8 << 30
"""Unless stated otherwise; docs/operations has the sizing."""
NOTICES_KEPT_S = 30 * 86_400.0
NOTICES_MAX_BYTES = 64 << 20
"""About 80,000 facts of reporting."""
DEMANDS_KEPT_S = 400 * 86_400.0
"""A year and a month: who asked what is looked up late."""
DEMANDS_MAX_BYTES = 64 << 20
"""About 100,000; limits per caller keep anybody from driving the older ones out (decision 0088)."""
DEAD_LETTERS_KEPT_S = 90 * 86_400.0
DEAD_LETTERS_MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable consumer of a stream."""

    stream: str
    name: str
    ack_wait_s: float
    max_deliver: int = -1


CONSUMERS = (
    Consumer(PROBE_JOBS, PROBER, PROBE_ACK_WAIT_S),
    Consumer(DELIVERY_JOBS, FORWARDER, DELIVERY_ACK_WAIT_S),
    Consumer(VERIFY_JOBS, VERIFIER, VERIFY_ACK_WAIT_S),
    Consumer(INVENTORY, REPORTING_INVENTORY, EVENT_ACK_WAIT_S),
    Consumer(OBSERVATIONS, REPORTING_OBSERVATIONS, EVENT_ACK_WAIT_S),
)

_CAMERA_ID = "{{wildcard(1)}}"
"""In the server's subject transforms: the token that `*` matches in the source."""


def streams(replicas: int, *, observations_max_bytes: int = OBSERVATIONS_MAX_BYTES) -> tuple[StreamConfig, ...]:
    """Declare the streams, on disk, `replicas` copies each (1 or 3)."""
    stored = partial(StreamConfig, storage=StorageType.FILE, num_replicas=replicas)
    # Nobody takes these away, whatever login he has: NATS lifts neither ban again.
    lasting = partial(stored, deny_delete=True, deny_purge=True, duplicate_window=DEDUPLICATION_S, allow_direct=True)

    def jobs(name: str, job_subject: str) -> StreamConfig:
        transform = SubjectTransform(src=subjects.inventory("camera", "*"), dest=job_subject)
        return stored(
            name=name,
            retention=RetentionPolicy.WORK_QUEUE,
            sources=[StreamSource(name=INVENTORY, subject_transforms=[transform])],
            max_msgs_per_subject=1,
            discard=DiscardPolicy.OLD,
        )

    return (
        lasting(name=INVENTORY, subjects=[subjects.inventory("*", "*")], max_msgs_per_subject=STATES_KEPT),
        jobs(PROBE_JOBS, subjects.probe_job(_CAMERA_ID)),
        jobs(DELIVERY_JOBS, subjects.delivery_job(_CAMERA_ID)),
        jobs(VERIFY_JOBS, subjects.verify_job(_CAMERA_ID)),
        lasting(
            name=OBSERVATIONS,
            subjects=[subjects.OBSERVATIONS, subjects.REPLAYS],
            # Who follows facts live hears what is stored, not what somebody publishes.
            republish=RePublish(src=subjects.OBSERVATIONS, dest=subjects.stored(subjects.OBSERVATIONS)),
            max_age=OBSERVATIONS_KEPT_S,
            max_bytes=observations_max_bytes,
            # Facts of one kind resemble each other; the server compresses a block of them once it is full.
            compression=StoreCompression.S2,
        ),
        stored(
            name=NOTICES,
            subjects=[subjects.NOTICES],
            max_age=NOTICES_KEPT_S,
            max_bytes=NOTICES_MAX_BYTES,
            duplicate_window=DEDUPLICATION_S,
            allow_direct=True,
        ),
        lasting(
            name=DEMANDS,
            subjects=[subjects.DEMANDS],
            max_age=DEMANDS_KEPT_S,
            max_bytes=DEMANDS_MAX_BYTES,
            compression=StoreCompression.S2,
        ),
        stored(
            name=DEAD_LETTERS,
            subjects=[subjects.DEAD_LETTERS],
            max_age=DEAD_LETTERS_KEPT_S,
            max_bytes=DEAD_LETTERS_MAX_BYTES,
        ),
    )


def buckets(replicas: int) -> tuple[StreamConfig, ...]:
    """Declare the buckets, as streams `KV_<bucket>`: statuses, workers, scans, pictures to compare with, failures, …

    Values with a ttl expire. READ_DIRECTLY are read from any replica, which may lag a moment: no caller decides by a
    revision of these.
    """

    def bucket(name: str, *, ttl_s: float | None = None, max_bytes: int | None = None, kept: int = 1) -> StreamConfig:
        return StreamConfig(
            name=key_value_stream(name),
            subjects=[subjects.key_value(name, ">")],
            max_msgs_per_subject=kept,
            max_age=ttl_s,
            max_bytes=max_bytes,
            discard=DiscardPolicy.NEW,
            deny_delete=True,
            allow_rollup_hdrs=True,
            storage=StorageType.FILE,
            num_replicas=replicas,
            duplicate_window=min(ttl_s or DEDUPLICATION_S, DEDUPLICATION_S),
            # Whoever follows a bucket reads it by direct gets and hears what the server has stored since.
            allow_direct=True,
            republish=RePublish(src=subjects.key_value(name, ">"), dest=subjects.republished(name, ">")),
        )

    return (
        bucket(CAMERA_STATUS),
        bucket(DELIVERY_STATUS),
        bucket(CAMERA_FAILURES),
        bucket(PICTURE_REFERENCES),
        bucket(REPETITION_DISPUTES),
        bucket(SITE_STATUS),
        bucket(DELIVERY_COMMANDS, kept=COMMANDS_KEPT),
        bucket(RESEALED_SECRETS),
        bucket(SERVED_ACCOUNTS),
        bucket(POSITIONS),
        bucket(READINESS),
        bucket(STREAMS_SEEN),
        bucket(THUMBNAILS, ttl_s=THUMBNAILS_KEPT_S),
        bucket(LOGIN_FAILURES, ttl_s=LOGIN_FAILURES_KEPT_S),
        bucket(KEYFRAMES, ttl_s=KEYFRAMES_KEPT_S),
        bucket(VERIFICATIONS, ttl_s=VERIFICATIONS_KEPT_S),
        bucket(WORKERS, ttl_s=WORKER_TTL_S),
        bucket(LEASES, ttl_s=LEASE_S),
        bucket(SCANS, ttl_s=SCANS_KEPT_S, max_bytes=SCANS_MAX_BYTES),
        bucket(CONSOLE_SESSIONS, ttl_s=CONSOLE_SESSIONS_KEPT_S, max_bytes=CONSOLE_SESSIONS_MAX_BYTES),
        bucket(CONSOLE_SCREENS, ttl_s=CONSOLE_SCREENS_KEPT_S, max_bytes=CONSOLE_SCREENS_MAX_BYTES),
    )


READ_DIRECTLY = frozenset(
    {
        CAMERA_STATUS,
        DELIVERY_STATUS,
        CAMERA_FAILURES,
        PICTURE_REFERENCES,
        REPETITION_DISPUTES,
        THUMBNAILS,
        KEYFRAMES,
        VERIFICATIONS,
    }
)


def key_value_stream(bucket: str) -> str:
    """Name the stream that a bucket is."""
    return f"KV_{bucket}"


async def declare(
    js: JetStreamContext,
    *,
    replicas: int | None = None,
    observations_max_bytes: int | None = None,
    before: StreamConfig | None = None,
) -> list[str]:
    """Create what is missing, update what differs; returns what it touched. Not stated, copies and a higher bound stay.

    `before`: OBSERVATIONS as it was, from who keeps it: copies and bound stay as they are, a lower one too, and are as
    before when it is gone.
    Raises UnchangeableError for what cannot be updated, and what the server refuses.
    """
    try:
        stand = (await js.stream_info(OBSERVATIONS)).config
    except NotFoundError:
        stand = before or StreamConfig(num_replicas=1, max_bytes=OBSERVATIONS_MAX_BYTES)
    copies = replicas or stand.num_replicas or 1
    least = OBSERVATIONS_MAX_BYTES if before is None else 0
    bound = observations_max_bytes or max(least, stand.max_bytes or 0) or OBSERVATIONS_MAX_BYTES
    wanted = (*streams(copies, observations_max_bytes=bound), *buckets(copies))
    touched = [str(stream.name) for stream in wanted if await _declare_stream(js, stream)]
    touched += [f"{consumer.stream}/{consumer.name}" for consumer in CONSUMERS if await _declare_consumer(js, consumer)]
    return touched


ALL_STREAMS = tuple(str(stream.name) for stream in (*streams(1), *buckets(1)))
"""Names of all streams, the buckets' too."""


async def missing(
    js: JetStreamContext, needed: Iterable[str] = ALL_STREAMS, consumers: Iterable[Consumer] = CONSUMERS
) -> list[str]:
    """Of these streams and consumers those that do not stand; empty when all do.

    A service asks for those that it needs (`vonggac.bus.declared.permissions`). Raises NatsError or TimeoutError.
    """
    questions = [
        *(_stands(name, js.stream_info(name)) for name in needed),
        *(_stands(f"{each.stream}/{each.name}", js.consumer_info(each.stream, each.name)) for each in consumers),
    ]
    return [name for name in await asyncio.gather(*questions) if name is not None]


async def _stands(name: str, question: Awaitable[object]) -> str | None:
    """None when it does; otherwise its name."""
    try:
        await question
    except NotFoundError:
        return name
    return None


def consumers_of(*durables: str) -> tuple[Consumer, ...]:
    """Find the consumers of these names."""
    return tuple(consumer for consumer in CONSUMERS if consumer.name in durables)


_NO_ROOM = 10047
"""NATS' error code when the bounds of all streams are more than its disk (or its limit) has."""


async def _declare_stream(js: JetStreamContext, wanted: StreamConfig) -> bool:
    assert wanted.name is not None
    try:
        present = (await js.stream_info(wanted.name)).config
    except NotFoundError:
        await _with_room(wanted, js.add_stream(wanted))
        return True
    changes = find_differences(present, wanted, STREAM_DEFAULTS)
    if not changes:
        return False
    refuse_unchangeable(wanted.name, present, changes, UNCHANGEABLE)
    await _with_room(wanted, js.update_stream(replace(present, **changes)))
    return True


async def _declare_consumer(js: JetStreamContext, consumer: Consumer) -> bool:
    wanted = ConsumerConfig(
        durable_name=consumer.name,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=consumer.ack_wait_s,
        max_deliver=consumer.max_deliver,
        # A delayed nak counts as pending: a limit here would be a limit on the number of cameras.
        max_ack_pending=-1,
    )
    try:
        present = (await js.consumer_info(consumer.stream, consumer.name)).config
    except NotFoundError:
        await js.add_consumer(consumer.stream, wanted)
        return True
    changes = find_differences(present, wanted, CONSUMER_DEFAULTS)
    if not changes:
        return False
    refuse_unchangeable(f"{consumer.stream}/{consumer.name}", present, changes, UNCHANGEABLE_OF_CONSUMERS)
    await js.add_consumer(consumer.stream, wanted)
    return True


async def _with_room(wanted: StreamConfig, request: Awaitable[object]) -> None:
    try:
        await request
    except APIError as error:
        if error.err_code != _NO_ROOM:
            raise
        msg = f"{wanted.name}: NATS has no room for {wanted.max_bytes} bytes: give it a larger disk or a lower bound"
        raise UnchangeableError(msg) from None
