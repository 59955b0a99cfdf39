"""Which events were handled: one row per (source, id), in the same transaction as their effect."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from sqlalchemy import bindparam, delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import inbox
from vonggac.bus import Received

_ADD = text(
    "insert into inbox (event_key, received_at) select key, now() from unnest(cast(:keys as uuid[])) as key "
    "order by key on conflict do nothing returning event_key"
)


def event_key(source: str, event_id: str) -> UUID:
    """One key for the pair that names an event (CloudEvents 1.0: source and id)."""
    return UUID(bytes=blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest())


async def unseen(session: AsyncSession, batch: Sequence[Received]) -> list[Received]:
    """Return the events of `batch` that were not handled before, marked as handled when the transaction commits.

    A key that another transaction is just adding is waited for, so two replicas never both see an event as new.
    """
    by_key = {event_key(one.event.source, one.event.id): one for one in batch}
    added = set((await session.execute(_ADD, {"keys": list(by_key)})).scalars())
    return [one for key, one in by_key.items() if key in added]


async def delete_old_marks(session: AsyncSession, *, before: datetime) -> int:
    """Delete the marks of events handled before that moment; returns how many."""
    result = await session.execute(delete(inbox).where(inbox.c.received_at < bindparam("before")), {"before": before})
    return int(result.rowcount)  # type: ignore[attr-defined] # a DELETE has one
