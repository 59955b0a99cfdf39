"""What the prober publishes to the bus, and what it keeps there."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError
from pydantic import BaseModel, TypeAdapter, ValidationError

from prober.domain.failures import Failure, record_probe
from prober.domain.sites import event_id
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.bus.events import read_stream
from vonggac.bus.keyvalue import WRONG_LAST_SEQUENCE
from vonggac.events import MalformedEventError, Payload, decode_on, new_event, subjects
from vonggac.events.envelope import worker_key
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, DemandV1, ProberAliveV1, SiteObservedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

FAILURES_KEPT = 20
DEMANDS_SHOWN = 10_000
PARSED_AT_ONCE = 100
"""Statuses parsed before the event loop goes on: about two milliseconds."""
VERIFIERS = "verifiers"
"""Queue group of the probers: one of them gets each change of a delivery, or of a camera's media."""
_FAILURES = TypeAdapter(tuple[Failure, ...])

type OnMessage = Callable[[Msg], Awaitable[None]]


class OvertakenError(Exception):
    """Somebody else stored something meanwhile."""


class StatusUnreadableError(Exception):
    """The bucket did not answer, so nothing is known about the last probe."""


class Announcer:
    """Queues facts for JetStream: as events, and as the latest of each in the buckets."""

    def __init__(self, outgoing: Outgoing, *, worker_id: str) -> None:
        self._outgoing = outgoing
        self._source = f"/prober/{worker_id}"

    def publish_observation(self, fact: CameraObservedV1) -> None:
        """One probe of one camera."""
        event = new_event(fact.to_stored(), source=self._source, subject=str(fact.camera_id), time=fact.observed_at)
        self._outgoing.queue_event(subjects.camera_observation(fact.camera_id), event)
        self._latest(topology.CAMERA_STATUS, str(fact.camera_id), fact)

    def publish_site_fault(self, fact: SiteObservedV1) -> None:
        """Publish a fault of a whole site, or its end; once, whoever finds it."""
        event = new_event(
            fact,
            source="/prober/site",
            subject=str(fact.facility_id),
            time=fact.ended_at or fact.began_at,
            event_id=event_id(fact),
        )
        self._outgoing.queue_event(subjects.site_observation(fact.facility_id), event)
        # Also that one is over: who falls again before the others are back is of the same trouble.
        self._latest(topology.SITE_STATUS, str(fact.facility_id), fact)

    def publish_verification(self, fact: DeliveryVerifiedV1) -> None:
        """One read-back of one delivery; the forwarder that holds the camera listens, also to what is not stored."""
        event = new_event(fact, source=self._source, subject=str(fact.delivery_id), time=fact.observed_at)
        if fact.is_fact:
            self._outgoing.queue_event(subjects.delivery_verification(fact.camera_id, fact.delivery_id), event)
        else:
            self._outgoing.queue_live(subjects.camera_read_back(fact.camera_id), event.encode())
        self._latest(topology.VERIFICATIONS, str(fact.delivery_id), fact)

    def remove_verification(self, delivery_id: UUID) -> None:
        """Remove what was found of a delivery that is not read back any more."""
        self._outgoing.queue_removal(topology.VERIFICATIONS, delivery_id)

    def publish_heartbeat(self, fact: ProberAliveV1) -> None:
        """Publish that this worker lives."""
        event = new_event(fact, source=self._source, subject=fact.worker_id, time=fact.alive_at)
        self._outgoing.queue_event(subjects.worker_heartbeat("prober", fact.worker_id), event)
        self._latest(topology.WORKERS, worker_key(fact.worker_id), fact)

    def remove_status(self, camera_id: UUID) -> None:
        """Remove the last observation of a camera that is gone or disabled: nobody probes it, so it no longer holds."""
        self._outgoing.queue_removal(topology.CAMERA_STATUS, camera_id)

    def remove_camera(self, camera_id: UUID) -> None:
        """Remove all that is kept of a camera that is gone for good."""
        self.remove_status(camera_id)
        kept = topology.CAMERA_FAILURES, topology.THUMBNAILS, topology.PICTURE_REFERENCES, topology.REPETITION_DISPUTES
        for bucket in kept:
            self._outgoing.queue_removal(bucket, camera_id)

    def remove_worker(self, worker_id: str) -> None:
        """Remove this worker, which ends; its entry need not expire."""
        self._outgoing.queue_removal(topology.WORKERS, worker_key(worker_id))

    def _latest(self, bucket: str, key: str, fact: Payload) -> None:
        self._outgoing.queue_value(bucket, key, fact.model_dump_json().encode())


class CameraStatuses:
    """The latest observation of each camera, by whichever worker."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.CAMERA_STATUS)

    async def last(self, camera_id: UUID) -> CameraObservedV1 | None:
        """None when the camera was never probed. Raises StatusUnreadableError when the bus does not answer."""
        try:
            value = await self._bucket.get(str(camera_id))
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("camera_status_unreadable", camera_id=str(camera_id), error=type(error).__name__)
            raise StatusUnreadableError from error
        return parse_status(value)

    async def get(self, camera_id: UUID) -> CameraObservedV1 | None:
        """Get a camera's last observation. Raises NatsError or TimeoutError when NATS is away."""
        return parse_status(await self._bucket.get(str(camera_id)))

    async def all(self) -> list[CameraObservedV1]:
        """Ordered by camera id. Raises NatsError or TimeoutError when NATS is away."""
        values = await self._bucket.all()
        statuses = []
        for number, key in enumerate(sorted(values)):
            if number % PARSED_AT_ONCE == PARSED_AT_ONCE - 1:
                await asyncio.sleep(0)
            if (status := parse_status(values[key])) is not None:
                statuses.append(status)
        return statuses


class VerificationResults:
    """The latest read-back of each delivery, by whichever worker."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.VERIFICATIONS)

    async def get(self, delivery_id: UUID) -> DeliveryVerifiedV1 | None:
        """None when it was not read back within a day. Raises NatsError or TimeoutError when NATS is away."""
        return parse_verification(await self._bucket.get(str(delivery_id)))

    async def all(self) -> list[DeliveryVerifiedV1]:
        """Ordered by delivery id. Raises NatsError or TimeoutError when NATS is away."""
        values = await self._bucket.all()
        results = (parse_verification(values[key]) for key in sorted(values))
        return [result for result in results if result is not None]


class DeliveryStates:
    """How each delivery stands, as the forwarder said last."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.DELIVERY_STATUS)

    async def get(self, delivery_id: UUID) -> DeliveryState | None:
        """None when nobody said anything that can be read. Raises NatsError or TimeoutError when NATS is away."""
        value = await self._bucket.get(str(delivery_id))
        try:
            return DeliveryObservedV1.model_validate_json(value).state if value else None
        except ValidationError:
            log.warning("delivery_status_malformed", delivery_id=str(delivery_id))
            return None


class FailureHistories:
    """The last failures of each camera, newest first."""

    def __init__(self, bus: Bus, outgoing: Outgoing | None = None, *, most: int = FAILURES_KEPT) -> None:
        """`outgoing` is needed to record, `most` is how many are kept of each camera."""
        self._bucket = Bucket(bus, topology.CAMERA_FAILURES)
        self._outgoing, self._most = outgoing, most

    async def record(self, probe: CameraObservedV1) -> None:
        """Add a probe. A history that cannot be read now is left as it is: the observations themselves are kept."""
        assert self._outgoing is not None, "made for reading"
        try:
            history = await self.get(probe.camera_id)
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("failures_unreadable", camera_id=str(probe.camera_id), error=type(error).__name__)
            return
        changed = record_probe(history, probe, most=self._most)
        if changed != history:
            body = _FAILURES.dump_json(changed)
            self._outgoing.queue_value(topology.CAMERA_FAILURES, probe.camera_id, body, can_wait=True)

    async def get(self, camera_id: UUID) -> tuple[Failure, ...]:
        """Get a camera's kept failures. Raises NatsError or TimeoutError when NATS is away."""
        value = await self._bucket.get(str(camera_id))
        if not value:
            return ()
        try:
            return _FAILURES.validate_json(value)
        except ValidationError:
            log.warning("failures_malformed", camera_id=str(camera_id))
            return ()


class Cameras:
    """What the inventory says of each camera now."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def get(self, camera_id: UUID) -> CameraV1 | None:
        """None when there is no such camera. Raises NatsError or TimeoutError when NATS is away."""
        subject = subjects.inventory("camera", camera_id)
        try:
            stored = await self._bus.js.get_last_msg(topology.INVENTORY, subject, direct=True)
        except NotFoundError:
            return None
        try:
            data = decode_on(subject, stored.data or b"").data
        except MalformedEventError:
            log.warning("camera_malformed", camera_id=str(camera_id))
            return None
        return data if isinstance(data, CameraV1) else None


class Demands:
    """The record of what people had probers do; nobody deletes from it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def record(self, fact: DemandV1, *, after: int | None = None) -> int:
        """Store a demand before this returns, and return its sequence.

        `after`: the sequence of what was recorded last, as far as the caller knows. Raises OvertakenError when it was
        not the last, NatsError or TimeoutError when NATS is away.
        """
        event = new_event(
            fact, source=f"/prober/{fact.worker_id}", subject=str(fact.id), time=fact.demanded_at, event_id=str(fact.id)
        )
        headers = {"Nats-Msg-Id": event.id}
        if after is not None:
            headers["Nats-Expected-Last-Sequence"] = str(after)
        try:
            stored = await self._bus.js.publish(subjects.demand(fact.kind), event.encode(), headers=headers)
        except APIError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise
            raise OvertakenError from None
        return stored.seq

    async def latest(self, most: int = DEMANDS_SHOWN) -> list[DemandV1]:
        """List the newest, oldest first. Raises NatsError or TimeoutError when NATS is away."""
        return (await self.since(None, most=most))[0]

    async def since(self, sequence: int | None, *, most: int = DEMANDS_SHOWN) -> tuple[list[DemandV1], int]:
        """List the records after a sequence (None: the newest), oldest first, and the sequence of the last one.

        Raises NatsError or TimeoutError when NATS is away.
        """
        last = (await self._bus.js.stream_info(topology.DEMANDS)).state.last_seq
        first = max(1, last - most + 1) if sequence is None else max(sequence + 1, last - most + 1)
        found = []
        async for page in read_stream(self._bus, topology.DEMANDS, first, last):
            for stored in page:
                try:
                    data = decode_on(stored.subject, stored.body).data
                except MalformedEventError as error:
                    log.warning("demand_malformed", sequence=stored.sequence, error=type(error).__name__)
                    continue
                if isinstance(data, DemandV1):
                    found.append(data)
        return found, last


class Workers:
    """The probers that gave a sign of life within the last seconds."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.WORKERS)

    async def all(self) -> list[ProberAliveV1]:
        """Longest running first. Raises NatsError or TimeoutError when NATS is away."""
        values = await self._bucket.all("prober.>")
        alive = [ProberAliveV1.model_validate_json(value) for value in values.values()]
        return sorted(alive, key=lambda worker: worker.started_at)


async def request_keyframe(
    bus: Bus, camera_id: UUID, *, within_s: float, timeout_s: float, after: datetime | None = None
) -> Msg:
    """Request the newest keyframe of the camera's forwarder, or its answer within `within_s` that it has none.

    `after`: one that came after that. Raises NatsError (nobody holds the camera) or TimeoutError.
    """
    body = f"{within_s:.1f}".encode()
    headers = {"after": after.isoformat()} if after is not None else None
    return await bus.client.request(subjects.camera_keyframe(camera_id), body, timeout=timeout_s, headers=headers)


async def request_keyframe_hashes(bus: Bus, camera_id: UUID, body: bytes, *, timeout_s: float) -> Msg:
    """Have the camera's holder hash every keyframe. Raises NatsError (nobody holds it) or TimeoutError."""
    return await bus.client.request(subjects.camera_hash_keyframes(camera_id), body, timeout=timeout_s)


async def end_keyframe_hashes(bus: Bus, camera_id: UUID, body: bytes) -> None:
    """End what `request_keyframe_hashes` began; no answer is waited for. Raises NatsError."""
    await bus.client.publish(subjects.camera_hash_keyframes(camera_id), body)


async def request_probe_lock(bus: Bus, camera_id: UUID, body: bytes, *, timeout_s: float) -> None:
    """Announce a probe on demand; return when another prober objects. Raises TimeoutError when none does, NatsError."""
    await bus.client.request(subjects.probe_lock(camera_id), body, timeout=timeout_s)


async def publish_probe_lock(bus: Bus, camera_id: UUID, body: bytes) -> None:
    """Publish to all probers that a camera is locked, or not any more. Raises NatsError."""
    await bus.client.publish(subjects.probe_lock(camera_id), body)


async def listen_for_probe_locks(bus: Bus, on_message: OnMessage) -> Subscription:
    """Subscribe to what `request_probe_lock` and `publish_probe_lock` send. Raises NatsError."""
    return await bus.client.subscribe(subjects.probe_lock("*"), cb=on_message)


def locked_camera(message: Msg) -> UUID:
    """Find the camera that a message of `listen_for_probe_locks` is about. Raises ValueError."""
    return UUID(message.subject.rpartition(".")[2])


async def listen_for_delivery_changes(bus: Bus, on_message: OnMessage) -> Subscription:
    """Subscribe to changes of deliveries; each comes to one prober. Raises NatsError."""
    return await bus.client.subscribe(
        subjects.stored(subjects.delivery_observation("*")), queue=VERIFIERS, cb=on_message
    )


async def listen_for_read_back_hints(bus: Bus, on_message: OnMessage) -> Subscription:
    """Subscribe to `ReadBackHint` of forwarders; each comes to one prober. Raises NatsError."""
    return await bus.client.subscribe(subjects.read_back_hint("*"), queue=VERIFIERS, cb=on_message)


async def listen_for_media_changes(bus: Bus, on_message: OnMessage) -> Subscription:
    """Subscribe to changes of cameras' media and pictures; each comes to one prober. Raises NatsError."""
    return await bus.client.subscribe(
        subjects.stored(subjects.camera_media_observation("*")), queue=VERIFIERS, cb=on_message
    )


async def publish_judgement(bus: Bus, camera_id: UUID, body: bytes) -> None:
    """Send `PictureJudged` to the camera's holder, unconfirmed. Raises NatsError."""
    await bus.client.publish(subjects.camera_picture_judged(camera_id), body)


def parse_status(value: bytes | None) -> CameraObservedV1 | None:
    """Parse a bucket's value; None when there is none, or another release wrote what this one cannot read."""
    if not value:
        return None
    try:
        return CameraObservedV1.model_validate_json(value)
    except ValidationError as error:
        log.warning("camera_status_malformed", fields=[".".join(map(str, item["loc"])) for item in error.errors()])
        return None


def parse_verification(value: bytes | None) -> DeliveryVerifiedV1 | None:
    """Parse a bucket's value; None when there is none, or another release wrote what this one cannot read."""
    if not value:
        return None
    try:
        return DeliveryVerifiedV1.model_validate_json(value)
    except ValidationError as error:
        log.warning("verification_malformed", fields=[".".join(map(str, item["loc"])) for item in error.errors()])
        return None


async def delivery_camera(bus: Bus, delivery_id: UUID) -> UUID | None:
    """Find the camera of a delivery, as prober or forwarder published it lately; None when they did not.

    Raises NatsError or TimeoutError when NATS is away.
    """
    for bucket in (topology.VERIFICATIONS, topology.DELIVERY_STATUS):
        value = await Bucket(bus, bucket).get(str(delivery_id))
        if value:
            try:
                return _OfCamera.model_validate_json(value).camera_id
            except ValidationError:
                continue
    return None


class _OfCamera(BaseModel):
    """What facts about deliveries have in common."""

    camera_id: UUID
