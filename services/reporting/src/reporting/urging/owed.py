"""The matters that parties owe now: obligations that are not met, outages that go on, what obstructs surveys, and
centres that pull and do not ask."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from reporting.domain.scope import Facility
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.reports.mandate.findings import day_of, holds, start_of
from reporting.reports.snapshot.register import masked
from reporting.reports.waiting_centres import LONG, find_waiting_centres
from reporting.storage import plan
from reporting.storage.mandate import maintenance, records
from reporting.storage.sending import watched
from reporting.storage.sending.records import agencies
from reporting.urging.decision import CENTRE_NOT_ASKING, OBSTRUCTION, Owed
from vonggac.events.inventory import BlockedKind

type Obligations = Callable[[AsyncSession, datetime], Awaitable[Sequence[Owed]]]
"""The obligations that are not met at an instant, for each facility that they are about."""


async def facilities(session: AsyncSession, now: datetime) -> dict[UUID, Facility]:
    """Facilities as they are now, by id."""
    at = millis(now)
    places = await plan.places(session, plan.Scope(), Period(at - 1, at))
    return {one.id: one for one in places.facilities}


async def obstructions(session: AsyncSession, now: datetime) -> list[Owed]:
    """List what obstructs surveys and connections on the day (R21): the agency that manages the facility sees to it."""
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


async def waiting_centres(session: AsyncSession, now: datetime, presumed_alive_ms: Millis) -> list[Owed]:
    """Centres that have had cameras to pull for long and did not ask: who is responsible for each is to see to it.

    The register names the responsible by words: the agency is the one that has them as its code or name.
    """
    at = millis(now)
    question = Question(Period(at - 1, at), at, presumed_alive_ms)
    waiting = [one for one in await find_waiting_centres(session, question, plan.Scope()) if at - one.since >= LONG]
    known = (await agencies(session)).values() if waiting else ()
    by_name = {_folded(name): one for one in known for name in (one.name, one.code) if name}
    return [
        Owed(
            key=f"{CENTRE_NOT_ASKING}:{one.destination.id}",
            outage=False,
            since=one.since,
            responsible=None if (agency := by_name.get(_folded(one.responsible))) is None else agency.id,
            managing=None,
            kind=CENTRE_NOT_ASKING,
            code=one.destination.code or str(one.destination.id),
            title="trung tâm chưa kết nối lấy hình",
            facility_code=None,
            facility_name=one.destination.name,
            responsible_name=one.responsible,
        )
        for one in waiting
    ]


def _folded(name: str | None) -> str:
    return " ".join((name or "").split()).casefold()


async def outages(session: AsyncSession, now: datetime) -> list[Owed]:
    """List confirmed outages that go on; the agency that manages the facility where the camera is now sees to them."""
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
