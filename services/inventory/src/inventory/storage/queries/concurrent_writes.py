"""What others wrote while a long write worked beside them: what it rests on must still be so when it queues."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.tables import Change, OutboxRow


class OvertakenError(Exception):
    """Somebody wrote what a long write rests on: it has to be done anew, with the others waiting."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the change log stood, and the outbox.

    `alone`: no other long write was running, whose lines come later with earlier ids.
    """

    line: int
    alone: bool
    message: int


async def note_beginning(session: AsyncSession) -> Beginning:
    """Of a long write, before it reads anything."""
    line = await session.scalar(select(func.max(Change.id))) or 0
    message = await session.scalar(select(func.max(OutboxRow.id))) or 0
    # After the lines: one that begins in between has later ones.
    others = bool(await session.scalar(_OTHER_LONG_WRITES))
    return Beginning(line, not others, message)


async def check_untouched(session: AsyncSession, beginning: Beginning, request_id: str, nouns: Collection[str]) -> None:
    """In the queue: raises OvertakenError when others wrote something of `nouns` since the beginning."""
    since = (Change.id > beginning.line) & (Change.request_id != request_id) & Change.noun.in_(nouns)
    if not beginning.alone or await session.scalar(select(select(Change.id).where(since).exists())):
        raise OvertakenError


# Such a lock has a key larger than any other, see `announce_long_write`.
_OTHER_LONG_WRITES = text(
    "select exists(select from pg_locks where locktype = 'advisory' and objsubid = 1 and classid::bigint > 100000 "
    "and pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database()))"
)
