"""Sums over groups of cameras: how they stand now, and where their time went."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from reporting.domain.compliance import connection_name
from reporting.domain.instants import Millis
from reporting.domain.partition import CameraKind, Durations
from reporting.domain.scope import Facility
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraAccount
from reporting.storage.plan import Places


@dataclass(slots=True)
class CameraCounts:
    """Cameras by how they stand now; up + down + maintenance + unknown + out_of_scope is the total, and so is
    both + national_only + provincial_only + neither + connection_unknown + out_of_scope."""

    total: int = 0
    up: int = 0
    down: int = 0
    maintenance: int = 0
    unknown: int = 0
    out_of_scope: int = 0
    national_connected: int = 0
    provincial_connected: int = 0
    both: int = 0
    national_only: int = 0
    provincial_only: int = 0
    neither: int = 0
    connection_unknown: int = 0
    compliant: int = 0


@dataclass(slots=True)
class Group:
    """One line of a grouping, or the total. A group without cameras is still a line."""

    id: UUID | None
    code: str | None
    name: str | None
    facilities: int = 0
    facilities_with_cameras: int = 0
    cameras: CameraCounts = field(default_factory=CameraCounts)
    durations: Durations = field(default_factory=Durations)

    def count(self, one: CameraAccount) -> None:
        """Count a camera that stands there, and how it stands now when the period reaches now."""
        if not one.camera.stands_here:
            return
        counts, now = self.cameras, one.now
        counts.total += 1
        if now is None:
            return
        if now.camera.state == CameraState.OUT_OF_SCOPE:
            counts.out_of_scope += 1
            return
        for name in (now.camera.state, connection_name(now.national, now.provincial)):
            setattr(counts, name, getattr(counts, name) + 1)
        counts.national_connected += now.national is True
        counts.provincial_connected += now.provincial is True
        counts.compliant += now.compliant is True

    def merge(self, other: "Group") -> None:
        """Add a group of other cameras and facilities."""
        for name in CameraCounts.__dataclass_fields__:
            setattr(self.cameras, name, getattr(self.cameras, name) + getattr(other.cameras, name))
        self.durations.add(other.durations)
        self.facilities += other.facilities
        self.facilities_with_cameras += other.facilities_with_cameras


TYPE_NAMES = MappingProxyType(
    {
        "military": "Doanh trại quân đội",
        "health": "Cơ sở y tế",
        "school": "Trường học",
        "dormitory": "Ký túc xá",
        "public_building": "Công trình công cộng",
        "hotel": "Khách sạn",
        "field_hospital": "Bệnh viện dã chiến",
        "factory": "Nhà máy, khu công nghiệp",
    }
)


NATIONAL, PROVINCIAL = frozenset({"both", "national_only"}), frozenset({"both", "provincial_only"})

type _Key = Callable[[Facility], tuple[UUID | None, str | None, str | None]]


class Totals:
    """Adds accounts up per facility as it was at each moment; the other groupings are sums of those.

    A camera is counted where it stood last; its time is counted where it went.
    """

    def __init__(self, places: Places) -> None:
        self.facilities = places.facilities
        self._counted = places.counted
        self._last = {one.id: one for one in self.facilities}
        # By identity: each version of a facility is one object, and hashing one costs as much as an account.
        self._at: dict[int, tuple[Facility, Group]] = {}
        for one in self.facilities:
            self._group(one)

    def add(self, accounts: Iterable[CameraAccount]) -> None:
        for one in accounts:
            self._group(one.camera.facility).count(one)
            for facility, durations in one.places:
                self._group(facility).durations.add(durations)

    def add_times(self, accounts: Iterable[CameraAccount]) -> None:
        """Only where their time went."""
        for one in accounts:
            for facility, durations in one.places:
                self._group(facility).durations.add(durations)

    def add_time(self, facility: Facility, durations: Durations) -> None:
        """Time of some cameras that stood there."""
        self._group(facility).durations.add(durations)

    def add_steady(self, facility: Facility, kind: CameraKind, cameras: int, length: Millis) -> None:
        """Time of cameras that stood there in one kind for so long, each."""
        whole = cameras * length
        self._group(facility).durations.add(Durations(period=whole, **dict.fromkeys(kind, whole)))

    def count_steady(self, facility: Facility, kind: CameraKind, cameras: int) -> None:
        """Cameras that stand there now in a kind that says all: not counted, or up, and connected or not for
        certain."""
        counts = self._group(facility).cameras
        counts.total += cameras
        for name in kind if len(kind) == 1 else (kind[0], kind[2]):
            setattr(counts, name, getattr(counts, name) + cameras)
        counts.national_connected += cameras * (not NATIONAL.isdisjoint(kind))
        counts.provincial_connected += cameras * (not PROVINCIAL.isdisjoint(kind))
        counts.compliant += cameras * ("compliant" in kind)

    def count(self, facility: Facility, cameras: int) -> None:
        """Cameras that stood there last, of a past period."""
        self._group(facility).cameras.total += cameras

    def _group(self, facility: Facility) -> Group:
        found = self._at.get(id(facility))
        if found is None:
            found = self._at[id(facility)] = facility, Group(facility.id, facility.code, facility.name)
        return found[1]

    @property
    def by_facility(self) -> list[Group]:
        groups = {one.id: Group(one.id, one.code, one.name) for one in self.facilities}
        for facility, group in self._at.values():
            last = self._last.get(facility.id, facility)
            groups.setdefault(last.id, Group(last.id, last.code, last.name)).merge(group)
        for key, group in groups.items():
            group.facilities = int(key in self._counted)
            group.facilities_with_cameras = int(key in self._counted and group.cameras.total > 0)
        return list(groups.values())

    @property
    def by_unit(self) -> list[Group]:
        return self._sums(lambda one: (one.unit.id, one.unit.code, one.unit.name))

    @property
    def by_agency(self) -> list[Group]:
        return self._sums(lambda one: (one.agency.id, one.agency.code, one.agency.name))

    @property
    def by_type(self) -> list[Group]:
        return self._sums(lambda one: (None, one.type, TYPE_NAMES.get(one.type, one.type)))

    @property
    def total(self) -> Group:
        result = Group(None, None, None)
        for group in self.by_facility:
            result.merge(group)
        return result

    def _sums(self, key: _Key) -> list[Group]:
        sums: dict[tuple[UUID | None, str | None, str | None], Group] = {}
        for facility, group in self._at.values():
            named = key(facility)
            sums.setdefault(named, Group(*named)).merge(group)
        for group in self.by_facility:
            assert group.id is not None
            if (last := self._last.get(group.id)) is not None:
                counted = sums.setdefault(key(last), Group(*key(last)))
                counted.facilities += group.facilities
                counted.facilities_with_cameras += group.facilities_with_cameras
        return sorted(sums.values(), key=lambda group: (group.code is None, group.code or "", str(group.id)))
