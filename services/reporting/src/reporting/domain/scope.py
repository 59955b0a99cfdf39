"""What was demanded at each moment: where a camera stood, what it had to reach, and when it was not counted.

The plan is dated. What the register changes today changes no moment before today.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.segments import Period, Segment, value_at
from vonggac.events.inventory import FacilityStatus

FOREVER: Millis = 2**62
EPOCH = 1_000_000_000
"""A register that was restored counts its revisions on from the next multiple: above all that were published."""


def is_first(revision: int) -> bool:
    """Whether nothing of the thing was before this revision. Numbers have no gaps: one that is missing shows."""
    return revision % EPOCH <= 1


class Reason(StrEnum):
    """Why a moment of a camera is out of scope."""

    NOT_YET = "not_yet"
    REMOVED = "removed"
    ELSEWHERE = "elsewhere"
    """It stood at a facility that is not asked for: none of that time is counted here (decision 0156)."""
    FACILITY_PLANNED = "facility_planned"
    FACILITY_SUSPENDED = "facility_suspended"
    FACILITY_CLOSED = "facility_closed"
    SWITCHED_OFF = "switched_off"
    BEING_CONNECTED = "being_connected"
    """Its first login or picture was wrong, and it came up in time (`domain.mandate.being_connected`)."""
    REVISION_MISSING = "revision_missing"
    """Not out of scope, but unknown: what the register said then never came here (decision 0106)."""


NOT_COUNTED: Mapping[str, Reason] = {
    FacilityStatus.PLANNED.value: Reason.FACILITY_PLANNED,
    FacilityStatus.SUSPENDED.value: Reason.FACILITY_SUSPENDED,
    FacilityStatus.CLOSED.value: Reason.FACILITY_CLOSED,
}
"""While a facility is one of these, its cameras are out of scope (mandate 1.5)."""


class Absence(NamedTuple):
    """Why a moment is out of scope, who decided it and why, as far as the register says."""

    reason: Reason
    by: str | None = None
    why: str | None = None


class Named(NamedTuple):
    """A thing of the register. Code and name are None while only its id is known here."""

    id: UUID
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility as it was at some time."""

    id: UUID
    code: str
    name: str
    type: str
    restricted: bool
    unit: Named
    agency: Named


class FacilityVersion(NamedTuple):
    """A facility between two of its changes; who made the last one, and why."""

    facility: Facility
    status: str
    by: str | None
    why: str | None
    known: bool = True
    """False: what it was meanwhile never came here; these are the values before, or else after."""
    registered_in: UUID | None = None
    """The unit that the register has it in, where that had ended and the facility's is what followed it."""


class CameraVersion(NamedTuple):
    """A camera between two of its changes; `revision` names its deliveries of that time."""

    revision: int
    code: str
    name: str
    facility_id: str
    enabled: bool
    removed: bool
    by: str | None
    why: str | None
    shared_device_reason: str | None = None
    known: bool = True
    """As of a facility."""


class Delivery(NamedTuple):
    """`role` is None while the destination is not known here yet, `verified_at` where no read-back ever matched.

    Ids of deliveries and cameras are text: there are thousands, and they are only shown and handed on. `plan` is what
    it runs under (R04), None where an earlier release left it out; `plan_exception` why it runs without an agreed plan.
    """

    id: str
    destination: Named
    role: str | None
    required_proof: str
    enabled: bool
    verified_at: datetime | None = None
    delay_s: float | None = None
    plan: str | None = None
    plan_exception: str | None = None
    known: bool = True
    """False: whether its destination was switched on meanwhile, and what it demanded, never came here."""


class Piece(NamedTuple):
    """What is demanded of a camera for a while. Without an absence it is in scope."""

    facility: Facility
    absence: Absence | None
    deliveries: tuple[Delivery, ...]

    @property
    def elsewhere(self) -> bool:
        """Whether it stood at a facility that is not asked for."""
        return self.absence is not None and self.absence.reason is Reason.ELSEWHERE


class Camera(NamedTuple):
    """A camera as it was at the end of the period, its deliveries of the whole period, and its dated plan.

    `shared_device_reason`: why another camera on record has the same device; None: none has. `being_connected`: when it
    was so, also beyond the period.
    """

    id: str
    code: str
    name: str
    facility: Facility
    deliveries: tuple[Delivery, ...]
    pieces: tuple[Segment[Piece], ...] = ()
    shared_device_reason: str | None = None
    being_connected: tuple[Period, ...] = ()

    @property
    def absences(self) -> list[Segment[Absence]]:
        """When it was out of scope, or unknown since a revision is missing, and why."""
        found: list[Segment[Absence]] = []
        for start, end, piece in self.pieces:
            if piece.absence is None:
                continue
            if found and found[-1].end == start and found[-1].value == piece.absence:
                found[-1] = Segment(found[-1].start, end, piece.absence)
            else:
                found.append(Segment(start, end, piece.absence))
        return found

    @property
    def out_of_scope(self) -> list[Segment[Absence]]:
        """When it was out of scope, and why."""
        other = (Reason.REVISION_MISSING, Reason.ELSEWHERE)
        return [one for one in self.absences if one.value.reason not in other]

    @property
    def stands_here(self) -> bool:
        """Whether the place where it stood last is asked for: it is counted there, and nowhere else."""
        return not self.pieces or not self.pieces[-1].value.elsewhere

    @property
    def not_known(self) -> list[Segment[Absence]]:
        """When nobody knows what the register demanded of it."""
        return [one for one in self.absences if one.value.reason is Reason.REVISION_MISSING]


def during(camera: Camera, period: Period) -> Camera:
    """Return the same camera with its plan of a part of the period."""
    start, end = period
    pieces = [
        Segment(max(piece.start, start), min(piece.end, end), piece.value)
        for piece in camera.pieces
        if piece.start < end and piece.end > start
    ]
    return camera._replace(pieces=tuple(pieces))


type Dated[T] = Sequence[Segment[T]]
"""The versions of one thing, in their order, without overlap."""


def version_at[T](versions: Dated[T], at: Millis) -> T:
    """Find the version that holds at `at`, or the first one before all of them: a camera's facility and destinations
    are older than the camera."""
    found = value_at(versions, at)
    return versions[0].value if found is None else found.value


@dataclass(frozen=True, slots=True)
class Register:
    """What the pieces of many cameras share: all dated facilities, the moments at which a destination changed, and
    which facilities are asked for."""

    facilities: Mapping[str, Dated[FacilityVersion]]
    changes: Mapping[str, Sequence[Millis]]
    wanted: Callable[[Facility], bool]


def pieces(
    period: Period,
    camera: Dated[CameraVersion],
    register: Register,
    delivered: Callable[[CameraVersion, Millis], tuple[Delivery, ...]],
) -> tuple[Segment[Piece], ...]:
    """Plan one camera over `period`, without gaps. Facilities that are not known yet make it ().

    `delivered` gives a version's deliveries as they were demanded at a moment.
    """
    if any(one.value.facility_id not in register.facilities for one in camera if not one.value.removed):
        return ()
    result: list[Segment[Piece]] = []
    cuts = _cuts(period, camera, register)
    for start, end in pairwise(cuts):
        piece = _piece(camera, start, register, delivered)
        if result and result[-1].value == piece:
            result[-1] = Segment(result[-1].start, end, piece)
        else:
            result.append(Segment(start, end, piece))
    return tuple(result)


def _cuts(period: Period, camera: Dated[CameraVersion], register: Register) -> list[Millis]:
    found: set[Millis] = {at for one in camera for at in (one.start, one.end)}
    for one in camera:
        if not one.value.removed:
            versions = register.facilities[one.value.facility_id]
            found.update(at for version in versions for at in (version.start, version.end))
    for changes in register.changes.values():
        found.update(changes)
    return [period.start, *sorted(at for at in found if period.start < at < period.end), period.end]


def _piece(
    camera: Dated[CameraVersion],
    at: Millis,
    register: Register,
    delivered: Callable[[CameraVersion, Millis], tuple[Delivery, ...]],
) -> Piece:
    held = value_at(camera, at)
    existing = [one for one in camera if not one.value.removed]
    if held is None or held.value.removed:
        before = [one for one in existing if one.start <= at]
        # A camera that is gone stays where it stood when it went, whatever becomes of the place.
        last, stood_at = (before[-1], before[-1].end - 1) if before else (existing[0], at)
        facility = version_at(register.facilities[last.value.facility_id], stood_at).facility
        if not register.wanted(facility):
            return Piece(facility, Absence(Reason.ELSEWHERE), ())
        gone = Absence(Reason.NOT_YET) if held is None else Absence(Reason.REMOVED, held.value.by, held.value.why)
        return Piece(facility, gone, ())
    version = held.value
    stood = version_at(register.facilities[version.facility_id], at)
    deliveries = delivered(version, at)
    if not version.known:
        # What only the next known revision delivers to may have been there already.
        after = next((one.value for one in existing if one.start >= held.end), version)
        deliveries = tuple({one.id: one for one in (*deliveries, *delivered(after, at))}.values())
    return Piece(stood.facility, absence(version, stood, register), deliveries)


def absence(camera: CameraVersion, facility: FacilityVersion, register: Register) -> Absence | None:
    """Why a camera that exists is out of scope, or unknown since a revision is missing; None while it is counted."""
    if not register.wanted(facility.facility):
        return Absence(Reason.ELSEWHERE)
    if not camera.known or (camera.enabled and not facility.known):
        return Absence(Reason.REVISION_MISSING)
    if facility.known and (reason := NOT_COUNTED.get(facility.status)) is not None:
        return Absence(reason, facility.by, facility.why)
    return None if camera.enabled else Absence(Reason.SWITCHED_OFF, camera.by, camera.why)


def deliveries_of(found: Iterable[Segment[Piece]]) -> tuple[Delivery, ...]:
    """Every delivery of the pieces as it was last, in the order in which they came up."""
    last: dict[str, Delivery] = {}
    for piece in found:
        last.update((one.id, one) for one in piece.value.deliveries)
    return tuple(last.values())
