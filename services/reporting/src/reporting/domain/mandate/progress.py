"""How far each facility is (R12), sums of that, and what changed between two instants.

Counted are facilities that are approved or active; planned, suspended and closed ones are only numbered (mandate 1.5).
A sum is a sum of rows: each number of a group is how many of its rows say so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple
from uuid import UUID

from reporting.domain.mandate.connection import NOT_CONNECTED, Connection, of_facility
from reporting.domain.scope import NOT_COUNTED, Facility
from vonggac.events.inventory import FacilityStatus
from vonggac.sufficiency import Sufficiency


class CameraProgress(NamedTuple):
    """One camera at the instant. `in_scope` False: switched off, and so are its connections."""

    id: str
    code: str
    name: str
    area: str | None
    in_scope: bool
    state: str
    cause: str | None
    connection: Connection


@dataclass(frozen=True, slots=True)
class FacilityProgress:
    """One facility at the instant: a row of the board."""

    facility: Facility
    status: str
    cameras: tuple[CameraProgress, ...]
    surveyed: bool
    plan_agreed: bool
    plan_excepted: bool
    sufficiency: Sufficiency
    focal_point: bool
    blocked: tuple[str, ...]
    """Kinds of its blocked reasons, each once, sorted."""
    overdue: tuple[str, ...]
    """Codes of the obligations that are overdue for it, sorted."""

    @property
    def counted(self) -> bool:
        return self.status not in NOT_COUNTED

    @property
    def connection(self) -> Connection:
        """Of the facility: every camera of a required area that is in scope."""
        counted = [(one.area, one.connection) for one in self.cameras if one.in_scope]
        return of_facility(counted) if counted else NOT_CONNECTED


@dataclass(slots=True)
class Counts:
    """A line of the board. Of facilities, first; `cameras…` are of cameras."""

    facilities: int = 0
    with_cameras: int = 0
    without_cameras: int = 0
    surveyed: int = 0
    plan_agreed: int = 0
    plan_excepted: int = 0
    connected_national: int = 0
    connected_provincial: int = 0
    connected_both: int = 0
    connection_unknown: int = 0
    sufficient: int = 0
    insufficient: int = 0
    unassessed: int = 0
    overdue: int = 0
    blocked: int = 0
    without_focal_point: int = 0
    planned: int = 0
    suspended: int = 0
    closed: int = 0
    cameras: int = 0
    cameras_in_scope: int = 0
    cameras_national: int = 0
    cameras_provincial: int = 0
    cameras_both: int = 0
    cameras_unknown: int = 0
    cameras_needed: int = 0
    blocked_by: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        for name in COUNT_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, count in other.blocked_by.items():
            self.blocked_by[kind] = self.blocked_by.get(kind, 0) + count


COUNT_NAMES = tuple(one.name for one in fields(Counts) if one.name != "blocked_by")
"""The plain numbers of Counts, in their order."""


def counts_of(row: FacilityProgress) -> Counts:
    """Count what one facility adds to the lines that it is in."""
    if not row.counted:
        return Counts(
            planned=int(row.status == FacilityStatus.PLANNED),
            suspended=int(row.status == FacilityStatus.SUSPENDED),
            closed=int(row.status == FacilityStatus.CLOSED),
        )
    cameras = [one.connection for one in row.cameras if one.in_scope]
    connection = row.connection
    return Counts(
        facilities=1,
        with_cameras=int(bool(row.cameras)),
        without_cameras=int(not row.cameras),
        surveyed=int(row.surveyed),
        plan_agreed=int(row.plan_agreed),
        plan_excepted=int(row.plan_excepted),
        connected_national=int(connection.national is True),
        connected_provincial=int(connection.provincial is True),
        connected_both=int(connection.both is True),
        connection_unknown=int(connection.both is None),
        sufficient=int(row.sufficiency.sufficient is True),
        insufficient=int(row.sufficiency.sufficient is False),
        unassessed=int(row.sufficiency.sufficient is None),
        overdue=int(bool(row.overdue)),
        blocked=int(bool(row.blocked)),
        without_focal_point=int(not row.focal_point),
        cameras=len(row.cameras),
        cameras_in_scope=len(cameras),
        cameras_national=sum(one.national is True for one in cameras),
        cameras_provincial=sum(one.provincial is True for one in cameras),
        cameras_both=sum(one.both is True for one in cameras),
        cameras_unknown=sum(one.both is None for one in cameras),
        cameras_needed=row.sufficiency.cameras_needed,
        blocked_by=dict(Counter(row.blocked)),
    )


class Line(NamedTuple):
    """A group of facilities. `id` is None for a type."""

    id: UUID | None
    code: str | None
    name: str | None
    counts: Counts


type GroupKey = tuple[UUID | None, str | None, str | None]


def total_of(rows: Iterable[FacilityProgress]) -> Counts:
    """Add up all rows."""
    result = Counts()
    for row in rows:
        result.add(counts_of(row))
    return result


def grouped(rows: Iterable[FacilityProgress], key: Callable[[Facility], GroupKey]) -> list[Line]:
    """Group the rows to a line for each group that has a facility, by its code."""
    found: dict[GroupKey, Counts] = {}
    for row in rows:
        found.setdefault(key(row.facility), Counts()).add(counts_of(row))
    lines = [Line(*named, counts) for named, counts in found.items()]
    return sorted(lines, key=lambda line: (line.code is None, line.code or "", str(line.id)))


COMPARED = (
    "status",
    "unit",
    "agency",
    "type",
    "cameras",
    "surveyed",
    "plan_agreed",
    "plan_excepted",
    "connected_national",
    "connected_provincial",
    "connected_both",
    "cameras_both",
    "sufficient",
    "focal_point",
    "blocked",
    "overdue",
)
"""What two rows of a facility are compared by."""


class Change(NamedTuple):
    """One thing of one facility that differs between two instants; values as text, None where there was none."""

    facility: Facility
    field: str
    before: str | None
    after: str | None


def changes(before: Sequence[FacilityProgress], after: Sequence[FacilityProgress]) -> list[Change]:
    """List what differs, by facility in the order of `after`, then those that are gone."""
    earlier = {row.facility.id: row for row in before}
    result: list[Change] = []
    for row in after:
        old = earlier.pop(row.facility.id, None)
        known: Mapping[str, str | None] = {} if old is None else compared(old)
        result += [
            Change(row.facility, name, known.get(name), value)
            for name, value in compared(row).items()
            if known.get(name) != value
        ]
    for old in earlier.values():
        result += [
            Change(old.facility, name, value, None) for name, value in compared(old).items() if value is not None
        ]
    return result


def compared(row: FacilityProgress) -> dict[str, str | None]:
    """Return the value of each of COMPARED."""
    connection = row.connection
    values = (
        row.status,
        row.facility.unit.code,
        row.facility.agency.code,
        row.facility.type,
        str(len(row.cameras)),
        truth(row.surveyed),
        truth(row.plan_agreed),
        truth(row.plan_excepted),
        truth(connection.national),
        truth(connection.provincial),
        truth(connection.both),
        str(sum(one.connection.both is True for one in row.cameras if one.in_scope)),
        truth(row.sufficiency.sufficient),
        truth(row.focal_point),
        ",".join(row.blocked) or None,
        ",".join(row.overdue) or None,
    )
    return dict(zip(COMPARED, values, strict=True))


def truth(value: bool | None) -> str:
    """yes, no or unknown."""
    return "unknown" if value is None else "yes" if value else "no"
