"""Sums over groups of cameras: how they stand now, and where their time went."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from reporting.domain.compliance import Durations, connection_name
from reporting.reports.accounts import CameraAccount
from reporting.storage.plan import Facility


@dataclass(slots=True)
class CameraCounts:
    """Cameras by how they stand now; up + down + maintenance + unknown is the total, and so is
    both + national_only + provincial_only + neither + connection_unknown."""

    total: int = 0
    up: int = 0
    down: int = 0
    maintenance: int = 0
    unknown: int = 0
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

    def add(self, one: CameraAccount) -> None:
        counts = self.cameras
        counts.total += 1
        for name in (one.now.state, connection_name(one.national_now, one.provincial_now)):
            setattr(counts, name, getattr(counts, name) + 1)
        counts.national_connected += one.national_now is True
        counts.provincial_connected += one.provincial_now is True
        counts.compliant += one.compliant_now is True
        self.durations.add(one.account.camera)

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


type _Key = Callable[[Facility], tuple[UUID | None, str | None, str | None]]


class Totals:
    """Adds accounts up per facility; the other groupings are sums of those."""

    def __init__(self, facilities: Iterable[Facility]) -> None:
        self.facilities = list(facilities)
        self._by_facility = {one.id: Group(one.id, one.code, one.name, facilities=1) for one in self.facilities}

    def add(self, accounts: Iterable[CameraAccount]) -> None:
        for one in accounts:
            self._by_facility[one.camera.facility.id].add(one)

    @property
    def by_facility(self) -> list[Group]:
        groups = list(self._by_facility.values())
        for group in groups:
            group.facilities_with_cameras = int(group.cameras.total > 0)
        return groups

    @property
    def by_district(self) -> list[Group]:
        return self._sums(lambda one: (one.district.id, one.district.code, one.district.name))

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
        for facility, group in zip(self.facilities, self.by_facility, strict=True):
            named = key(facility)
            sums.setdefault(named, Group(*named)).merge(group)
        return sorted(sums.values(), key=lambda group: (group.code is None, group.code or "", str(group.id)))
