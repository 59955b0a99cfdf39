"""Windows of maintenance as the register has them; a cancelled one keeps its line (R25)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import camera, maintenance_window
from vonggac.database.keyset import Ordered, keyset_page
from vonggac.events.inventory import MaintenanceWindowV1

SORTABLE = {
    "from": maintenance_window.c.starts_at,
    "to": maintenance_window.c.ends_at,
    "created_at": maintenance_window.c.created_at,
    "id": maintenance_window.c.id,
}


async def keep(session: AsyncSession, windows: Iterable[MaintenanceWindowV1]) -> set[tuple[UUID, int]]:
    """Keep the newest revision of each window; twice or in any order makes no difference.

    Returns id and revision of those that were not on record.
    """
    newest: dict[UUID, MaintenanceWindowV1] = {}
    for window in sorted(windows, key=lambda one: one.revision):
        newest[window.id] = window
    if not newest:
        return set()
    rows = [
        {
            "id": window.id,
            "revision": window.revision,
            "camera_id": window.camera_id,
            "facility_id": window.facility_id,
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            "reason": window.purpose,
            "approved_by": window.agreed_by if window.agreed else None,
            "agreed": window.agreed,
            "declared_by": window.declared_by,
            "created_at": window.agreed_at,
            "cancelled_at": window.cancelled_at,
            "cancelled_by": window.cancelled_by,
        }
        for window in sorted(newest.values(), key=lambda one: str(one.id))
    ]
    table = maintenance_window
    statement = insert(table).values(rows)
    values = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    written = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_=values, where=table.c.revision < statement.excluded.revision
        ).returning(table.c.id, table.c.revision)
    )
    return {(row.id, row.revision) for row in written}


def listed(
    *,
    since: datetime,
    until: datetime,
    camera_id: UUID | None,
    facility_id: UUID | None,
    visible: frozenset[UUID] | None,
) -> Select[Any]:
    """Windows that touch [since, until), or were cancelled before they began in it; a camera's list holds its
    facility's windows too. `visible`: as of `Scope`."""
    table = maintenance_window
    touching = or_(table.c.ends_at > since, table.c.starts_at >= since)
    statement = select(table).where(table.c.starts_at < until, touching)
    if camera_id is not None:
        of_facility = table.c.facility_id.in_(select(camera.c.facility_id).where(camera.c.id == camera_id))
        statement = statement.where(or_(table.c.camera_id == camera_id, of_facility))
    if facility_id is not None:
        statement = statement.where(table.c.facility_id == facility_id)
    if visible is not None:
        statement = statement.where(or_(table.c.facility_id.in_(visible), table.c.camera_id.in_(cameras_at(visible))))
    return statement


async def declared_at(session: AsyncSession, now: datetime) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """Cameras, and facilities, with maintenance at `now` that nobody agreed to before it began."""
    table = maintenance_window
    wanted = select(table.c.camera_id, table.c.facility_id).where(
        table.c.starts_at <= now, table.c.ends_at > now, is_agreed(agreed=False)
    )
    rows = (await session.execute(wanted)).all()
    cameras = frozenset(row.camera_id for row in rows if row.camera_id is not None)
    return cameras, frozenset(row.facility_id for row in rows if row.facility_id is not None)


def is_agreed(*, agreed: bool) -> ColumnElement[bool]:
    """Whether a window was agreed to before it began, or was declared alone."""
    return maintenance_window.c.agreed.is_(agreed)


def cameras_at(facility_ids: Collection[UUID]) -> Select[tuple[UUID]]:
    """Ids of the cameras that stand at these facilities, or stood there last."""
    newest = (
        select(camera.c.id, camera.c.facility_id)
        .ext(distinct_on(camera.c.id))
        .where(camera.c.facility_id.is_not(None))
        .order_by(camera.c.id, camera.c.revision.desc())
        .subquery()
    )
    return select(newest.c.id).where(newest.c.facility_id.in_(facility_ids))


async def page(
    session: AsyncSession,
    wanted: Select[Any],
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Read the rows of one page of `wanted` and one more, and the number of all of them when it is asked."""
    rows = (await session.execute(keyset_page(wanted, SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total
