"""What read-backs prove of deliveries, as stored."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.storage.columns import columns

_FROM = """
select delivery_id, begins_at, ends_at, kind, cause, losses_from, firm_at, widest_ms, worker from {table}
where {of} and ends_at > %(from)s and begins_at < %(to)s
"""
_DEMANDED = "delivery_id = any(cast(%(demanded)s as uuid[]))"
_DIFFERS = "kind = 5 and delivery_id = any(cast(%(others)s as uuid[]))"
_STRETCHES = f"""
select array_agg(delivery_id::text), array_agg((date_part('epoch', begins_at) * 1000)::bigint),
       array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(kind), array_agg(cause),
       array_agg((date_part('epoch', losses_from) * 1000)::bigint),
       array_agg((date_part('epoch', firm_at) * 1000)::bigint), array_agg(widest_ms), array_agg(worker)
from ({
    " union all ".join(
        _FROM.format(table=table, of=of)
        for of in (_DEMANDED, _DIFFERS)
        for table in ("read_back_stretch", "delivery_session")
    )
} order by delivery_id, begins_at) as proven
"""  # noqa: S608 - of our own text

_FAILED = """
select array_agg(delivery_id::text), array_agg((date_part('epoch', started_at) * 1000)::bigint),
       array_agg((date_part('epoch', ends_at) * 1000)::bigint), array_agg(cause),
       array_agg((date_part('epoch', last_observed_at) * 1000)::bigint)
from (
    select delivery_id, started_at, ends_at, cause, last_observed_at from read_back_run
    where state = 'down' and delivery_id = any(cast(%(demanded)s as uuid[]))
      and ends_at > %(from)s and started_at < %(to)s
    union all
    select delivery_id, started_at, ends_at, cause, last_observed_at from read_back_state
    where state = 'down' and delivery_id = any(cast(%(demanded)s as uuid[]))
      and ends_at > %(from)s and started_at < %(to)s
    order by delivery_id, started_at
) as failed
"""

_HOLDS_FROM = text("select holds_from from accounting_rule where version = 4")
# A loss takes back what holds only without one, and of what goes on over it up to `widest_ms` on both sides.
_TAKEN_BACK = text(
    """
    select min(case when firm_at > :at then begins_at else :at - widest_ms * interval '1 ms' end) from (
        select begins_at, ends_at, firm_at, widest_ms from read_back_stretch where kind = 6 union all
        select begins_at, ends_at, firm_at, widest_ms from delivery_session where kind = 6
    ) as proven where begins_at < :at and greatest(firm_at, ends_at) > :at
    """
)


class ReadBackRows(NamedTuple):
    """Columns as they were read, the delivery's id first. Rule 4 counts from `since` on."""

    stretches: Sequence[Sequence[Any]] = ()
    failed: Sequence[Sequence[Any]] = ()
    since: Millis = 0


async def rule_holds_from(session: AsyncSession) -> Millis:
    """Since when rule 4 counts, 0 where it always has."""
    at = await session.scalar(_HOLDS_FROM)
    return 0 if at is None else millis(at)


async def load_read_backs(
    session: AsyncSession, deliveries: Iterable[str], demanded: Iterable[str], start: Millis, end: Millis, since: Millis
) -> ReadBackRows:
    """What read-backs say of [start, end). `demanded`: the deliveries whose destination demands them, of others only
    what differed is read. `since`: as of `rule_holds_from`."""
    required = set(demanded)
    given = {
        "demanded": _array(required),
        "others": _array(one for one in deliveries if one not in required),
        "from": moment(start),
        "to": moment(end),
    }
    stretches = await columns(session, _STRETCHES, given) if end > since else ()
    failed = await columns(session, _FAILED, given) if required and start < since else ()
    return ReadBackRows(stretches, failed, since)


async def taken_back_from(session: AsyncSession, at: Millis) -> Millis:
    """Since when accounts may change when it becomes known that facts were lost at that instant, or were not."""
    since = await session.scalar(_TAKEN_BACK, {"at": moment(at)})
    return at if since is None else min(at, millis(since))


def _array(ids: Iterable[str]) -> str:
    return f"{{{','.join(ids)}}}"
