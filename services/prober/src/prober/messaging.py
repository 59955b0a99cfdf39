"""What the prober says on the bus, and what it remembers there."""

from datetime import datetime
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import ValidationError

from prober.domain.schedule import PreviousLook
from vonggac.bus import Bucket, Bus, Outgoing, topology
from vonggac.events import new_event, subjects
from vonggac.events.prober import CameraObservedV1, ProberAliveV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class StatusUnreadableError(Exception):
    """The bucket did not answer, so nothing is known about the last look."""


class Announcer:
    """Queues facts for JetStream: as events, and as the latest of each in the buckets."""

    def __init__(self, outgoing: Outgoing, *, worker_id: str) -> None:
        self._outgoing = outgoing
        self._source = f"/prober/{worker_id}"

    def observed(self, fact: CameraObservedV1) -> None:
        """One look at one camera."""
        event = new_event(fact, source=self._source, subject=str(fact.camera_id), time=fact.observed_at)
        self._outgoing.event(subjects.camera_observation(fact.camera_id), event)
        self._latest(topology.CAMERA_STATUS, str(fact.camera_id), fact)

    def alive(self, fact: ProberAliveV1) -> None:
        """This worker lives."""
        event = new_event(fact, source=self._source, subject=fact.worker_id, time=fact.alive_at)
        self._outgoing.event(subjects.worker_heartbeat(fact.worker_id), event)
        self._latest(topology.WORKERS, fact.worker_id, fact)

    def forget(self, camera_id: UUID) -> None:
        """The camera is gone or disabled: nobody looks at it any more, so its last look says nothing."""
        self._outgoing.removal(subjects.key_value(topology.CAMERA_STATUS, camera_id))

    def left(self, worker_id: str) -> None:
        """This worker ends; its entry need not expire."""
        self._outgoing.removal(subjects.key_value(topology.WORKERS, worker_id))

    def _latest(self, bucket: str, key: str, fact: CameraObservedV1 | ProberAliveV1) -> None:
        self._outgoing.value(subjects.key_value(bucket, key), fact.model_dump_json().encode())


class CameraStatuses:
    """The latest observation of each camera, by whichever worker."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.CAMERA_STATUS)

    async def previous(self, camera_id: UUID) -> PreviousLook | None:
        """None when the camera was never looked at. Raises StatusUnreadableError when the bus does not answer."""
        try:
            value = await self._bucket.get(str(camera_id))
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("camera_status_unreadable", camera_id=str(camera_id), error=type(error).__name__)
            raise StatusUnreadableError from error
        observed = parse_status(value)
        return PreviousLook.of(observed) if observed else None

    async def get(self, camera_id: UUID) -> CameraObservedV1 | None:
        """Raises NatsError or TimeoutError when NATS is away."""
        return parse_status(await self._bucket.get(str(camera_id)))

    async def all(self) -> list[CameraObservedV1]:
        """Ordered by camera id. Raises NatsError or TimeoutError when NATS is away."""
        values = await self._bucket.all()
        statuses = (parse_status(values[key]) for key in sorted(values))
        return [status for status in statuses if status is not None]


class Workers:
    """The probers that gave a sign of life within the last seconds."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.WORKERS)

    async def all(self) -> list[ProberAliveV1]:
        """Longest running first. Raises NatsError or TimeoutError when NATS is away."""
        values = await self._bucket.all()
        alive = [ProberAliveV1.model_validate_json(values[key]) for key in values if key.startswith("prober-")]
        return sorted(alive, key=_started_at)


def parse_status(value: bytes | None) -> CameraObservedV1 | None:
    """A bucket's value; None when there is none, or when another release wrote what this one cannot read."""
    if not value:
        return None
    try:
        return CameraObservedV1.model_validate_json(value)
    except ValidationError as error:
        log.warning("camera_status_malformed", fields=[".".join(map(str, item["loc"])) for item in error.errors()])
        return None


def _started_at(worker: ProberAliveV1) -> datetime:
    return worker.started_at
