"""The log: who was urged, when, how, with which outcome, and what they answered. It is only added to."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.sending.urging_tables import urge, urge_answer, urge_sending
from vonggac.database.keyset import Ordered, keyset_page

SORTABLE = {"urged_at": urge.c.urged_at, "level": urge.c.level, "id": urge.c.id}
CLAIMED = 3
"""Messages claimed at a time: they are sent one after the other, and the last ends before the lease does."""

_LOCK = text("select pg_try_advisory_xact_lock(17420521)")
_WAIT = text("select pg_advisory_xact_lock(17420521)")

# A claim is a lease: who dies with it leaves the message to the next claim after `until`. What waits for a channel that
# is switched off, or no more, keeps nothing else from being sent.
_CLAIM = text(
    """
    update urge_sending as sending set attempts = sending.attempts + 1, next_attempt_at = :until
    from urge, urge_channel as channel
    where urge.id = sending.urge_id and channel.id = sending.channel_id and (sending.urge_id, sending.channel_id) in (
        select due.urge_id, due.channel_id
        from urge_sending as due join urge_channel as used on used.id = due.channel_id
        where due.state = 'pending' and due.next_attempt_at <= :now and used.enabled
        order by due.next_attempt_at, due.urge_id limit :most for update of due skip locked
    )
    returning sending.urge_id, sending.channel_id, sending.attempts, channel.kind, channel.address, urge.agency_id,
              urge.agency_name, urge.level, urge.items, urge.urged_at
    """
)


async def try_lock(session: AsyncSession) -> bool:
    """Whether this transaction is the one that decides; another replica does otherwise."""
    return bool((await session.execute(_LOCK)).scalar_one())


async def lock(session: AsyncSession) -> None:
    """As `try_lock`, for a person who urges: waits for whoever decides now."""
    await session.execute(_WAIT)


async def recent(session: AsyncSession, since: datetime, *, or_answered: bool = False) -> Sequence[Any]:
    """Who was urged after `since`, each with the party's newest answer; `or_answered`: also who answered after it."""
    answered = (
        select(urge_answer.c.urge_id, func.max(urge_answer.c.answered_at).label("answered_at"))
        .where(urge_answer.c.facility_id.is_(None))
        .group_by(urge_answer.c.urge_id)
        .subquery()
    )
    wanted = (
        select(urge.c.agency_id, urge.c.level, urge.c.urged_at, answered.c.answered_at)
        .outerjoin(answered, answered.c.urge_id == urge.c.id)
        .where(or_(urge.c.urged_at > since, answered.c.answered_at > since) if or_answered else urge.c.urged_at > since)
    )
    return (await session.execute(wanted.order_by(urge.c.urged_at))).all()


async def add(session: AsyncSession, values: Mapping[str, Any], channels: Sequence[Any]) -> None:
    """Add an entry, with the channels that it is to be sent through."""
    await session.execute(insert(urge).values(dict(values)))
    rows = [
        {
            "urge_id": values["id"],
            "channel_id": channel.id,
            "channel_name": channel.name,
            "channel_kind": channel.kind,
            "state": "pending",
            "attempts": 0,
            "next_attempt_at": values["urged_at"],
        }
        for channel in channels
    ]
    if rows:
        await session.execute(insert(urge_sending).values(rows))


async def get(session: AsyncSession, urge_id: UUID) -> Any:
    """Read the entry, or None."""
    return (await session.execute(select(urge).where(urge.c.id == urge_id))).one_or_none()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which entries of the log are asked for; None does not narrow them."""

    agency_id: UUID | None = None
    among: Collection[UUID] | None = None
    """Agencies."""
    about: Collection[str] | None = None
    """Codes of a facility that something of the entry is about."""
    matches: Callable[..., bool] | None = None
    """Whether it takes the texts of the entry."""


async def page(
    session: AsyncSession,
    chosen: Chosen,
    paging: tuple[Sequence[Ordered], Sequence[Any] | None, int],
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Read the entries: one more than the page, and the number of all when it is asked."""
    wanted = _select_chosen(chosen)
    if chosen.matches is not None:
        ids = [row.id for row in await session.execute(wanted) if chosen.matches(*_texts_of(row))]
        wanted = select(urge).where(urge.c.id.in_(ids))
    rows = (await session.execute(keyset_page(wanted, SORTABLE, *paging))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


def _select_chosen(chosen: Chosen) -> Select[Any]:
    """By all but their texts."""
    wanted = select(urge)
    if chosen.among is not None:
        wanted = wanted.where(urge.c.agency_id.in_(chosen.among))
    if chosen.agency_id is not None:
        wanted = wanted.where(urge.c.agency_id == chosen.agency_id)
    if chosen.about is not None:
        wanted = wanted.where(
            or_(false(), *(urge.c["items"].contains([{"facility_code": code}]) for code in chosen.about))
        )
    return wanted


def _texts_of(row: Any) -> list[str | None]:
    of_items = [item.get(name) for item in row.items for name in ("code", "title", "facility_code", "facility_name")]
    return [row.agency_code, row.agency_name, row.reason, row.decided_by, *of_items]


async def sendings(session: AsyncSession, urge_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Through which channels each went, and with which outcome."""
    wanted = select(urge_sending).where(urge_sending.c.urge_id.in_(urge_ids))
    return _by_urge(await session.execute(wanted.order_by(urge_sending.c.channel_name, urge_sending.c.channel_id)))


async def answers(session: AsyncSession, urge_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Read the answers to each, oldest first."""
    wanted = select(urge_answer).where(urge_answer.c.urge_id.in_(urge_ids))
    return _by_urge(await session.execute(wanted.order_by(urge_answer.c.answered_at, urge_answer.c.id)))


def _by_urge(rows: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.urge_id, []).append(row)
    return found


async def add_answer(session: AsyncSession, values: Mapping[str, Any]) -> Any:
    return (await session.execute(insert(urge_answer).values(dict(values)).returning(urge_answer))).one()


async def claim(session: AsyncSession, now: datetime, until: datetime) -> Sequence[Any]:
    """Claim what is to be sent, each for this caller alone until `until`."""
    return (await session.execute(_CLAIM, {"now": now, "until": until, "most": CLAIMED})).all()


async def record(session: AsyncSession, urge_id: UUID, channel_id: UUID, values: Mapping[str, Any]) -> None:
    """Record what became of an attempt."""
    of_it = urge_sending.c.urge_id == urge_id, urge_sending.c.channel_id == channel_id
    await session.execute(update(urge_sending).where(*of_it).values(dict(values)))


async def give_up(session: AsyncSession, channel_id: UUID) -> None:
    """Give up what waits for a channel that is removed."""
    waiting = urge_sending.c.channel_id == channel_id, urge_sending.c.state == "pending"
    await session.execute(update(urge_sending).where(*waiting).values(state="failed"))
