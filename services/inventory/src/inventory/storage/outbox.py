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
    """A message as it goes to the bus."""

    event_id: str
    subject: str
    body: bytes


def new_message(subject: str, payload: Payload, *, thing_id: str, now: datetime) -> OutboxMessage:
    """Encode `payload` as an event. Raises ValueError when it exceeds the largest event."""
    event: CloudEvent[Payload] = new_event(payload, source=SOURCE, subject=thing_id, time=now)
    return OutboxMessage(event.id, subject, event.encode())


async def append_messages(session: AsyncSession, messages: Iterable[OutboxMessage], *, now: datetime) -> None:
    """Append `messages` in this order, in the caller's transaction."""
    rows = ((entry.event_id, entry.subject, entry.body, now) for entry in messages)
    await copy_rows(session, OutboxRow, ("event_id", "subject", "body", "created_at"), rows)


async def next_rows(session: AsyncSession, most: int) -> Sequence[OutboxRow]:
    """Lock the oldest rows: another replica waits until this transaction ends, so the order stays."""
    query = select(OutboxRow).order_by(OutboxRow.id).limit(most).with_for_update()
    return (await session.scalars(query)).all()


async def delete_rows(session: AsyncSession, ids: Sequence[int]) -> None:
    await session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids)))


async def backlog(session: AsyncSession, now: datetime) -> tuple[int, float]:
    """Number of messages waiting, and the age of the oldest in seconds."""
    count, oldest = (await session.execute(select(func.count(), func.min(OutboxRow.created_at)))).one()
    return count, (now - oldest).total_seconds() if oldest is not None else 0.0
