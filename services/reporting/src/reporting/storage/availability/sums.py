"""Sums over many cameras, added up by PostgreSQL from their rows in the ledger.

A camera's time counts at the places where it stood. Between two midnights it is a difference of two rows. A move within
a day divides that day: one that ends without a row was of one kind, so each part of it is. A camera with a row at the
day's end is left out of that day, and has to be accounted directly.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.domain.ledger import (
    CAMERA_KINDS,
    CAMERA_SUMS,
    DAY,
    NOT_COUNTED,
    OFFSET,
    ORIGIN,
    Day,
    date_of,
    midnight,
    number_of,
)
from reporting.domain.partition import CameraKind, Durations
from reporting.domain.segments import Period
from reporting.storage.availability.ledger import quoted


class Place(NamedTuple):
    """What a facility's cameras are grouped by, while it stays so. Those of a facility follow one another without gaps
    through the period. `whole`: whether all of them are asked for."""

    facility_id: UUID
    start: Millis
    end: Millis
    whole: bool


class Steady(NamedTuple):
    """Cameras of one place that stood in one kind all through a part of the period that no two midnights bound."""

    place: int
    kind: CameraKind
    cameras: int
    last: bool
    """Whether the part lies after the whole days, not before them."""


@dataclass(slots=True)
class Sums:
    """What cameras come to between two midnights: the time at each place, and how many stood there last. Places go by
    their number.

    `steady` are those that stood alike before the first midnight or after the last; `first` and `last` are the others,
    whose parts have to be accounted directly. `moved`: who has to be for the days of its moves. `apart` are in no sum.
    """

    times: dict[int, Durations] = field(default_factory=dict)
    cameras: dict[int, int] = field(default_factory=dict)
    steady: list[Steady] = field(default_factory=list)
    first: list[UUID] = field(default_factory=list)
    last: list[UUID] = field(default_factory=list)
    moved: dict[Day, list[UUID]] = field(default_factory=dict)
    apart: list[UUID] = field(default_factory=list)


class Open(NamedTuple):
    """That the days after the last midnight are not in the ledger: cameras that were `touched` since then, and the
    kinds (places in CAMERA_KINDS) in which the others stand as they stood."""

    touched: Sequence[UUID]
    steady: Collection[int]


_HELD = """
    c.valid_from < :to and (c.valid_to is null or (c.valid_to > :from and c.valid_to > c.valid_from))
    and not (c.removed and c.valid_from <= :from)
"""
_STOOD = f"""
    place as materialized (
        select n, id, starts, ends, whole from unnest(
            cast(:facilities as uuid[]), cast(:starts as timestamptz[]), cast(:ends as timestamptz[]),
            cast(:whole as boolean[])
        ) with ordinality as given (id, starts, ends, whole, n)
    ), facility_of as materialized (
        select id, min(n) as n, count(*) = 1 as stable, bool_and(whole) as whole from place group by id
    ), stood as materialized (
        select c.id, min(f.n) as n, bool_or(f.id is not null) as wanted,
               count(distinct c.facility_id) = 1 and coalesce(bool_and(f.stable and f.whole), false) as stayed,
               not bool_or(c.removed) and bool_and(coalesce(f.whole, false)) as whole
        from camera as c left join facility_of as f on f.id = c.facility_id where {_HELD} group by c.id
    )
"""  # noqa: S608 - of our own words
# A camera's place before it existed is that of its first revision. `within`: so far into its day. A move at a midnight
# divides no day, and is not among the `moves` of one.
_MOVES = f"""
    version as (
        select c.id, c.facility_id, c.valid_to,
               case when lag(c.id) over chain is null then '-infinity' else c.valid_from end as valid_from
        from camera as c join stood on stood.id = c.id and stood.whole and not stood.stayed
        where {_HELD} window chain as (partition by c.id order by c.revision)
    ), stretch as (
        select v.id, p.n, greatest(v.valid_from, p.starts) as at from version as v join place as p
            on p.id = v.facility_id and p.ends > v.valid_from and (v.valid_to is null or p.starts < v.valid_to)
    ), move as materialized (
        select id, n, before, at, cast(local as date) as day, local - cast(local as date) as within,
               row_number() over by_day as number,
               count(*) over (partition by id, cast(local as date), local > cast(local as date)) as moves
        from (
            select id, n, at, lag(n) over (partition by id order by at) as before,
                   at at time zone 'UTC' + interval '{OFFSET // 3_600_000} hours' as local
            from stretch
        ) as each where before is distinct from n
        window by_day as (partition by id, cast(local as date), local > cast(local as date) order by at)
    )
"""  # noqa: S608 - of our own words
# The edges of the stretches of time that a camera stood at a place. An outer one is an end of the whole days; `forced`:
# it moved in the part of the period beyond.
_EDGES = """
    mover as materialized (
        select id, (array_agg(n order by at desc) filter (where at <= :first_at))[1] as first_n,
               (array_agg(n order by at desc) filter (where at < :last_at))[1] as last_n,
               (array_agg(n order by at desc))[1] as stands,
               bool_or(before is not null and at <= :first_at) as moved_before,
               bool_or(before is not null and at >= :last_at) as moved_after
        from move group by id
    ), edge as (
        select id, n, n as stands, at.day, at.sign, interval '0' as within, true as is_outer, false as forced,
               true as outermost
        from stood cross join (values (cast(:first as date), -1), (cast(:last as date), 1)) as at (day, sign)
        where stayed
        union all
        select id, case sign when 1 then last_n else first_n end, case sign when 1 then stands end, at.day, at.sign,
               interval '0', true, case sign when 1 then moved_after else moved_before end, true
        from mover cross join (values (cast(:first as date), -1), (cast(:last as date), 1)) as at (day, sign)
        union all
        select id, case sign when 1 then before else n end, null, day, sign, within, false, false,
               case sign when 1 then number = 1 else number = moves end
        from move cross join (values (-1), (1)) as side (sign)
        where before is not null and at > :first_at and at < :last_at
    )
"""
# `offset 0`: PostgreSQL asks the index for each of the few cameras that moved, and does not hash the whole ledger.
_SUMS = f"""
    with {_STOOD}, {_MOVES}, {_EDGES}, touched as materialized (
        select distinct unnest(cast(:touched as uuid[])) as id
    ), one as (
        select edge.n, edge.stands, edge.id, sign, is_outer, coalesce(l.kind, {NOT_COUNTED}) as kind,
               case when is_outer and sign < 0 then not :before or not forced and l.day is distinct from edge.day
                    when is_outer then not :after or not forced and {{steady}} else true end as steady,
               case when changed and sign > 0 then edge.day end as moved_on,
               sign * ((edge.day - coalesce(l.day, date '{date_of(ORIGIN)}')) * {DAY}::bigint
                   + case when not changed
                          then cast(extract(epoch from date_trunc('milliseconds', within)) * 1000 as bigint)
                          when sign < 0 then {DAY} else 0 end) as passed,
               {", ".join(f"sign * l.{quoted(name)} as {quoted(name)}" for name in CAMERA_SUMS)}
        from edge left join touched on touched.id = edge.id and sign > 0
        left join lateral (
            select * from ledger_camera where camera_id = edge.id
              and day <= edge.day + case when sign < 0 and within > interval '0' then 1 else 0 end
            order by day desc limit 1
        ) as l on true
        cross join lateral (
            select within > interval '0' and exists (
                select from ledger_camera where camera_id = edge.id and day = edge.day + 1 offset 0
            ) as changed
        ) as there
        where outermost or not changed
    )
    select n, stands, kind, sign > 0 as later, is_outer, steady, moved_on, count(*) as cameras,
           sum(passed)::bigint as passed, array_agg(id) filter (where not steady or moved_on is not null) as apart,
           {", ".join(f"sum({quoted(name)})::bigint" for name in CAMERA_SUMS)}
    from one group by n, stands, kind, sign, is_outer, steady, moved_on
    union all
    select null, null, null, null, null, null, null, null, null, array_agg(id),
           {", ".join("null" for _ in CAMERA_SUMS)}
    from stood where wanted and not stayed and not whole
    """  # noqa: S608 - of our own names
_CLOSED = text(
    _SUMS.format(steady="not exists (select from ledger_camera where camera_id = edge.id and day = edge.day + 1)")
)
_OPEN = text(
    _SUMS.format(steady=f"touched.id is null and coalesce(l.kind, {NOT_COUNTED}) = any(cast(:steady as smallint[]))")
)
_MEMORY = text("set local work_mem = '32MB'")
"""Two rows of each camera are sorted, which does not fit into the usual 4 MB."""
_PLACE = {name: place for place, name in enumerate(CAMERA_SUMS)}
_PARTS = [_PLACE[name] for name in ("up", "down", "maintenance", "unknown", "out_of_scope")]


async def sums(
    session: AsyncSession, period: Period, days: tuple[Day, Day], places: Sequence[Place], after: Open | None
) -> Sums:
    """Add up the cameras that stood at these places, between the midnights `days`; name which cameras that leaves out.

    `after`: None where the day after the last midnight is closed, too.
    """
    first, last = days
    await session.execute(_MEMORY)
    given: dict[str, Any] = {"from": moment(period.start), "to": moment(period.end), "touched": []}
    given |= {"first": date_of(first), "last": date_of(last)}
    given |= {"first_at": moment(midnight(first)), "last_at": moment(midnight(last))}
    given |= {"before": period.start < midnight(first), "after": period.end > midnight(last)}
    given["facilities"] = [one.facility_id for one in places]
    given["starts"], given["ends"] = [moment(one.start) for one in places], [moment(one.end) for one in places]
    given["whole"] = [one.whole for one in places]
    if after is not None:
        given |= {"touched": list(after.touched), "steady": list(after.steady)}
    made, lengths = Sums(), dict[int, list[Millis]]()
    for number, *of_place in await session.execute(_CLOSED if after is None else _OPEN, given):
        if number is None:
            made.apart.extend(of_place[8] or ())
        else:
            _add(made, lengths.setdefault(number - 1, [0] * len(CAMERA_SUMS)), number - 1, of_place)
    made.times = {place: Durations(sum(values[part] for part in _PARTS), *values) for place, values in lengths.items()}
    return made


def _add(made: Sums, lengths: list[Millis], place: int, row: Sequence[Any]) -> None:
    """Add a row of what some edges of a place come to."""
    stands, kind, later, is_outer, steady, moved_on, cameras, passed, apart, *more = row
    for at, length in enumerate(more):
        if length:
            lengths[at] += length
    for name in CAMERA_KINDS[kind]:
        lengths[_PLACE[name]] += passed
    if not is_outer:
        if moved_on is not None:
            made.moved.setdefault(number_of(moved_on), []).extend(apart)
        return
    if later:
        made.cameras[stands - 1] = made.cameras.get(stands - 1, 0) + cameras
    if steady:
        made.steady.append(Steady(place, CAMERA_KINDS[kind], cameras, later))
    else:
        (made.last if later else made.first).extend(apart)
