"""The forwarder at the bus, in and out: reports, adoption, camera RPC, hand-over, statuses."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import BaseModel, TypeAdapter

from forwarder.domain.assignment.commands import RetryOutcome
from forwarder.domain.assignment.ownership import holds
from forwarder.domain.camera_pull import next_attempt_at
from forwarder.domain.clock import Instant
from forwarder.domain.picture.nothing_new import NothingNew
from forwarder.domain.reported import ReportedCamera, ReportedDelivery
from forwarder.domain.serving.holders import ServedPaths
from forwarder.domain.serving.served_delivery import responsibility
from vonggac.bus import Bucket, Bus, Job, Outgoing
from vonggac.bus.bucket_cache import BucketCache
from vonggac.bus.declared import topology
from vonggac.events import MalformedEventError, decode_on, new_event, share_field_names, subjects
from vonggac.events.envelope import worker_key
from vonggac.events.forwarder import (
    CameraMediaObservedV1,
    CentreRequest,
    DeliveryObservedV1,
    ForwarderAliveV1,
    KeyframeHistory,
    MediaState,
    ReadBackHint,
)
from vonggac.events.inventory.serving import served_path
from vonggac.telemetry import get_logger

log = get_logger(__name__)

ADOPT_WITHIN_S = 1.0
ANSWER_WITHIN_S = 1.0
RETRY_WITHIN_S = 2.0
ADOPTED = b"adopted"
DELIVERIES = TypeAdapter(list[DeliveryObservedV1], config=DeliveryObservedV1.model_config)
"""Answer of a camera's holder to a request on `forwarder.camera.<camera_id>.deliveries`."""
_JOB_SUBJECT, _JOB_REPLY = "Vonggac-Job-Subject", "Vonggac-Job-Reply"


class RetryAnswer(BaseModel):
    """Answer of a camera's holder to a request on `forwarder.camera.<camera_id>.retry`."""

    outcome: RetryOutcome


class Reporter:
    """Turns changes into events and bucket values. Never waits: `Outgoing` keeps what is not stored yet."""

    def __init__(self, outgoing: Outgoing, *, worker_id: str, started_at: datetime) -> None:
        self.worker_id = worker_id
        self._outgoing, self._started_at = outgoing, started_at
        self.passage_address: str | None = None
        """Where other workers pass centres on to this one."""
        self.takes_centres = False
        """Whether centres connect to this worker."""
        self.awake_since = started_at
        """Since when this worker has watched without a hole: nothing is claimed of the time before."""
        self.clock_stepped_s = 0.0
        """By how much the server's clock was set until then."""
        self._sequences: dict[UUID, int] = {}

    def describe_delivery(self, relay: ReportedCamera, supervisor: ReportedDelivery) -> DeliveryObservedV1:
        """Describe the delivery's current state, with the sequence number of its last report (1 before the first)."""
        plan, delivery, counts = supervisor.plan, supervisor.delivery, supervisor.slot.counts
        return DeliveryObservedV1(
            delivery_id=plan.id,
            camera_id=relay.camera.id,
            destination_id=plan.destination_id,
            facility_id=relay.camera.facility_id,
            camera_revision=relay.camera.revision,
            worker_id=self.worker_id,
            held_since=relay.held_since,
            sequence=self._sequences.get(plan.id, 1),
            observed_at=max(delivery.since, self.awake_since),
            state=delivery.state,
            cause=delivery.cause,
            detail=delivery.detail,
            attempt=delivery.attempt,
            next_attempt_at=next_attempt_at(delivery, relay.pull),
            last_success_at=delivery.last_success_at,
            bytes_acknowledged=counts.bytes_acknowledged,
            packets_sent=counts.packets_sent,
            groups_dropped=counts.groups_dropped,
            bytes_written=counts.bytes_written,
            packets_dropped=counts.packets_dropped,
            frames_sent=counts.frames_sent,
            verified_at=delivery.verified_at,
            delay_s=delivery.delay_s,
            media_since=relay.media_watch.media.since,
            media_stopped_at=relay.media_watch.media.stopped_at,
            last_acknowledged_at=delivery.last_acknowledged_at,
            **_describe_serving(supervisor),
        )

    def report_change(
        self,
        relay: ReportedCamera,
        supervisor: ReportedDelivery,
        *,
        latest: bool = True,
        changes: int = 1,
        first_changed_at: datetime | None = None,
    ) -> None:
        """Report `changes` of state; `latest=False` leaves the bucket alone, because another worker reports to it now.

        A delivery that is no longer planned is removed from the bucket.
        """
        key = supervisor.plan.id
        self._sequences[key] = self._sequences.get(key, 0) + 1
        observed = self.describe_delivery(relay, supervisor)
        if changes > 1:
            observed = observed.model_copy(update={"changes": changes, "first_changed_at": first_changed_at})
        status = observed
        if supervisor.agreed is not None:
            # What ends a session comes with the last match of it.
            observed = observed.model_copy(update={"agreed": supervisor.agreed})
            supervisor.agreed = None
        event = new_event(observed, source=f"/forwarder/{self.worker_id}", subject=str(key), time=observed.observed_at)
        self._outgoing.queue_event(subjects.delivery_observation(key), event)
        if latest and key in {planned.id for planned in relay.camera.deliveries}:
            self._outgoing.queue_value(topology.DELIVERY_STATUS, key, status.model_dump_json().encode())
        elif latest:
            self._outgoing.queue_removal(topology.DELIVERY_STATUS, key)

    def report_media(self, relay: ReportedCamera, now: Instant, nothing_new: NothingNew, *, released: bool) -> None:
        """Report when a camera's media began or stopped, when its picture showed nothing new, and what it shows."""
        camera, media, picture = relay.camera, relay.media_watch.media, relay.keyframes.watch.picture
        self._sequences[camera.id] = self._sequences.get(camera.id, 0) + 1
        state = MediaState.FLOWING if media.flowing else MediaState.STOPPED
        observed = CameraMediaObservedV1(
            camera_id=camera.id,
            facility_id=camera.facility_id,
            camera_revision=camera.revision,
            worker_id=self.worker_id,
            held_since=relay.held_since,
            sequence=self._sequences[camera.id],
            observed_at=now.at,
            state=MediaState.RELEASED if released else state,
            cause=media.cause,
            media_since=media.since,
            media_stopped_at=media.stopped_at,
            still_since=nothing_new.since,
            still_until=nothing_new.until,
            still_cause=nothing_new.cause,
            picture_since=picture.since if picture is not None else None,
            picture_sign=picture.sign if picture is not None else None,
            picture_judged=picture is not None and picture.judged,
            picture_cause=picture.cause if picture is not None else None,
        )
        event = new_event(observed, source=f"/forwarder/{self.worker_id}", subject=str(camera.id), time=now.at)
        self._outgoing.queue_event(subjects.camera_media_observation(camera.id), event)

    def remove_statuses(self, delivery_ids: Iterable[UUID]) -> None:
        """Remove the deliveries of a removed camera that nobody holds from the bucket."""
        for delivery_id in delivery_ids:
            self._outgoing.queue_removal(topology.DELIVERY_STATUS, delivery_id)

    def report_alive(self, now: Instant, cameras_held: int, *, capacity: int, stopping: bool = False) -> None:
        """One heartbeat."""
        alive = ForwarderAliveV1(
            worker_id=self.worker_id,
            started_at=self._started_at,
            alive_at=now.at,
            cameras_held=cameras_held,
            capacity=capacity,
            stopping=stopping,
            awake_since=self.awake_since,
            clock_stepped_s=self.clock_stepped_s,
            passage_address=self.passage_address,
            takes_centres=self.takes_centres,
        )
        event = new_event(alive, source=f"/forwarder/{self.worker_id}", subject=self.worker_id, time=now.at)
        self._outgoing.queue_event(subjects.worker_heartbeat("forwarder", self.worker_id), event)
        key = worker_key(self.worker_id)
        self._outgoing.queue_value(topology.WORKERS, key, alive.model_dump_json().encode())


def _describe_serving(supervisor: ReportedDelivery) -> dict[str, Any]:
    """Describe how a centre pulls the delivery: its fields; none where no centre pulls it."""
    serving = supervisor.serving
    if serving is None:
        return {}
    asking = serving.asking
    return {
        "taken_by": serving.taken_by,
        "asked_at": asking.asked_at,
        "asked_by": asking.asked_by,
        "refused_for": asking.refused_for,
        "refusals": dict(asking.refusals),
        "served_path": served_path(supervisor.plan.url),
        "responsibility": responsibility(supervisor.delivery, asking, serving.now),
    }


class Adoption:
    """Gives a job to the worker that holds its camera already, so that the camera is never pulled twice.

    The answer to a JetStream message may be published by any client, so the holder needs only the reply subject.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def offer_job(self, camera_id: UUID, job: Job) -> bool:
        """Whether another worker holds the camera and has taken the job. False also when nobody answers in time."""
        subject, headers = subjects.camera_adopt(camera_id), job_headers(job)
        try:
            answer = await self._bus.client.request(subject, job.message.data, ADOPT_WITHIN_S, headers=headers)
        except NoRespondersError:
            return False
        except (TimeoutError, NatsError, OSError) as error:
            log.warning("adoption_unanswered", camera_id=str(camera_id), error=type(error).__name__)
            return False
        return bool(answer.data == ADOPTED)

    async def listen_for_offers(self, camera_id: UUID, adopt: Callable[[Job], Awaitable[None]]) -> Subscription:
        """Hand jobs that other workers offer for this camera to `adopt`. Raises NatsError when the bus is closed."""

        async def offered(message: Msg) -> None:
            if (job := read_job(self._bus, message)) is not None:
                await adopt(job)
                await message.respond(ADOPTED)

        return await self._bus.client.subscribe(subjects.camera_adopt(camera_id), cb=offered)


def job_headers(job: Job) -> dict[str, str]:
    """Write what another worker needs beside the message's body to answer for a job."""
    return {_JOB_SUBJECT: job.message.subject, _JOB_REPLY: job.message.reply}


def read_job(bus: Bus, message: Msg) -> Job | None:
    """Read the job that another worker passed on; None, with a line in the log, when it is none."""
    headers = message.headers or {}
    subject, reply = headers.get(_JOB_SUBJECT, ""), headers.get(_JOB_REPLY, "")
    original = Msg(bus.client, subject=subject, reply=reply, data=message.data)
    try:
        event, metadata = decode_on(subject, message.data), original.metadata
    except (MalformedEventError, NatsError, ValueError, IndexError) as error:
        log.warning("adoption_malformed", error=type(error).__name__)
        return None
    return Job(event, original, metadata.num_delivered, metadata.sequence.stream)


async def request_deliveries(bus: Bus, camera_id: UUID) -> list[DeliveryObservedV1]:
    """How a camera's deliveries stand at this moment; empty when nobody holds it or the holder does not answer."""
    try:
        answer = await bus.client.request(subjects.camera_deliveries(camera_id), b"", ANSWER_WITHIN_S)
        return DELIVERIES.validate_json(answer.data)
    except NoRespondersError:
        return []
    except (TimeoutError, NatsError, OSError, ValueError) as error:
        log.info("holder_unanswered", camera_id=str(camera_id), error=type(error).__name__)
        return []


async def request_retry(bus: Bus, camera_id: UUID, delivery_id: UUID) -> RetryOutcome:
    """Request a retry of the camera's holder, and return what it made of it; `not_running` when nobody holds it.

    Raises NatsError, TimeoutError or ValueError when there is no usable answer.
    """
    try:
        answer = await bus.client.request(subjects.camera_retry(camera_id), str(delivery_id).encode(), RETRY_WITHIN_S)
    except NoRespondersError:
        return RetryOutcome.NOT_RUNNING
    return RetryAnswer.model_validate_json(answer.data).outcome


type OnMessage = Callable[[Msg], Awaitable[None]]


async def serve_camera(
    bus: Bus, camera_id: UUID, handlers: Mapping[str, OnMessage], verification: OnMessage
) -> list[Subscription]:
    """Subscribe to what others request of the camera's holder, and to its verifications. Raises NatsError.

    `handlers`: by the last word of the request's subject; a verification that is no fact comes as `read_back`, the
    others are heard when they are stored.
    """

    async def requested(message: Msg) -> None:
        if handler := handlers.get(message.subject.rpartition(".")[2]):
            await handler(message)

    return [
        # One subscription for all requests: each has a queue and a task of its own, 5 kB of memory.
        await bus.client.subscribe(subjects.camera_requests(camera_id), cb=requested),
        await bus.client.subscribe(subjects.stored(subjects.delivery_verification(camera_id, "*")), cb=verification),
    ]


def report_centre_request(outgoing: Outgoing, camera_id: UUID, request: CentreRequest) -> None:
    """Let the holder of a camera know what its centre asked this worker for."""
    outgoing.queue_live(subjects.camera_centre_request(camera_id), request.model_dump_json().encode())


async def publish_unconfirmed(bus: Bus, fact: KeyframeHistory | ReadBackHint) -> None:
    """Put hashed keyframes into their bucket, or ask for a read-back: the next one replaces it. Raises NatsError."""
    bucket, hint = subjects.key_value(topology.KEYFRAMES, fact.camera_id), subjects.read_back_hint(fact.camera_id)
    await bus.client.publish(hint if isinstance(fact, ReadBackHint) else bucket, fact.model_dump_json().encode())


async def request_handover(
    bus: Bus, worker_id: str, job: Job, headers: dict[str, str], *, within_s: float
) -> bytes | None:
    """Hand a job over to a worker, and return its answer; None when it is absent. Raises NatsError or TimeoutError."""
    subject = subjects.worker_handover(worker_id)
    try:
        reply = await bus.client.request(subject, job.message.data, within_s, headers=job_headers(job) | headers)
    except NoRespondersError:
        return None
    return bytes(reply.data)


async def serve_handovers(bus: Bus, worker_id: str, on_request: OnMessage) -> Subscription:
    """Subscribe to jobs that other workers hand over to this one. Raises NatsError when the bus is closed."""
    return await bus.client.subscribe(subjects.worker_handover(worker_id), cb=on_request)


async def serve_losses(bus: Bus, worker_id: str, on_lost: OnMessage) -> Subscription:
    """Subscribe to reports that facts of this worker are lost. Raises NatsError when the bus is closed."""
    return await bus.client.subscribe(subjects.worker_facts_lost(worker_id), cb=on_lost)


class StatusBoard:
    """The latest of every delivery, by whichever worker."""

    def __init__(self, bus: Bus, seen: Callable[[DeliveryObservedV1], None]) -> None:
        """`seen` is called with every report as it comes in, those of this worker included."""
        self._seen = seen
        self.served_paths = ServedPaths()
        self._cache = BucketCache(
            bus,
            topology.DELIVERY_STATUS,
            parse_key=UUID,
            parse_value=lambda value: share_field_names(DeliveryObservedV1.model_validate_json(value)),
            on_change=self._changed,
        )

    @property
    def deliveries(self) -> dict[UUID, DeliveryObservedV1]:
        return self._cache.values

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._cache.run()

    async def wait_loaded(self) -> None:
        """Wait until every last report is known."""
        await self._cache.loaded.wait()

    def of_camera(self, camera_id: UUID) -> list[DeliveryObservedV1]:
        """List the last reports of one camera's deliveries."""
        return [observed for observed in self.deliveries.values() if observed.camera_id == camera_id]

    def held_by_another(self, camera_id: UUID, worker_id: str) -> bool:
        """Whether by the last reports another worker holds the camera."""
        return any(holds(observed) and observed.worker_id != worker_id for observed in self.of_camera(camera_id))

    def _changed(self, key: UUID, observed: DeliveryObservedV1 | None) -> None:
        self.served_paths.note_report(key, observed)
        if observed is not None:
            self._seen(observed)


async def remove_worker(bus: Bus, worker_id: str) -> None:
    """Take a worker off the list before its entry expires."""
    try:
        await Bucket(bus, topology.WORKERS).delete(worker_key(worker_id))
    except (NatsError, TimeoutError, OSError) as error:
        log.info("worker_not_removed", worker_id=worker_id, error=type(error).__name__)


async def workers_alive(bus: Bus) -> list[ForwarderAliveV1]:
    """List the forwarders with a recent heartbeat, longest running first. Raises NatsError or TimeoutError."""
    values = await Bucket(bus, topology.WORKERS).all("forwarder.>")
    alive = [ForwarderAliveV1.model_validate_json(value) for value in values.values()]
    return sorted(alive, key=lambda worker: worker.started_at)
