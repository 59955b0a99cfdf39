"""What is due and what was done: inspections (R24) and the workload of teams (R14)."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from inventory.api.context import Context
from inventory.api.mandate.facilities import facility_views
from inventory.api.nouns.clocks import AsOf
from inventory.domain.days import day_of, end_of, start_of
from inventory.domain.mandate.inspection import INSPECT_EVERY_DAYS, next_inspection
from inventory.domain.mandate.obligation import covers
from inventory.domain.mandate.visit import workload
from inventory.storage.conflicts import invalid
from inventory.storage.queries.clocks import read_one_instant
from inventory.storage.tables import Facility, Inspection, Obligation, Visit
from vonggac.auth import guarded_router
from vonggac.events.inventory import FacilityStatus, ObligationKind, ObligationStatus

router = guarded_router()
DEFAULT_DAYS = 7
MAX_DAYS = 366


class DueInspection(BaseModel):
    """When one facility is to be inspected next."""

    facility_id: UUID
    facility_code: str
    last_inspected_on: date | None
    every_days: int
    due_on: date = Field(description="The last day that is in time.")
    overdue_days: int


class DueInspections(BaseModel):
    """By the day on which they are due."""

    on: date
    items: list[DueInspection]


class TeamDay(BaseModel):
    """One team on one day of Asia/Ho_Chi_Minh."""

    team_id: UUID
    day: date
    planned: int
    done: int
    obstructed: int
    cancelled: int


class Workload(BaseModel):
    """By day, then team."""

    items: list[TeamDay]


@router.get("/v1/due-inspections", summary="When each active facility is to be inspected next", tags=["inspections"])
async def list_due_inspections(
    context: Context,
    on: Annotated[date | None, Query(description="Overdue on this day; default: today.")] = None,
    overdue_only: bool = False,
    as_of: AsOf = None,
) -> DueInspections:
    """Every 15 days (R24), or as the open obligations of the kind `inspection` say, the shortest of them."""
    now = context.services.store.now()
    day, recorded = on or day_of(now), context.recorded(as_of)
    facilities, inspections, obligations = recorded(Facility), recorded(Inspection), recorded(Obligation)
    is_open = obligations.c.status == ObligationStatus.OPEN
    inspects = obligations.c.kind == ObligationKind.INSPECTION
    last_of = select(inspections.c.facility_id, func.max(inspections.c.inspected_on)).where(
        inspections.c.inspected_on <= day
    )
    async with context.read_transaction() as session:
        await read_one_instant(session)
        rows = await session.execute(
            select(facilities.c.id, facilities.c.code, facilities.c.valid_from, facilities.c.created_at)
        )
        known = {row.id: row for row in rows}
        last = {row[0]: row[1] for row in await session.execute(last_of.group_by(inspections.c.facility_id))}
        ordered = (await session.execute(select(obligations).where(is_open, inspects))).all()
        views = await facility_views(session, recorded)
    items = []
    for view in views:
        if view.status != FacilityStatus.ACTIVE:
            continue
        intervals = [one.every_days for one in ordered if one.every_days is not None and covers(one, view)]
        every_days = min(intervals, default=INSPECT_EVERY_DAYS)
        since = known[view.id].valid_from or day_of(known[view.id].created_at)
        due = next_inspection(last.get(view.id), since, day, every_days=every_days)
        if due.overdue_days or not overdue_only:
            items.append(
                DueInspection(
                    facility_id=view.id,
                    facility_code=known[view.id].code,
                    last_inspected_on=last.get(view.id),
                    every_days=every_days,
                    due_on=due.due_on,
                    overdue_days=due.overdue_days,
                )
            )
    return DueInspections(on=day, items=sorted(items, key=lambda one: (one.due_on, one.facility_code)))


@router.get("/v1/team-workload", summary="Visits of each team: planned and actual", tags=["teams"])
async def get_team_workload(
    context: Context,
    first_day: Annotated[date | None, Query(description="Default: today.")] = None,
    last_day: Annotated[date | None, Query(description="Included; default: six days after the first.")] = None,
    team_id: UUID | None = None,
    as_of: AsOf = None,
) -> Workload:
    """A visit counts on the day that it was planned for."""
    now = context.services.store.now()
    first = first_day or day_of(now)
    last = last_day or first + timedelta(days=DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise invalid("last_day", f"must be {first.isoformat()} or one of the {MAX_DAYS - 1} days after it")
    visits = context.recorded(as_of)(Visit)
    planned = visits.c.planned_from
    query = select(visits).where(planned >= start_of(first), planned < end_of(last))
    if team_id is not None:
        query = query.where(visits.c.team_id == team_id)
    async with context.read_transaction() as session:
        loads = workload((await session.execute(query)).all())
    return Workload(items=[TeamDay(team_id=key[0], day=key[1], **load._asdict()) for key, load in loads.items()])
