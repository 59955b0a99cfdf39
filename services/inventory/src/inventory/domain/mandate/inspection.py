"""Inspections of each facility at regular intervals, with findings (R24: at least once every 15 days)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Dated, Fields, Line, Name

HEADINGS: Mapping[str, str] = {
    "facility_id": "Mã cơ sở",
    "inspected_on": "Ngày kiểm tra",
    "agency_id": "Mã cơ quan kiểm tra",
    "inspectors": "Người kiểm tra",
    "findings": "Kết quả kiểm tra",
    "note": "Ghi chú",
    **PERIOD_HEADINGS,
}
INSPECT_EVERY_DAYS = 15
"""Where no obligation of the kind `inspection` says otherwise (R24)."""


class Finding(Fields):
    """One thing that an inspection found wrong."""

    text: Line
    mend_by: date | None = None
    mended_on: date | None = None


class InspectionFields(Dated):
    """One inspection of one facility."""

    facility_id: UUID
    inspected_on: date
    agency_id: UUID = Field(description="The committee or agency that inspected.")
    inspectors: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    findings: Annotated[tuple[Finding, ...], Field(max_length=50)] = ()
    note: Line | None = None


class Due(NamedTuple):
    """When a facility is to be inspected next."""

    due_on: date
    """The last day that is in time."""
    overdue_days: int
    """On the day of the question; 0 while it is in time."""


def next_inspection(last: date | None, since: date, on: date, *, every_days: int = INSPECT_EVERY_DAYS) -> Due:
    """When the next inspection is due. `last`: of the last one; `since`: the first day the facility is inspected."""
    begin = since if last is None else max(last, since)
    due_on = begin + timedelta(days=every_days)
    return Due(due_on, max(0, (on - due_on).days))
