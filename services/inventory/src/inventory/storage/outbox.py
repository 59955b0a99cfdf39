"""The outbox table: messages committed with the change that caused them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.bulk import copy_rows
from inventory.storage.tables import OutboxRow
from vonggac.events import CloudEvent, Payload, new_event

SOURCE = "/inventory"


class OutboxMessage(NamedTuple):
    """A message as the bus gets it."""

    event_id: str
    subject: str
    body: bytes


def message(subject: str, payload: Payload, *, thing_id: str, now: datetime) -> OutboxMessage:
    """Wrap `payload` and encode it. Raises ValueError when it is larger than an event may be."""
    event: CloudEvent[Payload] = new_event(payload, source=SOURCE, subject=thing_id, time=now)
    return OutboxMessage(event.id, subject, event.encode())


async def append(session: AsyncSession, messages: Iterable[OutboxMessage], *, now: datetime) -> None:
    """Add `messages` in this order to the caller's transaction."""
    rows = ((entry.event_id, entry.subject, entry.body, now) for entry in messages)
    await copy_rows(session, OutboxRow, ("event_id", "subject", "body", "created_at"), rows)


async def next_rows(session: AsyncSession, most: int) -> Sequence[OutboxRow]:
    """The oldest rows, locked: another replica waits here until this transaction ends, so nothing is reordered."""
    query = select(OutboxRow).order_by(OutboxRow.id).limit(most).with_for_update()
    return (await session.scalars(query)).all()


async def delete_rows(session: AsyncSession, ids: Sequence[int]) -> None:
    await session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids)))


async def backlog(session: AsyncSession, now: datetime) -> tuple[int, float]:
    """Number of messages waiting, and the age of the oldest in seconds."""
    count, oldest = (await session.execute(select(func.count(), func.min(OutboxRow.created_at)))).one()
    return count, (now - oldest).total_seconds() if oldest is not None else 0.0
