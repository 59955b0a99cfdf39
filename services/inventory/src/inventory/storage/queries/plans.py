"""Agreed plans and exceptions under which the facilities' deliveries may run; who is surveyed, and by which operator.

R02, R03, R04; and by which rule of the province one person may approve alone.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.mandate.planning.basis import FacilityPlan
from inventory.storage.tables import (
    Agency,
    ApprovalRule,
    ConnectionPlan,
    Facility,
    OperatorAssignment,
    PlanException,
    Survey,
    Thing,
    Unit,
)
from vonggac.auth.succession import UnitLinks, has_ended, units_and_followers, units_around
from vonggac.events.inventory import AgencyRole, PlanStatus, SurveyStatus


def _present(kind: type[Thing]) -> FromClause:
    return kind.__table__


async def facility_plans(
    session: AsyncSession, facility_ids: Collection[UUID], read: Callable[[type[Thing]], FromClause] = _present
) -> Mapping[UUID, FacilityPlan]:
    """Find what deliveries of each of these facilities may run under; `read`: by the records of another time."""
    plans, exceptions = read(ConnectionPlan), read(PlanException)
    agreed = select(plans.c.facility_id, plans.c.connections).where(
        plans.c.status == PlanStatus.AGREED, plans.c.facility_id.in_(facility_ids)
    )
    connections: dict[UUID, Mapping[str, frozenset[str]]] = {
        row.facility_id: {one.camera_code: frozenset(one.destination_codes) for one in row.connections}
        for row in await session.execute(agreed)
    }
    excepted = select(exceptions.c.facility_id, exceptions.c.why).where(exceptions.c.facility_id.in_(facility_ids))
    reasons: dict[UUID, str] = {row.facility_id: row.why for row in await session.execute(excepted)}
    return {each: FacilityPlan(connections.get(each, {}), reasons.get(each)) for each in facility_ids}


async def plan_revisions(session: AsyncSession) -> Mapping[UUID, tuple[int, ...]]:
    """By facility, what changes when a plan is agreed or an exception is made or removed."""
    plans = select(ConnectionPlan.facility_id, func.max(ConnectionPlan.version)).where(
        ConnectionPlan.status == PlanStatus.AGREED
    )
    exceptions = select(PlanException.facility_id, PlanException.revision)
    found: dict[UUID, tuple[int, ...]] = {}
    for query in (plans.group_by(ConnectionPlan.facility_id), exceptions):
        rows: Any = await session.execute(query)
        for facility_id, number in rows:
            found[facility_id] = (*found.get(facility_id, ()), number)
    return found


async def is_agreed_on(session: AsyncSession, *, camera_code: str | None = None, destination_code: str = "") -> bool:
    """Whether an agreed plan names a camera, or a destination."""
    named: Any = {"destination_codes": [destination_code]} if camera_code is None else {"camera_code": camera_code}
    connections = type_coerce(ConnectionPlan.__table__.c.connections, JSONB())
    query = select(ConnectionPlan.id).where(ConnectionPlan.status == PlanStatus.AGREED, connections.contains([named]))
    return await session.scalar(query.limit(1)) is not None


async def is_facility_surveyed(session: AsyncSession, facility_id: UUID) -> bool:
    """Whether the facility has an approved survey (R03)."""
    query = select(Survey.id).where(Survey.facility_id == facility_id, Survey.status == SurveyStatus.APPROVED).limit(1)
    return await session.scalar(query) is not None


async def agency_roles(session: AsyncSession, agency_ids: Collection[UUID]) -> dict[UUID, AgencyRole]:
    """Roles of the agencies that exist."""
    rows = await session.execute(select(Agency.id, Agency.role).where(Agency.id.in_(agency_ids)))
    return {row.id: row.role for row in rows}


async def find_operator(session: AsyncSession, facility_id: UUID, day: date) -> Agency | None:
    """Find the operator that is assigned to the province of a facility on `day`; None: nobody is."""
    facility = await session.get_one(Facility, facility_id)
    provinces = units_and_followers(facility.unit_id, await _read_links(session))
    in_force = select(OperatorAssignment.agency_id).where(
        OperatorAssignment.unit_id.in_(provinces),
        OperatorAssignment.valid_from <= day,
        OperatorAssignment.valid_to.is_(None) | (OperatorAssignment.valid_to >= day),
    )
    newest = in_force.order_by(OperatorAssignment.valid_from.desc()).limit(1)
    agency_id = await session.scalar(newest)
    return None if agency_id is None else await session.get(Agency, agency_id)


async def units_of_facility(session: AsyncSession, facility: Facility) -> frozenset[UUID]:
    """Its unit, every unit above it, and those that they follow."""
    return frozenset(units_around(facility.unit_id, await _read_links(session)))


async def find_exception_from_two_eyes(
    session: AsyncSession, facility_id: UUID | None, day: date
) -> ApprovalRule | None:
    """Find the rule by which who wrote may approve, for a facility, or with None for every facility there is.

    None: two pairs of eyes, as everywhere without a rule.
    """
    links = await _read_links(session)
    units = select(Facility.unit_id).distinct()
    if facility_id is not None:
        units = units.where(Facility.id == facility_id)
    in_force = select(ApprovalRule).where(
        ApprovalRule.valid_from <= day, ApprovalRule.valid_to.is_(None) | (ApprovalRule.valid_to >= day)
    )
    rules = (await session.scalars(in_force.order_by(ApprovalRule.valid_from.desc()))).all()
    found: ApprovalRule | None = None
    for unit_id in (await session.scalars(units)).all():
        provinces = units_and_followers(unit_id, links)
        found = next((rule for rule in rules if rule.unit_id in provinces), None)
        if found is None or found.two_persons:
            return None
    return found


async def _read_links(session: AsyncSession) -> dict[UUID, UnitLinks]:
    rows = await session.execute(select(Unit.id, Unit.parent_id, Unit.valid_to, Unit.succeeds))
    return {
        row.id: UnitLinks(row.parent_id, tuple(UUID(each["unit_id"]) for each in row.succeeds), has_ended(row.valid_to))
        for row in rows
    }
