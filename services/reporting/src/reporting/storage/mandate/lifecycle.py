"""Since when each facility has been active (R23), and where it is, as stored."""

from uuid import UUID

from sqlalchemy import func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.storage.tables import camera, facility, worker_life
from vonggac.events.inventory import FacilityStatus


async def active_since(session: AsyncSession, at: Millis) -> dict[UUID, Millis]:
    """Find the beginning of the unbroken active time in which each active facility was at `at`."""
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


async def first_watched(session: AsyncSession, facility_ids: list[UUID], before: Millis) -> Millis | None:
    """Since when a camera of these facilities may have been seen: it was there, and a worker watched; None: never."""
    first = select(func.min(camera.c.valid_from)).where(camera.c.facility_id.in_(facility_ids))
    watched = select(func.min(worker_life.c.started_at))
    begun, watching = await session.scalar(first), await session.scalar(watched)
    if begun is None or watching is None:
        return None
    found = millis(max(begun, watching))
    return found if found < before else None


async def addresses(session: AsyncSession, at: Millis) -> dict[UUID, str]:
    """Read the address of each facility at `at`, as the register wrote it; a restricted one's is nobody's to read."""
    table = facility.c
    held = or_(table.valid_to.is_(None), table.valid_to > moment(at))
    statement = select(table.id, table.address).where(
        table.valid_from <= moment(at),
        held,
        not_(table.removed),
        table.restricted.is_(False),
        table.address.is_not(None),
    )
    return {row.id: row.address for row in await session.execute(statement)}
