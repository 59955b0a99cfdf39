"""Days of the ledger on which a camera was in scope all day and hardly connected at all."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.ledger import CAMERA_KINDS, DAY, EPOCH_DATE, NOT_COUNTED, Day, date_of

_COMPLIANT = [code for code, kind in enumerate(CAMERA_KINDS) if "compliant" in kind]


class Days(NamedTuple):
    """Days [first, last) of a camera that never stood at another facility."""

    camera_id: str
    facility_id: UUID
    first: Day
    last: Day


# From a row on all days are of its kind, up to the last one before the next row, on which something changed. Where no
# row follows there is no such day.
_DAYS = text(
    f"""
    with settled as materialized (
        select id, (array_agg(facility_id))[1] as facility_id from camera
        group by id having min(facility_id::text) = max(facility_id::text)
    ), line as (
        select l.camera_id, s.facility_id, l.day, l.kind, coalesce(l.compliant, 0) as compliant,
               coalesce(l.out_of_scope, 0) as out_of_scope, lead(l.day) over later as next,
               lead(coalesce(l.compliant, 0)) over later as compliant_then,
               lead(coalesce(l.out_of_scope, 0)) over later as out_of_scope_then
        from ledger_camera as l join settled as s on s.id = l.camera_id
        where s.facility_id = any(cast(:facilities as uuid[])) and l.day <= :until
        window later as (partition by l.camera_id order by l.day)
    ), divided as (
        select *, coalesce(next - 1, :until) as last, kind = any(:compliant_kinds) as is_compliant,
               cast(next - 1 - day as bigint) * {DAY} as before_last
        from line
    )
    select camera_id::text, facility_id, day - date '{EPOCH_DATE}' as first, last - date '{EPOCH_DATE}' as last
    from divided where not is_compliant and kind <> {NOT_COUNTED} and last > day
    union all
    select camera_id::text, facility_id, next - 1 - date '{EPOCH_DATE}', next - date '{EPOCH_DATE}'
    from divided
    where compliant_then - compliant - case when is_compliant then before_last else 0 end < :least
      and out_of_scope_then - out_of_scope = case when kind = {NOT_COUNTED} then before_last else 0 end
    """  # noqa: S608 - of our own names
)


async def unconnected_days(
    session: AsyncSession, facility_ids: Sequence[UUID], until: Day, least: Millis
) -> list[Days]:
    """Find days before `until` when cameras of these facilities had less than `least` of connection to both centres."""
    given = {
        "facilities": facility_ids,
        "until": date_of(until),
        "compliant_kinds": _COMPLIANT,
        "least": least,
    }
    return [Days(*row) for row in await session.execute(_DAYS, given)]
