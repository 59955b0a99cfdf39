"""The outbox: a notice, and its deliveries to the webhooks that want it, in the transaction of the fact."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import ARRAY, BigInteger, Uuid, any_, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.storage.sending.tables import notice
from vonggac.database import Database
from vonggac.database.keyset import Ordered, keyset_page
from vonggac.events import CloudEvent, Payload, new_event
from vonggac.events.reporting import ObligationOverdueV1, ReportFrozenV1

SOURCE = "/reporting"
MAX_PENDING = 10_000
"""Deliveries that may wait for one webhook; beyond it the oldest are dropped, and can be sent again."""


class Notice(NamedTuple):
    """One fact to publish: `noun` and `thing_id` make its subject, `key` what is the same fact."""

    noun: str
    thing_id: UUID
    key: str
    time: datetime
    data: Payload


# To a webhook that a person switched off, notices wait; one that is gone (410) has none.
_ADD_DELIVERIES = text(
    """
    insert into webhook_delivery (id, webhook_id, sequence, thing_id, state, attempts, next_attempt_at, created_at)
    select gen_random_uuid(), webhook.id, notice.sequence, notice.thing_id, 'pending', 0, notice.created_at,
           notice.created_at
    from notice join webhook on (webhook.enabled or webhook.disabled_because is null)
        and (webhook.event_types = '{}' or notice.event_type = any(webhook.event_types))
    where notice.sequence = any(:sequences)
    order by notice.sequence
    on conflict (webhook_id, sequence) do nothing
    """
)

_DROP_OLDEST = text(
    """
    update webhook_delivery set state = 'dropped', finished_at = :now, outcome = 'dropped'
    where id in (
        select id from (
            select id, row_number() over (partition by webhook_id order by sequence desc) as place
            from webhook_delivery where state = 'pending'
        ) as waiting where place > :most
    )
    """
)


def event_id(event_type: str, key: str) -> UUID:
    """Compute the id, the same for the same fact, whoever finds it again."""
    return uuid5(NAMESPACE_URL, f"vonggac:{event_type}:{key}")


async def append(session: AsyncSession, found: Iterable[Notice], now: datetime, *, most: int = MAX_PENDING) -> int:
    """Write the notices that are new, with their deliveries, in the caller's transaction; returns how many were new."""
    rows = [_row(one, now) for one in found]
    if not rows:
        return 0
    # Asked first: a conflict would use up a sequence number each time that the same fact is found.
    ids = [row["event_id"] for row in rows]
    wanted = select(notice.c.event_id).where(notice.c.event_id == any_(literal(ids, ARRAY(Uuid))))
    known = set((await session.execute(wanted)).scalars())
    rows = [row for row in rows if row["event_id"] not in known]
    if not rows:
        return 0
    statement = insert(notice).values(rows).on_conflict_do_nothing(index_elements=["event_id"])
    added = (await session.execute(statement.returning(notice.c.sequence, notice.c.event_type))).all()
    if added:
        await session.execute(_ADD_DELIVERIES, {"sequences": [row.sequence for row in added]})
        dropped: Any = await session.execute(_DROP_OLDEST, {"now": now, "most": most})
        metrics.WEBHOOKS_DROPPED.inc(dropped.rowcount)
    for row in added:
        metrics.NOTICES.labels(row.event_type).inc()
    return len(added)


async def unanswered(session: AsyncSession, event_type: str, answer_type: str, keys: Collection[str]) -> set[str]:
    """Keys of those facts that have a notice of the one type, and none of the other."""
    ids = {event_id(type_, key): (type_, key) for type_ in (event_type, answer_type) for key in keys}
    wanted = select(notice.c.event_id).where(notice.c.event_id == any_(literal(list(ids), ARRAY(Uuid))))
    known = {ids[one] for one in (await session.execute(wanted)).scalars()} if ids else set()
    return {key for key in keys if (event_type, key) in known and (answer_type, key) not in known}


async def report_frozen(session: AsyncSession, frozen: ReportFrozenV1, now: datetime) -> None:
    """Write the notice of a version of a report, in the transaction that freezes it."""
    key = f"{frozen.report_id}:{frozen.version}"
    await append(session, [Notice("report", frozen.report_id, key, now, frozen)], now)


def _row(one: Notice, now: datetime) -> dict[str, Any]:
    id_ = event_id(one.data.event_type, one.key)
    event: CloudEvent[Payload] = new_event(
        one.data, source=SOURCE, subject=str(one.thing_id), time=one.time, event_id=str(id_)
    )
    return {
        "event_id": id_,
        "event_type": event.type,
        "noun": one.noun,
        "thing_id": one.thing_id,
        "body": event.encode(),
        "created_at": now,
    }


class Outbox:
    """What waits for the bus."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unpublished(self, most: int) -> Sequence[Any]:
        """Read the oldest, in order. Raises what PostgreSQL raises."""
        columns = notice.c.sequence, notice.c.noun, notice.c.thing_id, notice.c.body
        wanted = select(*columns).where(notice.c.published_at.is_(None)).order_by(notice.c.sequence).limit(most)
        async with self._database.transaction() as session:
            return (await session.execute(wanted)).all()

    async def mark_published(self, sequences: Sequence[int], now: datetime) -> None:
        """NATS has stored them. Raises what PostgreSQL raises."""
        async with self._database.transaction() as session:
            await session.execute(
                update(notice)
                .where(notice.c.sequence == any_(literal(list(sequences), ARRAY(BigInteger))))
                .values(published_at=now)
            )


_FORGET_ATTEMPTS = """
    delete from webhook_attempt using webhook_delivery as delivery, notice
    where webhook_attempt.delivery_id = delivery.id and delivery.sequence = notice.sequence
      and notice.created_at < :before
"""
_FORGET_DELIVERIES = """
    delete from webhook_delivery using notice
    where webhook_delivery.sequence = notice.sequence and notice.created_at < :before
"""
_FORGET_OUTAGES = "delete from noticed_outage where ended_at < :before"
_FORGET_NOTICES = """
    delete from notice
    where created_at < :before and published_at is not null and event_type <> all(cast(:stays as text[]))
"""
_FORGET = (_FORGET_ATTEMPTS, _FORGET_DELIVERIES, _FORGET_OUTAGES, _FORGET_NOTICES)
STAY_TRUE = (ObligationOverdueV1.event_type,)
"""Types of facts that stay true: without its notice, an obligation overdue for months would be published anew."""


async def delete_old_notices(session: AsyncSession, *, before: datetime) -> int:
    """Delete notices that were written before that moment and what became of them; returns how many rows."""
    rows = 0
    for statement in _FORGET:
        given: dict[str, Any] = {"before": before}
        if statement is _FORGET_NOTICES:
            given["stays"] = list(STAY_TRUE)
        result: Any = await session.execute(text(statement), given)
        rows += result.rowcount
    return rows


async def page(
    session: AsyncSession,
    event_type: str | None,
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Notices of a type, or all: one more than the page, and the number of all when it is asked."""
    wanted = select(notice)
    if event_type is not None:
        wanted = wanted.where(notice.c.event_type == event_type)
    rows = (await session.execute(keyset_page(wanted, {"sequence": notice.c.sequence}, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total
