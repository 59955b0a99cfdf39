"""What is due and what was done: inspections (R24) and the workload of teams (R14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.mandate.facilities import facility_views
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import answer_derived
from inventory.domain.days import day_of, end_of, start_of
from inventory.domain.mandate.inspection import INSPECT_EVERY_DAYS, next_inspection
from inventory.domain.mandate.visit import workload
from inventory.storage.conflicts import invalid
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Facility, Inspection, Obligation, Visit
from vonggac.auth import guarded_router
from vonggac.events.inventory import FacilityStatus, ObligationKind, ObligationStatus
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.mandate.duty_time import covers
from vonggac.mandate.facility_history import Place

router = guarded_router()
DEFAULT_DAYS = 7
MAX_DAYS = 366
INSPECTED = frozenset({FacilityStatus.ACTIVE})
"""Facilities that are inspected: no other holds people."""


class DueInspection(BaseModel):
    """When one facility is to be inspected next."""

    facility_id: UUID
    facility_code: str
    last_inspected_on: date | None
    every_days: int
    due_on: date = Field(description="The last day that is in time.")
    overdue_days: int


class DueInspections(PageOf[DueInspection]):
    """A page."""

    on: date


DUE = Listing[DueInspection, DueInspection](
    DueInspection,
    keys={
        "due_on": Key(lambda one: one.due_on, date),
        "facility_code": Key(lambda one: one.facility_code),
        "last_inspected_on": Key(lambda one: one.last_inspected_on, date),
        "facility_id": Key(lambda one: one.facility_id, UUID),
    },
    id_key="facility_id",
    default_sort="due_on,facility_code",
    envelope=DueInspections,
)


class TeamDay(BaseModel):
    """One team on one day of Asia/Ho_Chi_Minh."""

    team_id: UUID
    day: date
    planned: int
    done: int
    obstructed: int
    cancelled: int


WORKLOAD = Listing[TeamDay, TeamDay](
    TeamDay,
    keys={"day": Key(lambda one: one.day, date), "team_id": Key(lambda one: one.team_id, UUID)},
    id_key="day,team_id",
    default_sort="day,team_id",
)


@dataclass(frozen=True, slots=True)
class InspectionFilters:
    """Which facilities are shown; all that are given must match."""

    overdue_only: bool = False
    facility_id: UUID | None = None
    managing_agency_id: UUID | None = None

    def fit(self, view: Place, due: DueInspection) -> bool:
        """Whether a facility is shown."""
        return (
            bool(due.overdue_days or not self.overdue_only)
            and self.facility_id in {None, view.id}
            and self.managing_agency_id in {None, view.managing_agency_id}
        )


@router.get(
    "/v1/due-inspections",
    summary="When each active facility is to be inspected next",
    tags=["inspections"],
    responses=DUE.responses,
    response_model=None,
)
async def list_due_inspections(
    context: Context,
    page: Annotated[PageQuery[DueInspection, DueInspection], Depends(DUE)],
    filters: Annotated[InspectionFilters, Depends()],
    on: Annotated[date | None, Query(description="Overdue on this day; default: today.")] = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Response:
    """Every 15 days (R24), or as the open obligations of the kind `inspection` say, the shortest of them."""
    day = on or day_of(context.services.store.now())

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[DueInspection]:
        facts = await _inspection_facts(session, recorded, day)
        views = [view for view in await facility_views(session, recorded) if view.status in INSPECTED]
        return [due for view in views if filters.fit(view, due := _due(view, facts, day))]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one, on=day)


@dataclass(frozen=True, slots=True)
class _InspectionFacts:
    """Of every facility the first day and the last inspection, and what obligations ask."""

    facilities: Mapping[UUID, Any]
    last: Mapping[UUID, date]
    obligations: Sequence[Any]


async def _inspection_facts(session: AsyncSession, recorded: Recorded, day: date) -> _InspectionFacts:
    facilities, inspections, obligations = map(recorded.in_force, (Facility, Inspection, Obligation))
    is_open = obligations.c.status == ObligationStatus.OPEN
    inspects = obligations.c.kind == ObligationKind.INSPECTION
    last_of = select(inspections.c.facility_id, func.max(inspections.c.inspected_on)).where(
        inspections.c.inspected_on <= day
    )
    columns = (facilities.c[name] for name in ("id", "code", "valid_from", "created_at"))
    known = {row.id: row for row in await session.execute(select(*columns))}
    last = {row[0]: row[1] for row in await session.execute(last_of.group_by(inspections.c.facility_id))}
    ordered = (await session.execute(select(obligations).where(is_open, inspects))).all()
    return _InspectionFacts(known, last, ordered)


def _due(view: Place, facts: _InspectionFacts, day: date) -> DueInspection:
    asked = (one.every_days for one in facts.obligations if one.every_days is not None and covers(one, view))
    every_days = min(asked, default=INSPECT_EVERY_DAYS)
    known, last = facts.facilities[view.id], facts.last.get(view.id)
    due = next_inspection(last, known.valid_from or day_of(known.created_at), day, every_days=every_days)
    return DueInspection(
        facility_id=view.id,
        facility_code=known.code,
        last_inspected_on=last,
        every_days=every_days,
        due_on=due.due_on,
        overdue_days=due.overdue_days,
    )


@router.get(
    "/v1/team-workload",
    summary="Visits of each team: planned and actual",
    tags=["teams"],
    responses=WORKLOAD.responses,
    response_model=None,
)
async def get_team_workload(
    context: Context,
    page: Annotated[PageQuery[TeamDay, TeamDay], Depends(WORKLOAD)],
    first_day: Annotated[date | None, Query(description="Default: today.")] = None,
    last_day: Annotated[date | None, Query(description="Included; default: six days after the first.")] = None,
    team_id: UUID | None = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Response:
    """Count a visit on the day that it was planned for."""
    first = first_day or day_of(context.services.store.now())
    last = last_day or first + timedelta(days=DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid("last_day", f"must be {first.isoformat()} or one of the {MAX_DAYS - 1} days after it")

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[TeamDay]:
        visits = recorded.in_force(Visit)
        planned = visits.c.planned_from
        query = select(visits).where(planned >= start_of(first), planned < end_of(last))
        if team_id is not None:
            query = query.where(visits.c.team_id == team_id)
        loads = workload((await session.execute(query)).all())
        return [TeamDay(team_id=key[0], day=key[1], **load._asdict()) for key, load in loads.items()]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one)
