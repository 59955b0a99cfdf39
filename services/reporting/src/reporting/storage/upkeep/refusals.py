"""Why centres that pull were refused: for as long as the forwarder that refused them said so."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.segments import Segment

_LOAD = text(
    """
    select delivery_id, coalesce(begins_at, observed_at) as began_at, ends_at, refused_for
    from delivery_change
    where delivery_id = any(:ids) and refused_for is not null
      and coalesce(begins_at, observed_at) < :to and (ends_at is null or ends_at > :from)
    order by delivery_id, began_at, sequence
    """
)


async def load_refusals(
    session: AsyncSession, delivery_ids: Iterable[str], start: Millis, end: Millis
) -> Mapping[str, list[Segment[str]]]:
    """Load the reasons in [start, end), by delivery. Where a later one begins, the one before it ends.

    One holds no longer than the state that it explains: who asks for a party has that state beside it.
    """
    given = {"ids": [UUID(one) for one in delivery_ids], "from": moment(start), "to": moment(end)}
    found: dict[str, list[Segment[str]]] = {}
    for row in await session.execute(_LOAD, given):
        line = found.setdefault(str(row.delivery_id), [])
        began = millis(row.began_at)
        if line and line[-1].end > began:
            line[-1] = Segment(line[-1].start, began, line[-1].value)
        line.append(Segment(began, end if row.ends_at is None else millis(row.ends_at), str(row.refused_for)))
    return {one: [each for each in line if each.end > each.start] for one, line in found.items()}
