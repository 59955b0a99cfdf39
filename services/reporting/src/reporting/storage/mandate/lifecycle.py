"""Since when each facility has been active (R23), as stored."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.storage.tables import camera, facility
from vonggac.events.inventory import FacilityStatus


async def active_since(session: AsyncSession, at: Millis) -> dict[UUID, Millis]:
    """The beginning of the unbroken active time in which each active facility was at `at`."""
    table = facility
    statement = (
        select(table.c.id, table.c.status, table.c.removed, table.c.valid_from)
        .where(table.c.valid_from <= moment(at))
        .order_by(table.c.id, table.c.revision)
    )
    found: dict[UUID, Millis] = {}
    for row in await session.execute(statement):
        if row.removed or row.status != FacilityStatus.ACTIVE:
            found.pop(row.id, None)
        else:
            found.setdefault(row.id, millis(row.valid_from))
    return found


async def first_camera(session: AsyncSession, facility_ids: list[UUID], before: Millis) -> Millis | None:
    """When the first camera of these facilities came; None when none came before."""
    statement = (
        select(camera.c.valid_from)
        .where(camera.c.facility_id.in_(facility_ids), camera.c.valid_from < moment(before))
        .order_by(camera.c.valid_from)
        .limit(1)
    )
    found = (await session.execute(statement)).scalars().first()
    return None if found is None else millis(found)
