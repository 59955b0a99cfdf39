"""The thumbnails that pictures are compared with: each camera's last one, and the one that a person approved.

The API never shows a thumbnail (prober.domain.picture).
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, ValidationError

from prober.domain.findings import Checks
from prober.domain.kinds import PICTURE_CHECKS
from prober.domain.picture import (
    PictureHistory,
    PictureJudgement,
    PictureThresholds,
    Thumbnail,
    ThumbnailUnreadableError,
)
from prober.domain.picture.approval import why_no_reference
from prober.domain.verdict import nothing_checked
from prober.messaging import CameraStatuses
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.bucket_cache import watch_bucket
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.telemetry import get_logger

log = get_logger(__name__)

READ_WITHIN_S = 1.0
"""The camera's verdict does not wait longer for NATS."""
RECENT_THUMBNAILS = 2048
"""Kept in memory, 16 KB each."""
_DETAILS = {
    Cause.FROZEN: "the picture stands still",
    Cause.BLACK: "the picture is black",
    Cause.COVERED: "the picture is nearly uniform",
    Cause.BLURRED: "the picture is blurred",
    Cause.NO_SIGNAL_CARD: "the picture is a no-signal card",
    Cause.SCENE_CHANGED: "the picture differs from the approved reference",
}


class Reference(BaseModel):
    """What a person approved as this camera's picture."""

    model_config = ConfigDict(extra="ignore")

    approved_at: AwareDatetime
    approved_by: str
    taken_at: AwareDatetime
    thumbnail: Base64Bytes


@dataclass(frozen=True, slots=True)
class _Recent:
    """The thumbnail of a probe that this process made, and the stamp of its observation."""

    thumbnail: Thumbnail
    deep_at: datetime | None


class PictureStore:
    """The thumbnails and references of all cameras, in the buckets `thumbnails` and `picture_references`.

    A thumbnail that this process stored is read from memory, unless another prober has probed the camera since. The
    keys of the references are watched, so that none is requested where there is none.
    """

    def __init__(self, bus: Bus, outgoing: Outgoing, thresholds: PictureThresholds) -> None:
        self._bus, self._outgoing, self._thresholds = bus, outgoing, thresholds
        self._thumbnails = Bucket(bus, topology.THUMBNAILS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)
        self._recent: OrderedDict[UUID, _Recent] = OrderedDict()
        self._approved: set[str] = set()
        self._approved_known = False

    @property
    def frozen_min_age_s(self) -> float:
        """A picture must stand still for so long to be frozen."""
        return self._thresholds.frozen_min_age_s

    async def watch_references(self) -> None:
        """Until cancelled."""
        await watch_bucket(
            self._bus,
            topology.PICTURE_REFERENCES,
            self._on_reference,
            on_replayed=self._on_replayed,
            keys_only=True,
        )

    async def read_history(self, camera_id: UUID, *, deep_at: datetime | None) -> PictureHistory | None:
        """Read the pictures beside which a camera's next one is judged; None when NATS does not answer.

        `deep_at`: when the camera's picture was last judged, by whichever prober.
        """
        recent = self._recent.get(camera_id)
        if recent is not None and (deep_at is None or recent.deep_at != deep_at):
            recent = None
        if recent is not None and self._has_no_reference(camera_id):
            return PictureHistory(recent.thumbnail, None, self._thresholds)
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                reference = await self._reference(camera_id)
                if recent is not None:
                    return PictureHistory(recent.thumbnail, reference, self._thresholds)
                previous = _thumbnail(await self._thumbnails.get(str(camera_id)))
        except (NatsError, TimeoutError, OSError):
            return None
        return PictureHistory(previous, reference, self._thresholds)

    def nothing_known(self) -> PictureHistory:
        """For a picture of which nothing is kept."""
        return PictureHistory(None, None, self._thresholds)

    def store(self, camera_id: UUID, thumbnail: Thumbnail, *, deep_at: datetime | None) -> None:
        """Store what the camera's next picture is judged beside, with the stamp of the observation it belongs to."""
        self._recent.pop(camera_id, None)
        self._recent[camera_id] = _Recent(thumbnail, deep_at)
        if len(self._recent) > RECENT_THUMBNAILS:
            self._recent.popitem(last=False)
        self._outgoing.queue_value(topology.THUMBNAILS, camera_id, thumbnail.encode(), can_wait=True)

    async def _reference(self, camera_id: UUID) -> Thumbnail | None:
        if self._has_no_reference(camera_id):
            return None
        return _approved(await self._references.get(str(camera_id)))

    def _has_no_reference(self, camera_id: UUID) -> bool:
        """Known without asking the bus."""
        return self._approved_known and str(camera_id) not in self._approved

    def _on_reference(self, key: str, value: bytes | None) -> None:
        (self._approved.discard if value is None else self._approved.add)(key)

    def _on_replayed(self) -> None:
        self._approved_known = True


def picture_checks(judged: PictureJudgement | None) -> Checks:
    """List what was found in a picture; None when there was nothing to compare it with."""
    if judged is None:
        return nothing_checked(PICTURE_CHECKS, "NATS did not answer, which holds what to compare with")
    checks = Checks(not_checked={Cause(name): reason for name, reason in judged.not_checked.items()})
    for cause in judged.findings:
        checks.add_finding(cause, _DETAILS[cause])
    return checks


class PictureRefusedError(Exception):
    """A bad picture cannot be a reference; `cause` says what is wrong with it."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(f"the camera's last picture was not good: {cause}")
        self.cause = cause


class References:
    """The approved pictures, for the API."""

    def __init__(self, bus: Bus) -> None:
        self._thumbnails = Bucket(bus, topology.THUMBNAILS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)
        self._statuses = CameraStatuses(bus)

    async def get(self, camera_id: UUID) -> Reference | None:
        """Get a camera's reference picture. Raises NatsError or TimeoutError when NATS is away."""
        return parse_reference(await self._references.get(str(camera_id)))

    async def approve(self, camera_id: UUID, *, by: str) -> Reference | None:
        """Take the camera's last picture as its reference; None when there is none.

        Raises PictureRefusedError when that picture was bad, and as `get` does.
        """
        stored = await self._thumbnails.get(str(camera_id))
        thumbnail = _thumbnail(stored)
        if stored is None or thumbnail is None:
            return None
        status = await self._statuses.get(camera_id)
        if (cause := why_no_reference(thumbnail, status)) is not None:
            raise PictureRefusedError(cause)
        reference = Reference.model_construct(
            approved_at=datetime.now(UTC), approved_by=by, taken_at=thumbnail.taken_at, thumbnail=stored
        )
        await self._references.put(str(camera_id), reference.model_dump_json().encode())
        return reference

    async def remove(self, camera_id: UUID) -> None:
        """Remove a camera's reference picture. Raises as `get` does."""
        await self._references.delete(str(camera_id))


def parse_reference(value: bytes | None) -> Reference | None:
    """Parse a bucket's value; None when there is none, or another release wrote what this one cannot read."""
    if not value:
        return None
    try:
        return Reference.model_validate_json(value)
    except ValidationError:
        log.warning("picture_reference_malformed")
        return None


def _approved(value: bytes | None) -> Thumbnail | None:
    reference = parse_reference(value)
    return _thumbnail(reference.thumbnail) if reference is not None else None


def _thumbnail(value: bytes | None) -> Thumbnail | None:
    if not value:
        return None
    try:
        return Thumbnail.decode(value)
    except ThumbnailUnreadableError:
        log.warning("thumbnail_malformed")
        return None
