"""Rules of facilities that need other records: guards of the lifecycle, who is in office (R17)."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import ColumnElement, Date, DateTime, FromClause, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.places.lifecycle import met_guards
from inventory.nouns.mandate.states import check_happened
from inventory.nouns.shown import Shown
from inventory.nouns.units import refuse_ended
from inventory.storage.conflicts import invalid
from inventory.storage.queries.lists import Recorded
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import Facility, FocalPoint
from vonggac.events.inventory import FacilityStatus, FacilityType

PROVINCE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")


class FacilityResponse(Shown):
    """One facility."""

    code: str
    name: str
    type: FacilityType
    status: FacilityStatus
    address: str | None
    beds: int | None = Field(description="Capacity in beds.")
    occupancy: int | None = Field(description="People in it, as one total; nothing about any person is kept.")
    decision_number: str | None = Field(description="Decision that founds the facility.")
    decision_date: date | None
    latitude: float | None = Field(description="Degrees, WGS 84.")
    longitude: float | None = Field(description="Degrees, WGS 84.")
    restricted: bool = Field(description="Military site: its address and streams are restricted.")
    unit_id: UUID
    managing_agency_id: UUID


class FacilityWithOfficer(FacilityResponse):
    """A facility, and whether it lacks the officer that the mandate demands."""

    focal_point_missing: bool = Field(
        description="It is active, and no focal point is in office (R17) on `valid_on`, the day of `as_of`, or today."
    )


async def with_officer(session: AsyncSession, row: Mapping[str, Any], recorded: Recorded) -> Mapping[str, Any]:
    """Whether a facility that is active has nobody in office."""
    if row["status"] != FacilityStatus.ACTIVE:
        return {"focal_point_missing": False}
    facilities = recorded(Facility)
    missing = select(facilities.c.id).where(
        facilities.c.id == row["id"], without_focal_point(facilities, missing=True, recorded=recorded)
    )
    return {"focal_point_missing": await session.scalar(missing) is not None}


async def facility_guards(transaction: WriteTransaction, facility: Facility, _to: Any) -> Collection[str]:
    """Guards of the lifecycle that hold for a facility."""
    return set(
        met_guards(
            decision_number=facility.decision_number,
            decision_date=facility.decision_date,
            in_office=await count_in_office(transaction, facility.id),
            reason=transaction.actor.reason,
        )
    )


async def check_decision(transaction: WriteTransaction, before: Facility | None, after: Facility | None) -> None:
    """Raise ProblemError 422 for a facility that is registered as approved without its decision, or loses the one that
    founds it: only of a planned one may it be taken back. A decision of a day to come founds none. Nor for one that
    newly names a unit or an agency that has ended."""
    if after is not None:
        await refuse_ended(transaction, before, after)
        check_happened(transaction.now, before, after, "decision_date")
    if after is None or after.status is FacilityStatus.PLANNED or _is_decided(after):
        return
    registered = before is None or before.status is not after.status
    if (registered and after.status is FacilityStatus.APPROVED) or (before is not None and _is_decided(before)):
        field = "decision_date" if after.decision_number else "decision_number"
        raise invalid(field, "is missing: what approves a facility is a decision, with a number and a date (R23)")


def _is_decided(facility: Facility) -> bool:
    return bool(facility.decision_number and facility.decision_date)


async def count_in_office(transaction: WriteTransaction, facility_id: UUID) -> int:
    """Focal points of the facility whose term holds today."""
    today = transaction.now.astimezone(PROVINCE_TIME).date()
    query = select(func.count()).where(
        FocalPoint.facility_id == facility_id,
        FocalPoint.valid_from <= today,
        FocalPoint.valid_to.is_(None) | (FocalPoint.valid_to >= today),
    )
    return await transaction.session.scalar(query) or 0


def without_focal_point(facilities: FromClause, missing: bool, recorded: Recorded) -> ColumnElement[bool]:
    """Whether no focal point of the facility is in office on the day asked about (Asia/Ho_Chi_Minh)."""
    people = recorded(FocalPoint)
    instant = func.now() if recorded.as_of is None else literal(recorded.as_of, DateTime(timezone=True))
    today: Any = cast(func.timezone(PROVINCE_TIME.key, instant), Date)
    if recorded.valid_on is not None:
        today = literal(recorded.valid_on, Date)
    found = select(people.c.id).where(
        people.c.facility_id == facilities.c.id,
        people.c.valid_from <= today,
        people.c.valid_to.is_(None) | (people.c.valid_to >= today),
    )
    return ~found.exists() if missing else found.exists()
