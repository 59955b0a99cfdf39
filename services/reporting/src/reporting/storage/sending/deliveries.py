"""Deliveries of notices to webhooks: claiming what is due, and what became of each attempt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.sending.tables import notice, webhook, webhook_attempt, webhook_delivery
from vonggac.database.keyset import Ordered, keyset_page

SORTABLE = {
    "sequence": webhook_delivery.c.sequence,
    "created_at": webhook_delivery.c.created_at,
    "state": webhook_delivery.c.state,
    "id": webhook_delivery.c.id,
}
CLAIMED = 16
"""Deliveries of one webhook claimed at a time: two rounds of attempts, which end before their lease."""

# A claim is a lease: who dies with it leaves the delivery to the next claim after `until`. A later notice of a thing
# waits for the earlier one: an end never overtakes its beginning.
_CLAIM = text(
    """
    update webhook_delivery as delivery set attempts = delivery.attempts + 1, next_attempt_at = :until
    from notice, webhook
    where notice.sequence = delivery.sequence and webhook.id = delivery.webhook_id and delivery.id in (
        select due.id from webhook_delivery as due join webhook as receiver on receiver.id = due.webhook_id
        where due.state = 'pending' and due.next_attempt_at <= :now and receiver.enabled
          and due.webhook_id = :webhook_id
          and not exists (
              select from webhook_delivery as before
              where before.webhook_id = due.webhook_id and before.thing_id = due.thing_id
                and before.sequence < due.sequence and before.state = 'pending'
          )
        order by due.sequence limit :most for update of due skip locked
    )
    returning delivery.id, delivery.webhook_id, delivery.attempts, delivery.budget_from, delivery.created_at,
              notice.event_id, notice.body, webhook.url, webhook.secret, webhook.previous_secret,
              webhook.previous_until
    """
)


async def claim(session: AsyncSession, webhook_id: UUID, now: datetime, until: datetime) -> Sequence[Any]:
    """Claim what is due to a webhook, each for this caller alone until `until`."""
    given = {"webhook_id": webhook_id, "now": now, "until": until, "most": CLAIMED}
    return (await session.execute(_CLAIM, given)).all()


async def due(session: AsyncSession, now: datetime) -> list[UUID]:
    """List the webhooks to which something is due."""
    wanted = (
        select(webhook_delivery.c.webhook_id)
        .join(webhook, webhook.c.id == webhook_delivery.c.webhook_id)
        .where(webhook_delivery.c.state == "pending", webhook_delivery.c.next_attempt_at <= now, webhook.c.enabled)
        .distinct()
    )
    return list((await session.execute(wanted)).scalars())


async def record_attempt(
    session: AsyncSession, delivery_id: UUID, number: int, attempt: dict[str, Any], values: dict[str, Any]
) -> None:
    """Record what became of an attempt: its row, and what the delivery is then. A failure changes nothing of a delivery
    that has been tried again or has arrived meanwhile."""
    row = {"delivery_id": delivery_id, "number": number, **attempt}
    await session.execute(insert(webhook_attempt).values(row).on_conflict_do_nothing())
    changed = {**values, "outcome": attempt["outcome"], "http_status": attempt["http_status"]}
    statement = update(webhook_delivery).where(webhook_delivery.c.id == delivery_id).values(changed)
    if values.get("state") != "delivered":
        statement = statement.where(webhook_delivery.c.attempts == number, webhook_delivery.c.state == "pending")
    await session.execute(statement)


async def send_again(session: AsyncSession, webhook_id: UUID, delivery_id: UUID, now: datetime) -> Any:
    """Make one pending again with a new budget of attempts; the row as it was before, None when there is none."""
    of_it = webhook_delivery.c.id == delivery_id, webhook_delivery.c.webhook_id == webhook_id
    found = (await session.execute(select(webhook_delivery).where(*of_it).with_for_update())).one_or_none()
    if found is not None:
        values = {
            "state": "pending",
            "budget_from": found.attempts,
            "next_attempt_at": now,
            "finished_at": None,
        }
        await session.execute(update(webhook_delivery).where(*of_it).values(values))
    return found


async def send_failed_again(session: AsyncSession, webhook_id: UUID, now: datetime) -> int:
    """All that failed or were dropped; returns how many."""
    statement = update(webhook_delivery).where(
        webhook_delivery.c.webhook_id == webhook_id, webhook_delivery.c.state.in_(("failed", "dropped"))
    )
    values = {"state": "pending", "budget_from": webhook_delivery.c.attempts, "next_attempt_at": now}
    result: Any = await session.execute(statement.values(**values, finished_at=None))
    return int(result.rowcount)


async def page(
    session: AsyncSession,
    webhook_id: UUID,
    state: str | None,
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Rows with the notice that each is of, one more than the page, and the number of all when it is asked."""
    wanted = (
        select(webhook_delivery, notice.c.event_id, notice.c.event_type)
        .join(notice, notice.c.sequence == webhook_delivery.c.sequence)
        .where(webhook_delivery.c.webhook_id == webhook_id)
    )
    if state is not None:
        wanted = wanted.where(webhook_delivery.c.state == state)
    rows = (await session.execute(keyset_page(wanted, SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


async def attempts_of(session: AsyncSession, delivery_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Read the attempts of each, oldest first."""
    wanted = select(webhook_attempt).where(webhook_attempt.c.delivery_id.in_(delivery_ids))
    found: dict[UUID, list[Any]] = {}
    for row in await session.execute(wanted.order_by(webhook_attempt.c.delivery_id, webhook_attempt.c.number)):
        found.setdefault(row.delivery_id, []).append(row)
    return found


async def waiting(session: AsyncSession) -> int:
    """Deliveries that wait, of all webhooks."""
    wanted = select(func.count()).select_from(webhook_delivery).where(webhook_delivery.c.state == "pending")
    return int((await session.execute(wanted)).scalar_one())
