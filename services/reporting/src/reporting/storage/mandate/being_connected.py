"""When cameras were being connected: what probes found of new ones, as stored."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from reporting.domain.mandate.being_connected import EXCUSED, MOST, excused, first_connection
from reporting.domain.segments import Period

# A revision that another one followed at once demanded nothing.
_FIRST_PLANNED = """
    select camera_id, date_trunc('milliseconds', min(valid_from)) as since from delivery
    where camera_id = any(cast(:ids as uuid[])) and (valid_to is null or valid_to > valid_from)
    group by camera_id
"""
# Hardly any camera was found like that: only of these the first probe that found it up is searched for.
_BEING_CONNECTED = text(
    f"""
    with planned as materialized ({_FIRST_PLANNED}), rule as materialized (
        select coalesce((select holds_from from accounting_rule where version = 6), '-infinity') as holds_from
    ), found as materialized (
        select planned.camera_id, planned.since, seen.started_at, seen.ends_at
        from planned cross join rule cross join lateral (
            select started_at, ends_at, state, cause from camera_run
            where camera_id = planned.camera_id and started_at < planned.since + :most * interval '1 ms'
            union all
            select started_at, ends_at, state, cause from camera_state
            where camera_id = planned.camera_id and started_at < planned.since + :most * interval '1 ms'
        ) as seen
        where seen.state = 'down' and seen.cause = any(:causes) and seen.ends_at > planned.since
          and planned.since + :most * interval '1 ms' > holds_from
    ), came_up as materialized (
        select new.camera_id, min(up.started_at) as first_up
        from (select distinct camera_id, since from found) as new cross join lateral (
            select started_at from camera_run
            where camera_id = new.camera_id and state = 'up' and started_at <= new.since + :most * interval '1 ms'
            union all
            select started_at from camera_state
            where camera_id = new.camera_id and state = 'up' and started_at <= new.since + :most * interval '1 ms'
        ) as up group by new.camera_id
    )
    select found.camera_id::text, (date_part('epoch', found.since) * 1000)::bigint as since,
           (date_part('epoch', came_up.first_up) * 1000)::bigint as first_up,
           case when holds_from = '-infinity' then 0 else (date_part('epoch', holds_from) * 1000)::bigint end
               as holds_from,
           (date_part('epoch', found.started_at) * 1000)::bigint as begins,
           (date_part('epoch', found.ends_at) * 1000)::bigint as ends
    from found join came_up using (camera_id) cross join rule order by found.camera_id, found.started_at
    """  # noqa: S608 - of our own text
)
_PLANNED = text(_FIRST_PLANNED)


async def first_planned(session: AsyncSession, cameras: Iterable[UUID]) -> dict[UUID, Millis]:
    """When each of these cameras had its first planned delivery; those that never had one are left out."""
    rows = await session.execute(_PLANNED, {"ids": list(cameras)})
    return {row.camera_id: millis(row.since) for row in rows}


async def load_being_connected(session: AsyncSession, cameras: Sequence[str]) -> dict[str, tuple[Period, ...]]:
    """When each of these cameras, given by id, was being connected, whatever period is asked for. Of most, never."""
    if not cameras:
        return {}
    given = {"ids": f"{{{','.join(cameras)}}}", "most": MOST, "causes": sorted(EXCUSED)}
    rows = (await session.execute(_BEING_CONNECTED, given)).all()
    result: dict[str, tuple[Period, ...]] = {}
    for camera_id, group in groupby(rows, key=itemgetter(0)):
        found = list(group)
        _, planned_at, first_up, holds_from, *_ = found[0]
        period = first_connection(planned_at, first_up, holds_from)
        if period is not None and (spans := excused(period, [Period(row.begins, row.ends) for row in found])):
            result[camera_id] = spans
    return result
