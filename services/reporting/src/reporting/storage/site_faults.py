"""Faults of whole sites, as stored."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment

_TOUCHING = text(
    "select facility_id, began_at, ended_at, cause, camera_ids from site_fault "
    "where began_at < :to and (ended_at is null or ended_at > :from) order by began_at desc, facility_id"
)


class SiteFault(NamedTuple):
    """All cameras of a facility failed alike; `began_at` is when the last of them did, `ended_at` None meanwhile."""

    facility_id: UUID
    began_at: Millis
    ended_at: Millis | None
    cause: str
    camera_ids: frozenset[str]


async def site_faults(session: AsyncSession, start: Millis, end: Millis) -> list[SiteFault]:
    """Those that touch [start, end), newest first."""
    rows = await session.execute(_TOUCHING, {"from": moment(start), "to": moment(end)})
    return [
        SiteFault(
            row.facility_id,
            millis(row.began_at),
            None if row.ended_at is None else millis(row.ended_at),
            row.cause,
            frozenset(map(str, row.camera_ids)),
        )
        for row in rows
    ]
