"""What forwarders said about deliveries: one row per change, chained per worker by `ends_at`.

A state begins when it was seen to (`observed_at`), except one that is not connected: after one that was, it begins with
the last media that the destination had confirmed. A report may stand for several changes; then the state before it
ended with the first of them (`first_changed_at`), and what was in between is not claimed.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import cut
from reporting.storage.tables import same_worker
from vonggac.events.forwarder import DeliveryObservedV1

_INSERT = text(
    """
    insert into delivery_change
        (delivery_id, worker_id, sequence, held_since, observed_at, state, cause, attempt, acknowledged_at,
         first_changed_at, refused_for)
    select * from unnest(
        cast(:delivery_ids as uuid[]), cast(:worker_ids as text[]), cast(:sequences as bigint[]),
        cast(:held as timestamptz[]), cast(:observed as timestamptz[]),
        cast(:states as text[]), cast(:causes as text[]), cast(:attempts as smallint[]),
        cast(:acknowledged as timestamptz[]), cast(:changed as timestamptz[]), cast(:refused as text[])
    ) as new (delivery_id, worker_id, sequence, held_since, observed_at, state, cause, attempt, acknowledged_at,
              first_changed_at, refused_for)
    order by delivery_id, worker_id, sequence
    on conflict do nothing
    returning delivery_id, worker_id, sequence
    """
)

_BEGINS = """
    case when {this}.state is null then null
         when {this}.state in ('acknowledged', 'verified', 'released') then {this}.observed_at
         when {before}.state in ('acknowledged', 'verified') then greatest({before}.observed_at, least(
             coalesce({this}.acknowledged_at, {this}.first_changed_at, {this}.observed_at), {this}.observed_at))
         when {this}.first_changed_at is null then {this}.observed_at
         else greatest({before}.observed_at, least(
             greatest({this}.first_changed_at, {this}.acknowledged_at), {this}.observed_at))
    end
"""

# Each new row, its predecessor and what follows it are dated anew. Reading after the insert of the same transaction,
# and holding a lock per delivery, so that two replicas that add neighbours see each other.
_CHAIN = text(
    f"""
    with added as (
        select * from unnest(
            cast(:delivery_ids as uuid[]), cast(:worker_ids as text[]), cast(:sequences as bigint[])
        ) as added (delivery_id, worker_id, sequence)
    ), touched as (
        select delivery_id, worker_id, sequence from added
        union
        select added.delivery_id, added.worker_id, near.sequence
        from added cross join lateral (
            (select sequence from delivery_change as earlier
             where earlier.delivery_id = added.delivery_id and {same_worker("earlier", "added")}
               and earlier.sequence < added.sequence
             order by earlier.sequence desc limit 1)
            union all
            (select sequence from delivery_change as later
             where later.delivery_id = added.delivery_id and {same_worker("later", "added")}
               and later.sequence > added.sequence
             order by later.sequence limit 1)
        ) as near
    ), chained as (
        select this.delivery_id, this.worker_id, this.sequence,
               nullif({_BEGINS.format(this="this", before="before")}, this.observed_at) as begins_at,
               least(coalesce(following.first_changed_at, following.observed_at),
                     {_BEGINS.format(this="following", before="this")}) as ends_at
        from touched join delivery_change as this on this.delivery_id = touched.delivery_id
            and {same_worker("this", "touched")} and this.sequence = touched.sequence
        left join lateral (
            select state, observed_at from delivery_change as earlier
            where earlier.delivery_id = this.delivery_id and {same_worker("earlier", "this")}
              and earlier.sequence < this.sequence
            order by earlier.sequence desc limit 1
        ) as before on true
        left join lateral (
            select state, observed_at, acknowledged_at, first_changed_at from delivery_change as later
            where later.delivery_id = this.delivery_id and {same_worker("later", "this")}
              and later.sequence > this.sequence
            order by later.sequence limit 1
        ) as following on true
    )
    update delivery_change as change set begins_at = chained.begins_at, ends_at = chained.ends_at
    from chained
    where change.delivery_id = chained.delivery_id and {same_worker("change", "chained")}
      and change.sequence = chained.sequence
      and (change.begins_at, change.ends_at) is distinct from (chained.begins_at, chained.ends_at)
    """  # noqa: S608 - of our own text
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
        # Nobody holds from later on than it says so.
        "held": [cut(min(one.held_since, one.observed_at)) for one in changes],
        "observed": [cut(one.observed_at) for one in changes],
        "states": [one.state.value for one in changes],
        "causes": [one.cause.value if one.cause else None for one in changes],
        "attempts": [min(one.attempt, 32_767) for one in changes],
        "acknowledged": [None if (at := one.last_acknowledged_at) is None else cut(at) for one in changes],
        "changed": [
            None if one.changes == 1 or (at := one.first_changed_at) is None else cut(min(at, one.observed_at))
            for one in changes
        ],
        "refused": [one.refused_for.value if one.refused_for else None for one in changes],
    }


def _keys(added: Sequence[tuple[UUID, str, int]]) -> dict[str, list[object]]:
    return {
        "delivery_ids": [key[0] for key in added],
        "worker_ids": [key[1] for key in added],
        "sequences": [key[2] for key in added],
    }
