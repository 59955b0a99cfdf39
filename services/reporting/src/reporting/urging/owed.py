"""The matters that parties owe now: obligations that are not met, outages that go on, and what obstructs surveys."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import millis
from reporting.domain.scope import Facility
from reporting.domain.segments import Period
from reporting.reports.mandate.findings import day_of, holds, start_of
from reporting.reports.snapshot.register import masked
from reporting.storage import plan
from reporting.storage.mandate import maintenance, records
from reporting.storage.sending import watched
from reporting.urging.decision import OBSTRUCTION, Owed
from vonggac.events.inventory import BlockedKind

type Obligations = Callable[[AsyncSession, datetime], Awaitable[Sequence[Owed]]]
"""The obligations that are not met at an instant, for each facility that they are about."""


async def facilities(session: AsyncSession, now: datetime) -> dict[UUID, Facility]:
    """Facilities as they are now, by id."""
    at = millis(now)
    places = await plan.places(session, plan.Scope(), Period(at - 1, at))
    return {one.id: one for one in places.facilities}


async def obstructions(session: AsyncSession, now: datetime) -> list[Owed]:
    """What obstructs surveys and connections on the day (R21): the agency that manages the facility is to see to it."""
    at = millis(now)
    known = await records.read(session, ("blocked_reason",), at)
    held = [
        one
        for one in known.at("blocked_reason", at)
        if one.state["kind"] == BlockedKind.NON_COOPERATION.value and holds(one, day_of(at))
    ]
    here = await facilities(session, now) if held else {}
    found = []
    for one in held:
        facility = here.get(UUID(one.state["facility_id"]))
        if facility is not None:
            found.append(
                Owed(
                    key=f"{OBSTRUCTION}:{one.id}",
                    outage=False,
                    since=start_of(one.state["valid_from"]),
                    responsible=facility.agency.id,
                    managing=facility.agency.id,
                    kind=OBSTRUCTION,
                    code="Vướng mắc",
                    title=masked(one.state["text"]) or "Cơ sở chưa phối hợp",
                    facility_code=facility.code,
                    facility_name=facility.name,
                    responsible_name=facility.agency.name,
                    restricted=facility.restricted,
                )
            )
    return found


async def outages(session: AsyncSession, now: datetime) -> list[Owed]:
    """Confirmed outages that go on; the agency that manages the facility where the camera is now is to see to them."""
    rows = await watched.open_since(session, now)
    cameras, places = await maintenance.declared_at(session, now) if rows else (frozenset(), frozenset())
    here = await facilities(session, now) if rows else {}
    present = await watched.present_facilities(session, [row.camera_id for row in rows])
    found = []
    for row in rows:
        facility_id = present.get(row.camera_id, row.facility_id)
        facility = here.get(facility_id)
        found.append(
            Owed(
                key=f"outage:{row.id}",
                outage=True,
                since=millis(row.began_at),
                responsible=None,
                managing=None if facility is None else facility.agency.id,
                kind=None,
                code=row.camera_code,
                title=row.causes[0] if row.causes else "",
                facility_code=row.facility_code if facility is None else facility.code,
                facility_name=None if facility is None else facility.name,
                responsible_name=None if facility is None else facility.agency.name,
                restricted=facility is not None and facility.restricted,
                declared=row.camera_id in cameras or facility_id in places,
            )
        )
    return found
