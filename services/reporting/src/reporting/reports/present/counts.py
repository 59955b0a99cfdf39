"""How many cameras stand how now: sums of facilities, so that a change costs one facility's cameras."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.scope import Facility, Named
from reporting.reports.present.board import Board
from reporting.reports.present.rows import Row
from reporting.reports.totals import TYPE_NAMES
from reporting.storage.plan import Scope

COUNT_NAMES = (
    "total", "up", "down", "maintenance", "unknown", "out_of_scope", "national_connected", "provincial_connected",
    "both", "national_only", "provincial_only", "neither", "connection_unknown", "compliant", "non_compliant",
    "compliance_unknown",
)  # fmt: skip
"""Three partitions of `total`, each with out_of_scope: states, connections, verdicts."""
KEPT_SUMS = 16
"""Scopes whose sums are kept as they were written: half a megabyte each of a province of 20,000 cameras."""
CONFIRMED_NAMES = ("up", "down", "maintenance", "unknown", "out_of_scope")


@dataclass(slots=True)
class Sums:
    """Of some cameras. `causes` by state and cause, `destinations` by destination, role and word."""

    cameras: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    causes: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    destinations: Counter[tuple[Named, str | None, str]] = field(default_factory=Counter)
    lacking_since: Millis | None = None
    """Since when a centre has lacked a camera, or nobody knows whether it does: the longest of all of them."""

    def count(self, row: Row) -> None:
        """Count one camera."""
        cameras = self.cameras
        cameras["total"] += 1
        cameras[row.camera.state] += 1
        if not row.is_out_of_scope:
            cameras[row.connection] += 1
            cameras[row.verdict] += 1
            cameras["national_connected"] += row.national.connected is True
            cameras["provincial_connected"] += row.provincial.connected is True
        self.confirmed[row.confirmed.state] += 1
        if row.camera.cause is not None:
            self.causes[row.camera.state, row.camera.cause] += 1
        for one in row.deliveries:
            self.destinations[one.destination, one.role, one.word] += 1
        if row.lacking_since is not None:
            self.lacking_since = min(row.lacking_since, self.lacking_since or row.lacking_since)

    def add(self, other: "Sums") -> None:
        """Add the sums of other cameras."""
        _add(self.cameras, other.cameras)
        _add(self.confirmed, other.confirmed)
        _add(self.causes, other.causes)
        _add(self.destinations, other.destinations)


def _add[Key](mine: Counter[Key], theirs: Counter[Key]) -> None:
    # `Counter.update` costs three times as much, and thousands are added for an answer.
    for key, count in theirs.items():
        mine[key] += count


@dataclass(slots=True)
class Group:
    """One line of a grouping."""

    id: UUID | None
    code: str | None
    name: str | None
    facilities: int = 0
    facilities_with_cameras: int = 0
    cameras: Counter[str] = field(default_factory=Counter)
    lacking_since: Millis | None = None
    """Of a facility alone, as of its `Sums`."""

    def add(self, cameras: Counter[str], *, is_counted: bool) -> None:
        """Add one facility with its cameras."""
        _add(self.cameras, cameras)
        self.facilities += is_counted
        self.facilities_with_cameras += is_counted and cameras["total"] > 0


@dataclass(slots=True)
class Present:
    """The sums of a scope, in total and in groups."""

    total: Group
    sums: Sums
    by_facility: list[tuple[Facility, Group]]
    by_unit: list[Group]
    by_agency: list[Group]
    by_type: list[Group]


class Tally:
    """The sums of each facility, kept until one of its cameras changes."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._of: dict[UUID, Sums] = {}
        self._number = 0
        self._written: OrderedDict[Scope, bytes] = OrderedDict()
        self._written_number = 0

    def of_facility(self, facility_id: UUID) -> Sums:
        """Add up the cameras that stand there now."""
        found = self._of.get(facility_id)
        if found is None:
            found = self._of[facility_id] = Sums()
            for row in self.board.by_facility.get(facility_id, {}).values():
                found.count(row)
        return found

    def renew(self) -> None:
        """Drop what changed since the last time."""
        changed = self.board.changes_since(self._number)
        if changed is None:
            self._of.clear()
        else:
            for camera_id, before in changed.items():
                row = self.board.rows.get(camera_id)
                for facility in (before, None if row is None else row.facility):
                    if facility is not None:
                        self._of.pop(facility.id, None)
        self._number = self.board.number

    def counts(self, scope: Scope) -> Counter[str]:
        """Count all cameras of a scope, as `COUNT_NAMES`."""
        self.renew()
        found: Counter[str] = Counter()
        for facility in self._facilities(scope):
            _add(found, self.of_facility(facility.id).cameras)
        return found

    def write_sums(self, scope: Scope, write: Callable[[Present], bytes]) -> bytes:
        """Return all sums of a scope as `write` makes them: once for each version, for all who see the same."""
        if self._written_number != self.board.number:
            self._written.clear()
            self._written_number = self.board.number
        found = self._written.get(scope)
        if found is None:
            found = self._written[scope] = write(self.present(scope))
            while len(self._written) > KEPT_SUMS:
                self._written.popitem(last=False)
        return found

    def present(self, scope: Scope) -> Present:
        """All sums of a scope."""
        self.renew()
        counted = self.board.places.counted
        result = Present(Group(None, None, None), Sums(), [], [], [], [])
        units, agencies, types = dict[UUID, Group](), dict[UUID, Group](), dict[str, Group]()
        for one in self._facilities(scope):
            sums, here = self.of_facility(one.id), one.id in counted
            alone = Group(one.id, one.code, one.name, lacking_since=sums.lacking_since)
            for group in (
                alone,
                result.total,
                units.setdefault(one.unit.id, Group(*one.unit)),
                agencies.setdefault(one.agency.id, Group(*one.agency)),
                types.setdefault(one.type, Group(None, one.type, TYPE_NAMES.get(one.type, one.type))),
            ):
                group.add(sums.cameras, is_counted=here)
            result.sums.add(sums)
            result.by_facility.append((one, alone))
        result.by_unit, result.by_agency = _ordered(units.values()), _ordered(agencies.values())
        result.by_type = _ordered(types.values())
        return result

    def _facilities(self, scope: Scope) -> Sequence[Facility]:
        return [one for one in self.board.places.facilities if scope.wanted(one)]


def _ordered(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda one: (one.code is None, one.code or "", str(one.id)))


def rows_of(board: Board, scope: Scope) -> Iterable[Row]:
    """Yield the rows of a scope, facility by facility."""
    for one in board.places.facilities:
        if scope.wanted(one):
            yield from board.by_facility.get(one.id, {}).values()
