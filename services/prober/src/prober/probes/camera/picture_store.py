"""The pictures that looks are compared with: the last one of each camera, and the one that a person approved.

Small grey reductions (prober.domain.picture), never shown by the API.
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
    LookUnreadableError,
    PictureJudgement,
    PictureLook,
    PictureThresholds,
    judge,
    why_no_reference,
)
from prober.domain.verdict import nothing_checked
from prober.messaging import CameraStatuses
from vonggac.bus import Bucket, Bus, Outgoing, topology
from vonggac.bus.bucket_cache import watch_bucket
from vonggac.events import Cause, subjects
from vonggac.telemetry import get_logger

log = get_logger(__name__)

READ_WITHIN_S = 1.0
"""The camera's verdict does not wait longer for NATS."""
RECENT_LOOKS = 2048
"""Kept in memory, 16 KB each."""
_SAID = {
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
    look: Base64Bytes


@dataclass(frozen=True, slots=True)
class _Recent:
    """A look that this process made; `deep_at` tells which one it was."""

    look: PictureLook
    deep_at: datetime | None


@dataclass(frozen=True, slots=True)
class PicturePast:
    """The last look and the approved reference of one camera."""

    previous: PictureLook | None
    reference: PictureLook | None
    thresholds: PictureThresholds

    def judge(self, look: PictureLook) -> PictureJudgement:
        """In any thread."""
        return judge(look, self.previous, self.reference, self.thresholds)


class PictureMemory:
    """Reads and keeps the looks of all cameras in the buckets `picture_looks` and `picture_references`.

    Those that this process made are read from memory, unless another prober has looked since. Which cameras have a
    reference is followed, so that nothing is asked for where there is none.
    """

    def __init__(self, bus: Bus, outgoing: Outgoing, thresholds: PictureThresholds) -> None:
        self._bus, self._outgoing, self._thresholds = bus, outgoing, thresholds
        self._looks = Bucket(bus, topology.PICTURE_LOOKS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)
        self._recent: OrderedDict[UUID, _Recent] = OrderedDict()
        self._approved: set[str] = set()
        self._approved_known = False

    async def follow_references(self) -> None:
        """Until cancelled."""
        await watch_bucket(
            self._bus,
            topology.PICTURE_REFERENCES,
            self._on_reference,
            on_replayed=self._on_replayed,
            keys_only=True,
        )

    async def recall(self, camera_id: UUID, *, deep_at: datetime | None) -> PicturePast | None:
        """What a camera's next picture is judged beside; None when NATS does not answer.

        `deep_at`: when the camera's picture was last judged, by whichever prober.
        """
        recent = self._recent.get(camera_id)
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                reference = await self._reference(camera_id)
                if recent is not None and deep_at is not None and recent.deep_at == deep_at:
                    return PicturePast(recent.look, reference, self._thresholds)
                previous = _look(await self._looks.get(str(camera_id)))
        except (NatsError, TimeoutError, OSError):
            return None
        return PicturePast(previous, reference, self._thresholds)

    def nothing_known(self) -> PicturePast:
        """For a picture of which nothing is kept."""
        return PicturePast(None, None, self._thresholds)

    def store(self, camera_id: UUID, look: PictureLook, *, deep_at: datetime | None) -> None:
        """Store what the camera's next picture is judged beside, with the stamp of the observation it belongs to."""
        self._recent.pop(camera_id, None)
        self._recent[camera_id] = _Recent(look, deep_at)
        if len(self._recent) > RECENT_LOOKS:
            self._recent.popitem(last=False)
        self._outgoing.value(subjects.key_value(topology.PICTURE_LOOKS, camera_id), look.encode())

    async def _reference(self, camera_id: UUID) -> PictureLook | None:
        if self._approved_known and str(camera_id) not in self._approved:
            return None
        return _approved(await self._references.get(str(camera_id)))

    def _on_reference(self, key: str, value: bytes | None) -> None:
        (self._approved.discard if value is None else self._approved.add)(key)

    def _on_replayed(self) -> None:
        self._approved_known = True


def picture_checks(judged: PictureJudgement | None) -> Checks:
    """What was found in a picture; None when there was nothing to compare it with."""
    if judged is None:
        return nothing_checked(PICTURE_CHECKS, "NATS did not answer, which holds what to compare with")
    checks = Checks(not_checked={Cause(name): reason for name, reason in judged.not_checked.items()})
    for cause in judged.findings:
        checks.found(cause, _SAID[cause])
    return checks


class PictureRefusedError(Exception):
    """A bad picture cannot be a reference; `cause` says what is wrong with it."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(f"the camera's last look was not good: {cause}")
        self.cause = cause


class References:
    """The approved pictures, for the API."""

    def __init__(self, bus: Bus) -> None:
        self._looks = Bucket(bus, topology.PICTURE_LOOKS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)
        self._statuses = CameraStatuses(bus)

    async def get(self, camera_id: UUID) -> Reference | None:
        """Raises NatsError or TimeoutError when NATS is away."""
        return parse_reference(await self._references.get(str(camera_id)))

    async def approve(self, camera_id: UUID, *, by: str) -> Reference | None:
        """Take the camera's last look as its reference; None when there is none.

        Raises PictureRefusedError when that look was bad, and as `get` does.
        """
        stored = await self._looks.get(str(camera_id))
        look = _look(stored)
        if stored is None or look is None:
            return None
        status = await self._statuses.get(camera_id)
        if (cause := why_no_reference(look, status)) is not None:
            raise PictureRefusedError(cause)
        reference = Reference.model_construct(
            approved_at=datetime.now(UTC), approved_by=by, taken_at=look.taken_at, look=stored
        )
        await self._references.put(str(camera_id), reference.model_dump_json().encode())
        return reference

    async def forget(self, camera_id: UUID) -> None:
        """Raises as `get` does."""
        await self._references.delete(str(camera_id))


def parse_reference(value: bytes | None) -> Reference | None:
    """A bucket's value; None when there is none, or when another release wrote what this one cannot read."""
    if not value:
        return None
    try:
        return Reference.model_validate_json(value)
    except ValidationError:
        log.warning("picture_reference_malformed")
        return None


def _approved(value: bytes | None) -> PictureLook | None:
    reference = parse_reference(value)
    return _look(reference.look) if reference is not None else None


def _look(value: bytes | None) -> PictureLook | None:
    if not value:
        return None
    try:
        return PictureLook.decode(value)
    except LookUnreadableError:
        log.warning("picture_look_malformed")
        return None
