"""What forwarders said about deliveries: one row per change, chained per worker by `ends_at`."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.events.forwarder import DeliveryObservedV1

_INSERT = text(
    """
    insert into delivery_change
        (delivery_id, worker_id, sequence, held_since, observed_at, state, cause, attempt)
    select * from unnest(
        cast(:delivery_ids as uuid[]), cast(:worker_ids as text[]), cast(:sequences as bigint[]),
        cast(:held as timestamptz[]), cast(:observed as timestamptz[]),
        cast(:states as text[]), cast(:causes as text[]), cast(:attempts as smallint[])
    ) as new (delivery_id, worker_id, sequence, held_since, observed_at, state, cause, attempt)
    order by delivery_id, worker_id, sequence
    on conflict do nothing
    returning delivery_id, worker_id, sequence
    """
)

# Each new row and its predecessor get the start of what follows them. Reading after the insert of the same transaction,
# and holding a lock per delivery, so that two replicas that add neighbours see each other.
_CHAIN = text(
    """
    with added as (
        select * from unnest(
            cast(:delivery_ids as uuid[]), cast(:worker_ids as text[]), cast(:sequences as bigint[])
        ) as added (delivery_id, worker_id, sequence)
    ), touched as (
        select delivery_id, worker_id, sequence from added
        union
        select added.delivery_id, added.worker_id, before.sequence
        from added cross join lateral (
            select sequence from delivery_change as earlier
            where earlier.delivery_id = added.delivery_id and earlier.worker_id = added.worker_id
              and earlier.sequence < added.sequence
            order by earlier.sequence desc limit 1
        ) as before
    ), chained as (
        select touched.*, following.observed_at as ends_at
        from touched cross join lateral (
            select observed_at from delivery_change as later
            where later.delivery_id = touched.delivery_id and later.worker_id = touched.worker_id
              and later.sequence > touched.sequence
            order by later.sequence limit 1
        ) as following
    )
    update delivery_change as change set ends_at = chained.ends_at
    from chained
    where change.delivery_id = chained.delivery_id and change.worker_id = chained.worker_id
      and change.sequence = chained.sequence and change.ends_at is distinct from chained.ends_at
    """
)

_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 1742) as key "
    "from unnest(cast(:delivery_ids as uuid[])) as id order by key) as locks"
)


async def record(session: AsyncSession, changes: Sequence[DeliveryObservedV1]) -> int:
    """Store the changes in any order; returns how many were new."""
    if not changes:
        return 0
    distinct = {(one.delivery_id, one.worker_id, one.sequence): one for one in changes}
    ordered = list(distinct.values())
    await session.execute(_LOCK, {"delivery_ids": sorted({one.delivery_id for one in ordered})})
    added = (await session.execute(_INSERT, _columns(ordered))).all()
    if added:
        await session.execute(_CHAIN, _keys([(row[0], row[1], row[2]) for row in added]))
    return len(added)


def _columns(changes: Sequence[DeliveryObservedV1]) -> dict[str, list[object]]:
    return {
        "delivery_ids": [one.delivery_id for one in changes],
        "worker_ids": [one.worker_id for one in changes],
        "sequences": [one.sequence for one in changes],
        "held": [one.held_since for one in changes],
        "observed": [one.observed_at for one in changes],
        "states": [one.state.value for one in changes],
        "causes": [one.cause.value if one.cause else None for one in changes],
        "attempts": [min(one.attempt, 32_767) for one in changes],
    }


def _keys(added: Sequence[tuple[UUID, str, int]]) -> dict[str, list[object]]:
    return {
        "delivery_ids": [key[0] for key in added],
        "worker_ids": [key[1] for key in added],
        "sequences": [key[2] for key in added],
    }
