"""The facilities as the rules of the mandate see them: with the units around theirs, and whether they have cameras."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.mandate.obligation import FacilityView
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Camera, Facility, Unit
from vonggac.auth.succession import UnitLinks, has_ended, units_around


async def facility_views(session: AsyncSession, recorded: Recorded) -> Sequence[FacilityView]:
    """The facilities in force, by code; units follow one another, so those of any day count."""
    facilities, units, cameras = recorded.in_force(Facility), recorded(Unit), recorded.in_force(Camera)
    links = select(units.c.id, units.c.parent_id, units.c.valid_to, units.c.succeeds)
    around = {
        row.id: UnitLinks(row.parent_id, tuple(UUID(each["unit_id"]) for each in row.succeeds), has_ended(row.valid_to))
        for row in await session.execute(links)
    }
    with_cameras = set((await session.scalars(select(cameras.c.facility_id).distinct())).all())
    columns = (facilities.c[name] for name in ("id", "type", "status", "managing_agency_id", "unit_id"))
    rows = await session.execute(select(*columns).order_by(facilities.c.code))
    return [
        FacilityView(
            row.id,
            row.type,
            row.status,
            row.managing_agency_id,
            units_around(row.unit_id, around),
            has_cameras=row.id in with_cameras,
        )
        for row in rows
    ]
