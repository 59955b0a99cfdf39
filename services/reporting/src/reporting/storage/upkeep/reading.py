"""When the register was read without a hole: what was known of a thing holds so long, and no longer (decision 0106)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import register_reading

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The register was not read before."""
BREAKS_AFTER = timedelta(seconds=20)
"""When it was not noted for so long, nothing was read meanwhile; it is noted every 5 s."""
KEPT = timedelta(days=400)
MOST = 1000
"""The newest are read: one begins with every start."""

_NOTE = text(
    """
    with continued as (
        update register_reading set ended_at = greatest(ended_at, :at)
        where started_at = (select max(started_at) from register_reading where started_at <= :at)
          and ended_at >= :unbroken_since
        returning started_at
    )
    insert into register_reading (started_at, ended_at)
    select :at, :at where not exists (select from continued) on conflict do nothing
    """
)
_FORGET = text("delete from register_reading where ended_at < :before")


class Reading(NamedTuple):
    """From `started_at` to `ended_at` nothing that the register published waited for longer than a few seconds."""

    started_at: datetime
    ended_at: datetime


async def note(session: AsyncSession, at: datetime) -> None:
    """Note that at `at` all that the register had published was in the tables."""
    await session.execute(_NOTE, {"at": at, "unbroken_since": at - BREAKS_AFTER})
    await session.execute(_FORGET, {"before": at - KEPT})


async def readings(session: AsyncSession) -> list[Reading]:
    """Read the readings, the newest first."""
    query = select(register_reading).order_by(register_reading.c.started_at.desc()).limit(MOST)
    return [Reading(row.started_at, row.ended_at) for row in await session.execute(query)]


def read_until(known: Sequence[Reading], changed_at: datetime) -> datetime:
    """Until when a thing's revisions had been read, when one of `changed_at` comes; NEVER: no such moment is known.

    What was changed before the last note and came after it waited in the register's outbox: so may what is missing,
    and only the beginning of that reading is sure.
    """
    for one in known:
        if one.ended_at < changed_at:
            return one.ended_at
        if one.started_at < changed_at:
            return one.started_at
    return NEVER
