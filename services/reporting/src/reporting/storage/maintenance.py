"""Windows of maintenance: entered, listed, cut short; never deleted (R25)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import camera, facility, maintenance_window
from vonggac.database.keyset import Ordered, keyset_page

SORTABLE = {
    "from": maintenance_window.c.starts_at,
    "to": maintenance_window.c.ends_at,
    "created_at": maintenance_window.c.created_at,
    "id": maintenance_window.c.id,
}


async def subject_known(session: AsyncSession, *, camera_id: UUID | None, facility_id: UUID | None) -> bool:
    """Whether the camera or facility exists here."""
    table, wanted = (camera, camera_id) if camera_id is not None else (facility, facility_id)
    return (await session.execute(select(table.c.id).where(table.c.id == wanted))).first() is not None


async def add(session: AsyncSession, values: dict[str, Any]) -> Any:
    """The row as stored."""
    return (await session.execute(insert(maintenance_window).values(values).returning(maintenance_window))).one()


def listed(*, since: datetime, until: datetime, camera_id: UUID | None, facility_id: UUID | None) -> Select[Any]:
    """Windows that touch [since, until); a camera's list holds its facility's windows too."""
    table = maintenance_window
    statement = select(table).where(table.c.starts_at < until, table.c.ends_at >= since)
    if camera_id is not None:
        of_facility = (
            table.c.facility_id == select(camera.c.facility_id).where(camera.c.id == camera_id).scalar_subquery()
        )
        statement = statement.where(or_(table.c.camera_id == camera_id, of_facility))
    if facility_id is not None:
        statement = statement.where(table.c.facility_id == facility_id)
    return statement


async def page(
    session: AsyncSession,
    wanted: Select[Any],
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """The rows of one page of `wanted` and one more, and the number of all of them when it is asked."""
    rows = (await session.execute(keyset_page(wanted, SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


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
