"""Every stream, consumer and bucket of the platform, and the one function that declares them.

Only one owner declares (nats-server #5526: delayed naks have been reported lost when a clustered stream is updated),
and it changes nothing that is already right.
"""

from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    KeyValueConfig,
    RePublish,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
    SubjectTransform,
)
from nats.js.errors import NotFoundError

from vonggac.events import subjects

INVENTORY = "INVENTORY"
PROBE_JOBS = "PROBE_JOBS"
DELIVERY_JOBS = "DELIVERY_JOBS"
VERIFY_JOBS = "VERIFY_JOBS"
OBSERVATIONS = "OBSERVATIONS"
DEAD_LETTERS = "DEAD_LETTERS"

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
SITE_STATUS = "site_status"
LOGIN_FAILURES = "login_failures"
KEYFRAMES = "keyframes"
VERIFICATIONS = "verifications"
DELIVERY_COMMANDS = "delivery_commands"
RESEALED_SECRETS = "resealed_secrets"
READINESS = "readiness"
"""Nobody reads it: whoever can write there is sure that JetStream stores."""

PROBE_ACK_WAIT_S = 30.0
VERIFY_ACK_WAIT_S = 30.0
DELIVERY_ACK_WAIT_S = 3.0
"""A dead forwarder's cameras are delivered to the others after this long."""
EVENT_ACK_WAIT_S = 30.0
WORKER_TTL_S = 15.0
SCANS_KEPT_S = 3600.0
SCANS_MAX_BYTES = 64 << 20
THUMBNAILS_KEPT_S = 86_400.0
LOGIN_FAILURES_KEPT_S = 86_400.0
KEYFRAMES_KEPT_S = 300.0
VERIFICATIONS_KEPT_S = 86_400.0
DEDUPLICATION_S = 120.0
OBSERVATIONS_KEPT_S = 30 * 86_400.0
DEAD_LETTERS_KEPT_S = 90 * 86_400.0


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


def streams(replicas: int) -> tuple[StreamConfig, ...]:
    """The streams, on disk, `replicas` copies each (1 or 3)."""

    def jobs(name: str, job_subject: str) -> StreamConfig:
        transform = SubjectTransform(src=subjects.inventory("camera", "*"), dest=job_subject)
        return StreamConfig(
            name=name,
            retention=RetentionPolicy.WORK_QUEUE,
            sources=[StreamSource(name=INVENTORY, subject_transforms=[transform])],
            max_msgs_per_subject=1,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            num_replicas=replicas,
        )

    return (
        StreamConfig(
            name=INVENTORY,
            subjects=[subjects.inventory("*", "*")],
            max_msgs_per_subject=1,
            storage=StorageType.FILE,
            num_replicas=replicas,
            duplicate_window=DEDUPLICATION_S,
            allow_direct=True,
        ),
        jobs(PROBE_JOBS, subjects.probe_job(_CAMERA_ID)),
        jobs(DELIVERY_JOBS, subjects.delivery_job(_CAMERA_ID)),
        jobs(VERIFY_JOBS, subjects.verify_job(_CAMERA_ID)),
        StreamConfig(
            name=OBSERVATIONS,
            subjects=[subjects.OBSERVATIONS],
            max_age=OBSERVATIONS_KEPT_S,
            storage=StorageType.FILE,
            num_replicas=replicas,
            duplicate_window=DEDUPLICATION_S,
            allow_direct=True,
        ),
        StreamConfig(
            name=DEAD_LETTERS,
            subjects=[subjects.DEAD_LETTERS],
            max_age=DEAD_LETTERS_KEPT_S,
            storage=StorageType.FILE,
            num_replicas=replicas,
        ),
    )


def buckets(replicas: int) -> tuple[KeyValueConfig, ...]:
    """The latest of each: statuses, workers, ONVIF scans, reference pictures, failures, commands, read-backs.

    Values with a ttl expire. READ_DIRECTLY are read from any replica, which may lag a moment: no caller decides by a
    revision of these.
    """

    def bucket(name: str, *, ttl_s: float | None = None, max_bytes: int | None = None) -> KeyValueConfig:
        return KeyValueConfig(
            bucket=name,
            history=1,
            ttl=ttl_s,
            max_bytes=max_bytes,
            storage=StorageType.FILE,
            replicas=replicas,
            # Whoever follows a bucket reads it by direct gets and hears what the server has stored since.
            direct=True,
            republish=RePublish(src=subjects.key_value(name, ">"), dest=subjects.republished(name, ">")),
        )

    return (
        bucket(CAMERA_STATUS),
        bucket(DELIVERY_STATUS),
        bucket(CAMERA_FAILURES),
        bucket(PICTURE_REFERENCES),
        bucket(SITE_STATUS),
        bucket(DELIVERY_COMMANDS),
        bucket(RESEALED_SECRETS),
        bucket(READINESS),
        bucket(THUMBNAILS, ttl_s=THUMBNAILS_KEPT_S),
        bucket(LOGIN_FAILURES, ttl_s=LOGIN_FAILURES_KEPT_S),
        bucket(KEYFRAMES, ttl_s=KEYFRAMES_KEPT_S),
        bucket(VERIFICATIONS, ttl_s=VERIFICATIONS_KEPT_S),
        bucket(WORKERS, ttl_s=WORKER_TTL_S),
        bucket(SCANS, ttl_s=SCANS_KEPT_S, max_bytes=SCANS_MAX_BYTES),
    )


READ_DIRECTLY = frozenset(
    {CAMERA_STATUS, DELIVERY_STATUS, CAMERA_FAILURES, PICTURE_REFERENCES, THUMBNAILS, KEYFRAMES, VERIFICATIONS}
)


async def declare(js: JetStreamContext, *, replicas: int = 1) -> list[str]:
    """Create what is missing, update what differs; returns the names touched. Raises what the server refuses."""
    touched = [str(stream.name) for stream in streams(replicas) if await _declare_stream(js, stream)]
    touched += [f"{consumer.stream}/{consumer.name}" for consumer in CONSUMERS if await _declare_consumer(js, consumer)]
    touched += [bucket.bucket for bucket in buckets(replicas) if await _declare_bucket(js, bucket)]
    return touched


async def missing(js: JetStreamContext) -> list[str]:
    """Streams that are not declared yet; empty when the topology is complete."""
    names = [str(stream.name) for stream in streams(1)] + [f"KV_{bucket.bucket}" for bucket in buckets(1)]
    absent = []
    for name in names:
        try:
            await js.stream_info(name)
        except NotFoundError:
            absent.append(name)
    return absent


async def _declare_bucket(js: JetStreamContext, wanted: KeyValueConfig) -> bool:
    try:
        present = (await js.stream_info(f"KV_{wanted.bucket}")).config
    except NotFoundError:
        await js.create_key_value(wanted)
        return True
    if present.allow_direct and present.republish == wanted.republish:
        return False
    present.allow_direct, present.republish = True, wanted.republish
    await js.update_stream(present)
    return True


async def _declare_stream(js: JetStreamContext, wanted: StreamConfig) -> bool:
    assert wanted.name is not None
    try:
        present = (await js.stream_info(wanted.name)).config
    except NotFoundError:
        await js.add_stream(wanted)
        return True
    if all(_same(getattr(present, field), getattr(wanted, field)) for field in _COMPARED):
        return False
    await js.update_stream(wanted)
    return True


_COMPARED = ("subjects", "max_msgs_per_subject", "max_age", "num_replicas", "duplicate_window", "retention", "sources")


def _same(present: object, wanted: object) -> bool:
    if wanted is None or wanted == 0:
        return True
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], StreamSource):
        assert isinstance(present, list)
        return [source.as_dict() for source in present] == [source.as_dict() for source in wanted]
    return present == wanted


async def _declare_consumer(js: JetStreamContext, wanted: Consumer) -> bool:
    try:
        present = (await js.consumer_info(wanted.stream, wanted.name)).config
        if present.ack_wait == wanted.ack_wait_s:
            return False
    except NotFoundError:
        pass
    await js.add_consumer(
        wanted.stream,
        ConsumerConfig(
            durable_name=wanted.name,
            ack_policy=AckPolicy.EXPLICIT,
            deliver_policy=DeliverPolicy.ALL,
            ack_wait=wanted.ack_wait_s,
            max_deliver=wanted.max_deliver,
            # A delayed nak counts as pending: a limit here would be a limit on the number of cameras.
            max_ack_pending=-1,
        ),
    )
    return True
