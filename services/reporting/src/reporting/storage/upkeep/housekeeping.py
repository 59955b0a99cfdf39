"""Keeping the tables small without changing any figure."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import same_worker

# A destination that is down makes its worker say connecting, backing_off, connecting, ... for days, all with the cause
# of the failure. Of such a stretch the first row is kept, prolonged to the end of the last: the same worker in the same
# life, not connected, for the same cause, without a gap between the rows or in the numbers of its facts. The newest row
# of a worker has no end and stays.
_FOLD = text(
    f"""
    with settled as (
        select delivery_id, worker_id, sequence, ends_at,
               failing and lag(failing) over chain
               and lag(cause) over chain = cause and lag(ends_at) over chain = coalesce(begins_at, observed_at)
               and not exists (
                   select from worker_life as life where life.worker_id = said.worker_id
                   and life.started_at > said.before and life.started_at <= said.observed_at
               ) and not exists (
                   select from publisher_gap as gap where gap.publisher_id = said.worker_id
                   and gap.ended_at >= said.before and gap.began_at <= said.observed_at
               ) as goes_on
        from (
            select *, cause is not null and state in ('connecting', 'backing_off', 'refused') as failing,
                   lag(observed_at) over (partition by delivery_id, worker_id order by sequence) as before
            from delivery_change
            where observed_at >= :since and observed_at < :until and ends_at is not null
        ) as said
        window chain as (partition by delivery_id, worker_id order by sequence)
    ), numbered as (
        select *, count(*) filter (where goes_on is not true) over chain as stretch
        from settled
        window chain as (partition by delivery_id, worker_id order by sequence)
    ), folded as (
        select delivery_id, worker_id, min(sequence) as first, max(ends_at) as ends_at,
               array_agg(sequence order by sequence) as sequences
        from numbered group by delivery_id, worker_id, stretch having count(*) > 1
    ), gone as (
        delete from delivery_change as change using folded
        where change.delivery_id = folded.delivery_id and {same_worker("change", "folded")}
          and change.sequence = any(folded.sequences) and change.sequence <> folded.first
        returning 1
    ), prolonged as (
        update delivery_change as change set ends_at = folded.ends_at from folded
        where change.delivery_id = folded.delivery_id and {same_worker("change", "folded")}
          and change.sequence = folded.first
        returning 1
    )
    select count(*) from gone
    """  # noqa: S608 - of our own text
)


async def fold_attempts(session: AsyncSession, *, since: datetime, until: datetime) -> int:
    """Fold failing attempts that began in [since, until); returns how many rows went."""
    return int((await session.execute(_FOLD, {"since": since, "until": until})).scalar_one())
