"""Sums of many days at once, added up by PostgreSQL from the rows in the ledger that begin or end within them.

A row stands only where something changed: a camera without one at a day's end was of one kind all day. So a month costs
one search for how each camera stood at first, and the few rows of the month.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.domain.ledger import CAMERA_KINDS, CAMERA_SUMS, EPOCH_DATE, NOT_COUNTED, ORIGIN, Day, date_of, midnight
from reporting.domain.partition import CameraKind
from reporting.storage.availability.ledger import quoted


class AtFirst(NamedTuple):
    """So many cameras of a facility stood in a kind at the first midnight."""

    facility: int
    kind: CameraKind
    cameras: int


class Changed(NamedTuple):
    """Cameras of a facility whose day ended with a row: they stood in `before` at its beginning, for `stood` days since
    their rows before, and stand in `after` from its end on. `gained`: the sums between the two rows."""

    facility: int
    day: Day
    before: CameraKind
    after: CameraKind
    cameras: int
    stood: int
    gained: tuple[Millis, ...]


class DailySums(NamedTuple):
    """What says all days of some cameras; facilities go by their number. `apart` are in none: they moved, came, went
    or changed within these days, or are of a facility that did."""

    at_first: Sequence[AtFirst]
    changed: Sequence[Changed]
    apart: Sequence[UUID]


_STAYED = """
    facility_of as materialized (
        select id, n, n <= :stable as stable
        from unnest(cast(:facilities as uuid[])) with ordinality as given (id, n)
    ), version as (
        select c.id, f.n, coalesce(f.stable, false) and not c.removed and c.valid_from <= :from
               and (c.valid_to is null or c.valid_to >= :to) as stays
        from camera as c join facility_of as f on f.id = c.facility_id
        where c.valid_from < :to and (c.valid_to is null or (c.valid_to > :from and c.valid_to > c.valid_from))
    ), stayed as materialized (
        select id, min(n) as n from version group by id having bool_and(stays)
    )
"""
_NAMES = [quoted(name) for name in CAMERA_SUMS]
_STOOD = f"""
    select s.id, s.n, coalesce(l.day, date '{date_of(ORIGIN)}') as day, coalesce(l.kind, {NOT_COUNTED}) as kind,
           {", ".join(f"coalesce(l.{name}, 0) as {name}" for name in _NAMES)}
    from stayed as s left join lateral (
        select * from ledger_camera where camera_id = s.id and day <= :first order by day desc limit 1
    ) as l on true
"""  # noqa: S608 - of our own names
_BY_KIND = text(
    f"with {_STAYED}, stood as ({_STOOD}) select n - 1, kind, count(*) from stood group by n, kind"  # noqa: S608
)
_CHANGED = text(
    f"""
    with {_STAYED}, line as (
        {_STOOD}
        union all
        select s.id, s.n, l.day, l.kind, {", ".join(f"coalesce(l.{name}, 0)" for name in _NAMES)}
        from stayed as s join ledger_camera as l on l.camera_id = s.id where l.day > :first and l.day <= :last
    ), step as (
        select n, day, kind, lag(kind) over chain as before, day - 1 - lag(day) over chain as stood,
               {", ".join(f"{name} - lag({name}) over chain as {name}" for name in _NAMES)}
        from line window chain as (partition by id order by day)
    )
    select n - 1, day - 1 - date '{EPOCH_DATE}', before, kind, count(*), sum(stood)::bigint,
           {", ".join(f"sum({name})::bigint" for name in _NAMES)}
    from step where before is not null and day > :first group by n, day, before, kind
    """  # noqa: S608 - of our own names
)
_APART = text(f"with {_STAYED} select id from version group by id having not bool_and(stays)")  # noqa: S608


async def daily_sums(
    session: AsyncSession, days: tuple[Day, Day], stable: Sequence[UUID], others: Sequence[UUID]
) -> DailySums:
    """Read the sums of the cameras of `stable` facilities in the days [first, last), all of which are closed. `others`:
    facilities whose cameras are apart."""
    first, last = days
    given = {
        "facilities": [*stable, *others],
        "stable": len(stable),
        "from": moment(midnight(first)),
        "to": moment(midnight(last)),
    }
    apart = (await session.execute(_APART, given)).scalars().all()
    given |= {"first": date_of(first)}
    at_first = [
        AtFirst(number, CAMERA_KINDS[kind], cameras) for number, kind, cameras in await session.execute(_BY_KIND, given)
    ]
    changed = [
        Changed(number, day, CAMERA_KINDS[before], CAMERA_KINDS[kind], cameras, stood, tuple(gained))
        for number, day, before, kind, cameras, stood, *gained in await session.execute(
            _CHANGED, {**given, "last": date_of(last)}
        )
    ]
    return DailySums(at_first, changed, apart)
