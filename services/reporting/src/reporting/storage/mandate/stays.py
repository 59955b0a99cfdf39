"""Since when each facility is founded, and since when cameras stand there, as stored."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.domain.scope import FOREVER
from vonggac.mandate.facility_history import CameraStay

# Cameras that were entered together are one row.
_STAYS = text(
    """
    with stayed as (
        select id, facility_id, min(valid_from) as since,
               max(coalesce(case when valid_to <= :at then valid_to end, 'infinity')) as until,
               (array_agg(installed_on order by revision desc))[1] as installed_on
        from camera where not removed and facility_id is not null and valid_from <= :at
        group by id, facility_id
    ), ordered as (
        select *, since > min(since) over (partition by id) as moved from stayed
    )
    select distinct facility_id, (extract(epoch from date_trunc('milliseconds', since)) * 1000)::bigint,
           case when until < 'infinity' then (extract(epoch from date_trunc('milliseconds', until)) * 1000)::bigint end,
           (extract(epoch from installed_on::timestamp at time zone 'Asia/Ho_Chi_Minh') * 1000)::bigint, moved
    from ordered
    """
)
_FOUNDED = text(
    """
    select id, (extract(epoch from min(valid_from)) * 1000)::bigint,
           (extract(epoch from (array_agg(founded_on order by revision desc))[1]::timestamp
                    at time zone 'Asia/Ho_Chi_Minh') * 1000)::bigint
    from facility where not removed and valid_from <= :at group by id
    """
)


async def camera_stays(session: AsyncSession, at: Millis) -> dict[UUID, list[CameraStay]]:
    """List by facility the cameras that were on record there at some moment up to `at`."""
    found: dict[UUID, list[CameraStay]] = {}
    for facility_id, since, until, installed_at, moved in await session.execute(_STAYS, {"at": moment(at)}):
        stay = CameraStay(since, FOREVER if until is None else until, installed_at, moved)
        found.setdefault(facility_id, []).append(stay)
    return found


async def founded(session: AsyncSession, at: Millis) -> dict[UUID, tuple[Millis, Millis | None]]:
    """Read of each facility when it was entered, and its founding day as it was on record at `at`."""
    rows = await session.execute(_FOUNDED, {"at": moment(at)})
    return {row[0]: (row[1], row[2]) for row in rows}
