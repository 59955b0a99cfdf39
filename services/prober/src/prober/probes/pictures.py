"""The pictures that looks are compared with: the last one of each camera, and the one that a person approved.

Small grey reductions (prober.domain.picture), never shown by the API.
"""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, ValidationError

from prober.domain.findings import Checks
from prober.domain.kinds import PICTURE_CHECKS
from prober.domain.picture import LookUnreadableError, PictureLook, PictureThresholds, judge
from prober.domain.verdict import nothing_checked
from vonggac.bus import Bucket, Bus, Outgoing, topology
from vonggac.events import Cause, subjects
from vonggac.telemetry import get_logger

log = get_logger(__name__)

READ_WITHIN_S = 1.0
"""The camera's verdict does not wait longer for NATS."""
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


class PictureMemory:
    """Reads and keeps the looks of all cameras in the buckets `picture_looks` and `picture_references`."""

    def __init__(self, bus: Bus, outgoing: Outgoing, thresholds: PictureThresholds) -> None:
        self._outgoing, self._thresholds = outgoing, thresholds
        self._looks = Bucket(bus, topology.PICTURE_LOOKS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)

    async def check(self, camera_id: UUID, look: PictureLook) -> Checks:
        """Judge a camera's picture beside what is kept of it, and keep what is to be remembered."""
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                previous, reference = await asyncio.gather(
                    self._looks.get(str(camera_id)), self._references.get(str(camera_id))
                )
        except (NatsError, TimeoutError, OSError):
            return nothing_checked(PICTURE_CHECKS, "NATS did not answer, which holds what to compare with")
        judged = judge(look, _look(previous), _approved(reference), self._thresholds)
        self._outgoing.value(subjects.key_value(topology.PICTURE_LOOKS, camera_id), judged.remember.encode())
        return _checks(judged.findings, judged.not_checked)

    def check_alone(self, look: PictureLook) -> Checks:
        """Judge a picture of which nothing is kept."""
        judged = judge(look, None, None, self._thresholds)
        return _checks(judged.findings, judged.not_checked)


class References:
    """The approved pictures, for the API."""

    def __init__(self, bus: Bus) -> None:
        self._looks = Bucket(bus, topology.PICTURE_LOOKS)
        self._references = Bucket(bus, topology.PICTURE_REFERENCES)

    async def get(self, camera_id: UUID) -> Reference | None:
        """Raises NatsError or TimeoutError when NATS is away."""
        return parse_reference(await self._references.get(str(camera_id)))

    async def approve(self, camera_id: UUID, *, by: str) -> Reference | None:
        """Take the camera's last good look as its reference; None when there is none. Raises as `get` does."""
        stored = await self._looks.get(str(camera_id))
        look = _look(stored)
        if stored is None or look is None:
            return None
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


def _checks(findings: tuple[Cause, ...], not_checked: dict[str, str]) -> Checks:
    checks = Checks(not_checked={Cause(name): reason for name, reason in not_checked.items()})
    for cause in findings:
        checks.found(cause, _SAID[cause])
    return checks
