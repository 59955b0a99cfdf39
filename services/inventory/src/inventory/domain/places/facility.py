"""Quarantine facilities (R23)."""

from datetime import date
from typing import Protocol
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Line, ListedCode, Name
from vonggac.events.inventory import FacilityStatus, FacilityType

HEADINGS = {
    "code": "Mã cơ sở",
    "name": "Tên cơ sở",
    "type": "Loại hình",
    "status": "Trạng thái",
    "unit_id": "Mã đơn vị hành chính",
    "managing_agency_id": "Mã cơ quan quản lý",
    "address": "Địa chỉ",
    "beds": "Số giường",
    "occupancy": "Số người đang cách ly",
    "decision_number": "Số quyết định",
    "decision_date": "Ngày quyết định",
    "latitude": "Vĩ độ",
    "longitude": "Kinh độ",
    "restricted": "Khu vực quân sự",
    **PERIOD_HEADINGS,
}
_IN_SERVICE = frozenset({FacilityStatus.PLANNED, FacilityStatus.APPROVED, FacilityStatus.ACTIVE})


class FacilityFacts(Dated):
    """The fields of a facility, without its unit and agency."""

    code: ListedCode
    name: Name
    type: FacilityType
    status: FacilityStatus = FacilityStatus.ACTIVE
    address: Line | None = None
    beds: int | None = Field(default=None, ge=0, le=100_000, description="Capacity in beds.")
    occupancy: int | None = Field(
        default=None, ge=0, le=100_000, description="People in it, as one total; nothing about any person is kept."
    )
    decision_number: Name | None = Field(default=None, description="Decision that founds the facility.")
    decision_date: date | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90, description="Degrees, WGS 84.")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="Degrees, WGS 84.")
    restricted: bool = Field(default=False, description="Military site: its address and streams are restricted.")


class FacilityFields(FacilityFacts):
    """A facility with its unit and its managing agency."""

    unit_id: UUID
    managing_agency_id: UUID


class _WithStatus(Protocol):
    @property
    def status(self) -> FacilityStatus: ...


def asks_reason(before: _WithStatus | None, after: _WithStatus | None) -> str | None:
    """Why a facility goes out of service, is registered as out of it, or comes back, stands in the reports."""
    if after is None:
        return None
    if before is None:
        return None if after.status in _IN_SERVICE else f"registering the facility as {after.status}"
    if before.status == after.status:
        return None
    if before.status in _IN_SERVICE and after.status in _IN_SERVICE:
        return None
    return "reopening the facility" if after.status in _IN_SERVICE else f"setting the facility to {after.status}"
