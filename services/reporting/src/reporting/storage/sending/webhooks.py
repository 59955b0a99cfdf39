"""Webhooks: who wants which notices, and where."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.sending.tables import webhook, webhook_attempt, webhook_delivery
from vonggac.database.keyset import Ordered, keyset_page

SORTABLE = {"name": webhook.c.name, "created_at": webhook.c.created_at, "id": webhook.c.id}
MAX_WEBHOOKS = 100


async def add(session: AsyncSession, values: dict[str, Any]) -> Any:
    """Add one; the row."""
    return (await session.execute(insert(webhook).values(values).returning(webhook))).one()


async def count(session: AsyncSession) -> int:
    return int((await session.execute(select(func.count()).select_from(webhook))).scalar_one())


async def get(session: AsyncSession, webhook_id: UUID, *, for_update: bool = False) -> Any:
    """Read the row, or None; `for_update`: nobody else changes it until the transaction ends."""
    wanted = select(webhook).where(webhook.c.id == webhook_id)
    return (await session.execute(wanted.with_for_update() if for_update else wanted)).one_or_none()


async def change(session: AsyncSession, webhook_id: UUID, values: dict[str, Any], now: datetime, by: str) -> Any:
    """Change one that is there, as its next revision; the row."""
    changed = {**values, "changed_at": now, "changed_by": by, "revision": webhook.c.revision + 1}
    statement = update(webhook).where(webhook.c.id == webhook_id).values(changed).returning(webhook)
    return (await session.execute(statement)).one()


async def remove(session: AsyncSession, webhook_id: UUID) -> None:
    """Remove one with its deliveries."""
    of_it = select(webhook_delivery.c.id).where(webhook_delivery.c.webhook_id == webhook_id)
    await session.execute(delete(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(of_it)))
    await session.execute(delete(webhook_delivery).where(webhook_delivery.c.webhook_id == webhook_id))
    await session.execute(delete(webhook).where(webhook.c.id == webhook_id))


async def page(
    session: AsyncSession, orderings: Sequence[Ordered], last: Sequence[Any] | None, limit: int, *, count: bool
) -> tuple[Sequence[Any], int | None]:
    """Read the rows of one page and one more, and the number of all when it is asked."""
    wanted: Select[Any] = select(webhook)
    rows = (await session.execute(keyset_page(wanted, SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(webhook)) if count else None
    return rows, total
