"""The facilities as the rules of the mandate see them: with the units around theirs, and whether they have cameras."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Camera, Facility, Unit
from vonggac.auth.succession import UnitLinks, has_ended, units_around
from vonggac.mandate.facility_history import Place


async def facility_views(session: AsyncSession, recorded: Recorded) -> Sequence[Place]:
    """List the facilities in force, by code; units follow one another, so those of any day count."""
    facilities, cameras = recorded.in_force(Facility), recorded.in_force(Camera)
    around = await load_unit_links(session, recorded)
    with_cameras = set((await session.scalars(select(cameras.c.facility_id).distinct())).all())
    columns = (facilities.c[name] for name in ("id", "type", "status", "managing_agency_id", "unit_id"))
    rows = await session.execute(select(*columns).order_by(facilities.c.code))
    return [
        Place(
            row.id,
            row.type,
            row.status,
            row.managing_agency_id,
            units_around(row.unit_id, around),
            has_cameras=row.id in with_cameras,
        )
        for row in rows
    ]


async def load_unit_links(session: AsyncSession, recorded: Recorded) -> Mapping[UUID, UnitLinks]:
    """Load what each unit lies in and follows, by its id."""
    units = recorded(Unit)
    links = select(units.c.id, units.c.parent_id, units.c.valid_to, units.c.succeeds)
    return {
        row.id: UnitLinks(row.parent_id, tuple(UUID(each["unit_id"]) for each in row.succeeds), has_ended(row.valid_to))
        for row in await session.execute(links)
    }
