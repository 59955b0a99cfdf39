"""When each worker was last heard of."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from reporting.storage.tables import worker


async def heard_of(session: AsyncSession, kind: str, last_alive: Mapping[str, datetime]) -> None:
    """Move each worker's last sign of life forward, never back."""
    if not last_alive:
        return
    rows = [{"id": name, "kind": kind, "last_alive_at": at} for name, at in sorted(last_alive.items())]
    statement = insert(worker).values(rows)
    later = func.greatest(worker.c.last_alive_at, statement.excluded.last_alive_at)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"last_alive_at": later}))


async def last_alive(session: AsyncSession, *, since: datetime) -> dict[str, tuple[str, Millis]]:
    """Kind and last sign of life of every worker heard of after `since`."""
    rows = await session.execute(select(worker).where(worker.c.last_alive_at >= since))
    return {row.id: (row.kind, millis(row.last_alive_at)) for row in rows}
