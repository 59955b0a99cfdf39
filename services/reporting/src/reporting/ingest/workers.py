"""When each worker was last heard of."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from reporting.storage.tables import worker

# Written out and made once: a statement that is composed anew for every batch leaves its columns to the search for
# garbage.
_HEARD_OF = text(
    """
    insert into worker (id, kind, last_alive_at)
    select id, :kind, last_alive_at
    from unnest(cast(:ids as text[]), cast(:last_alive as timestamptz[])) as new (id, last_alive_at)
    order by id
    on conflict (id) do update set last_alive_at = greatest(worker.last_alive_at, excluded.last_alive_at)
    """
)


async def heard_of(session: AsyncSession, kind: str, last_alive: Mapping[str, datetime]) -> None:
    """Move each worker's last sign of life forward, never back."""
    if not last_alive:
        return
    given = {"kind": kind, "ids": list(last_alive), "last_alive": list(last_alive.values())}
    await session.execute(_HEARD_OF, given)


async def last_alive(session: AsyncSession, *, since: datetime) -> dict[str, tuple[str, Millis]]:
    """Kind and last sign of life of every worker heard of after `since`."""
    rows = await session.execute(select(worker).where(worker.c.last_alive_at >= since))
    return {row.id: (row.kind, millis(row.last_alive_at)) for row in rows}
