"""Our own checks of the addresses that centres pull from: stretches over which one after another found the same."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Column, DateTime, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.segments import Segment
from reporting.storage.tables import metadata
from vonggac.events import Payload
from vonggac.events.inventory.serving import CHECK_HOLDS_S, SelfCheckOutcome
from vonggac.events.prober import DeliveryVerifiedV1

self_check = Table(
    "self_check",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("began_at", DateTime(timezone=True), primary_key=True),
    Column("ended_at", DateTime(timezone=True), nullable=False, comment="The last check that found the same"),
    Column("outcome", Text, nullable=False),
    comment="What we found at the addresses that centres pull from, from one check to the next",
)

_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 2033) as key "
    "from unnest(cast(:ids as uuid[])) as id order by key) as locks"
)
# The stretch goes on where the newest one before found the same, and not too long ago.
_GO_ON = text(
    """
    update self_check set ended_at = greatest(ended_at, :at)
    where delivery_id = :id and outcome = :outcome and ended_at >= cast(:at as timestamptz) - :within
      and began_at = (select max(began_at) from self_check where delivery_id = :id and began_at <= :at)
    returning 1
    """
)
_BEGIN = text(
    "insert into self_check (delivery_id, began_at, ended_at, outcome) values (:id, :at, :at, :outcome) "
    "on conflict do nothing"
)
_LOAD = text(
    "select delivery_id, began_at, ended_at, outcome from self_check where delivery_id = any(:ids) "
    "and ended_at > :from and began_at < :to order by delivery_id, began_at"
)


async def record(session: AsyncSession, facts: Sequence[Payload]) -> None:
    """Store the checks that facts carry. Raises what PostgreSQL raises."""
    found = [one for one in facts if isinstance(one, DeliveryVerifiedV1) and one.self_check is not None]
    if not found:
        return
    await session.execute(_LOCK, {"ids": sorted({one.delivery_id for one in found})})
    for fact in sorted(found, key=lambda one: one.observed_at):
        assert fact.self_check is not None, "chosen so"
        given = {"id": fact.delivery_id, "at": fact.observed_at, "outcome": fact.self_check.outcome.value}
        within = moment(round(CHECK_HOLDS_S * 1000)) - moment(0)
        if (await session.execute(_GO_ON, {**given, "within": within})).first() is None:
            await session.execute(_BEGIN, given)


async def load_checks(
    session: AsyncSession, delivery_ids: Iterable[str], start: Millis, end: Millis
) -> Mapping[str, list[Segment[SelfCheckOutcome]]]:
    """Load what checks of [start, end) agree on, by delivery: from one to the next that found the same.

    Where a later stretch begins, the one before it ends: what came late contradicts it.
    """
    given = {"ids": [UUID(one) for one in delivery_ids], "from": moment(start), "to": moment(end)}
    found: dict[str, list[Segment[SelfCheckOutcome]]] = {}
    for row in await session.execute(_LOAD, given):
        line = found.setdefault(str(row.delivery_id), [])
        began = millis(row.began_at)
        if line and line[-1].end > began:
            line[-1] = Segment(line[-1].start, began, line[-1].value)
        line.append(Segment(began, millis(row.ended_at), SelfCheckOutcome(row.outcome)))
    return {one: [each for each in line if each.end > each.start] for one, line in found.items()}
