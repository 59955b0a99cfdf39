"""Windows of maintenance: entered, listed, cut short; never deleted (R25)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import camera, facility, maintenance_window


async def subject_known(session: AsyncSession, *, camera_id: UUID | None, facility_id: UUID | None) -> bool:
    """Whether the camera or facility exists here."""
    table, wanted = (camera, camera_id) if camera_id is not None else (facility, facility_id)
    return (await session.execute(select(table.c.id).where(table.c.id == wanted))).first() is not None


async def add(session: AsyncSession, values: dict[str, Any]) -> Any:
    """The row as stored."""
    return (await session.execute(insert(maintenance_window).values(values).returning(maintenance_window))).one()


async def listed(
    session: AsyncSession, *, since: datetime, until: datetime, camera_id: UUID | None, facility_id: UUID | None
) -> list[Any]:
    """Windows that touch [since, until), by start; a camera's list holds its facility's windows too."""
    table = maintenance_window
    statement = select(table).where(table.c.starts_at < until, table.c.ends_at >= since)
    if camera_id is not None:
        of_facility = (
            table.c.facility_id == select(camera.c.facility_id).where(camera.c.id == camera_id).scalar_subquery()
        )
        statement = statement.where(or_(table.c.camera_id == camera_id, of_facility))
    if facility_id is not None:
        statement = statement.where(table.c.facility_id == facility_id)
    return list(await session.execute(statement.order_by(table.c.starts_at, table.c.id)))


async def cancel(session: AsyncSession, window_id: UUID, *, now: datetime, by: str) -> Any | None:
    """Cut the window short at `now`, or to nothing if it has not begun; None when it is unknown or already over."""
    table = maintenance_window
    statement = (
        update(table)
        .where(table.c.id == window_id, table.c.ends_at > now, table.c.cancelled_at.is_(None))
        .values(ends_at=func.greatest(table.c.starts_at, now), cancelled_at=now, cancelled_by=by)
    )
    return (await session.execute(statement.returning(table))).first()


async def exists(session: AsyncSession, window_id: UUID) -> bool:
    wanted = select(maintenance_window.c.id).where(maintenance_window.c.id == window_id)
    return (await session.execute(wanted)).first() is not None
