"""Reading and writing the ledger: the row that holds at a midnight."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis
from reporting.domain.ledger import (
    CAMERA_KINDS,
    CAMERA_SUMS,
    DAY,
    EPOCH_DATE,
    KIND_CODES,
    NOT_COUNTED,
    ORIGIN,
    Day,
    date_of,
    midnight,
    number_of,
)
from reporting.domain.partition import LEDGER_NAMES, CameraKind, DeliveryDurations, Durations
from reporting.storage.availability.packed import NEVER, DeliveryRow, pack, unpack
from reporting.storage.availability.tables import ledger_camera, ledger_mark
from reporting.storage.columns import columns


def quoted(name: str) -> str:
    """Quote a column in SQL: `both` is one of its words."""
    return f'"{name}"'


_NAMES = ", ".join(map(quoted, CAMERA_SUMS))


class CameraRow(NamedTuple):
    """The camera's sums at the midnight that begins `day`, in the order of CAMERA_SUMS; all later time is of `kind`.

    `deliveries`: the same of each delivery that it ever had.
    """

    day: Day
    kind: CameraKind
    sums: Sequence[Millis]
    deliveries: Mapping[str, DeliveryRow] = {}

    def at(self, day: Day) -> list[Millis]:
        """Compute the sums at a later midnight, if no row stands between."""
        more, sums = (day - self.day) * DAY, list(self.sums)
        for name in self.kind:
            sums[_CAMERA[name]] += more
        return sums

    def delivery(self, id_: str, day: Day) -> DeliveryRow:
        """One of its deliveries at a later midnight."""
        known = self.deliveries.get(id_)
        return NEVER.after((day - ORIGIN) * DAY) if known is None else known.after((day - self.day) * DAY)

    def delivery_sums(self, id_: str, day: Day) -> Sequence[Millis]:
        """Compute the sums of `delivery` alone."""
        known = self.deliveries.get(id_)
        if known is None:
            return NEVER.after((day - ORIGIN) * DAY).sums
        if day == self.day:
            return known.sums
        sums = list(known.sums)
        sums[_DELIVERY[known.kind[0]]] += (day - self.day) * DAY
        return sums

    def find_last_row(self, id_: str) -> tuple[DeliveryRow, Millis]:
        """Find what is known last of one of its deliveries, and since when it has stood so."""
        known = self.deliveries.get(id_)
        return (NEVER, midnight(ORIGIN)) if known is None else (known, midnight(self.day))


_CAMERA = {name: place for place, name in enumerate(CAMERA_SUMS)}
_DELIVERY = {name: place for place, name in enumerate(LEDGER_NAMES)}
FIRST_OF_CAMERA = CameraRow(ORIGIN, CAMERA_KINDS[NOT_COUNTED], (0,) * len(CAMERA_SUMS))
"""What holds where no row stands: nothing was in scope."""


class State(NamedTuple):
    """Days before `closed_until` stand in the ledger; evidence for days before `closing_until` is late, and so is
    evidence for time before `frozen_until` for some frozen report."""

    closed_until: Day | None
    closing_until: Day | None
    frozen_until: Millis | None


_STATE = text("select closed_until, closing_until, frozen_until from ledger_state")
_STATE_SHARED = text("select closed_until, closing_until, frozen_until from ledger_state for share")


async def state(session: AsyncSession, *, shared: bool = False) -> State:
    """`shared`: until the transaction ends nobody closes another day."""
    *days, frozen = (await session.execute(_STATE_SHARED if shared else _STATE)).one()
    closed, closing = (None if one is None else number_of(one) for one in days)
    return State(closed, closing, None if frozen is None else millis(frozen))


async def announce(session: AsyncSession, closing_until: Day) -> None:
    """From the commit on, evidence for days before `closing_until` is late."""
    query = "update ledger_state set closing_until = greatest(closing_until, :until)"
    await session.execute(text(query), {"until": date_of(closing_until)})


async def close(session: AsyncSession, until: Day) -> None:
    """All rows of days before `until` stand."""
    query = "update ledger_state set closed_until = :until, written_at = now()"
    await session.execute(text(query), {"until": date_of(until)})


async def empty_ledger(session: AsyncSession) -> None:
    """Empty the ledger; what it was derived from stays."""
    for table in (ledger_camera, ledger_mark):
        await session.execute(delete(table))
    await session.execute(text("update ledger_state set closed_until = null, closing_until = null"))


_CAMERAS_AT = f"""
select array_agg(l.day - date '{EPOCH_DATE}' order by n), array_agg(l.kind order by n),
       array_agg(l.deliveries order by n),
       {", ".join(f"array_agg(coalesce(l.{quoted(name)}, 0) order by n)" for name in CAMERA_SUMS)}
from unnest(cast(%(ids)s as uuid[]), cast(%(days)s as integer[])) with ordinality as asked (id, day, n)
left join lateral (
    select * from ledger_camera
    where camera_id = asked.id and day <= date '{EPOCH_DATE}' + asked.day order by day desc limit 1
) as l on true
"""  # noqa: S608 - of our own names


class RowColumns(NamedTuple):
    """Rows of cameras at midnights, as columns; None where nothing was ever in scope before."""

    asked: Sequence[tuple[str, Day]]
    found: Sequence[Sequence[Any]]

    def rows(self) -> dict[tuple[str, Day], CameraRow]:
        """Build the row that holds for each camera at its midnights; none where it never was in scope before. To put
        them together takes time: let a thread do it."""
        return {
            asked: CameraRow(day, CAMERA_KINDS[kind], sums, unpack(day, packed))
            for asked, day, kind, packed, *sums in zip(self.asked, *self.found, strict=True)
            if day is not None
        }


async def rows_at(session: AsyncSession, asked: Sequence[tuple[str, Day]]) -> RowColumns:
    """Read what holds for each of these cameras at its midnight."""
    given = {"ids": f"{{{','.join(id_ for id_, _ in asked)}}}", "days": [day for _, day in asked]}
    return RowColumns(asked, await columns(session, _CAMERAS_AT, given))


async def cameras_at(session: AsyncSession, ids: Sequence[str], day: Day) -> dict[str, CameraRow]:
    """Read the row of each camera that holds at this midnight; none where it never was in scope before."""
    found = await rows_at(session, [(id_, day) for id_ in ids])
    return {id_: row for (id_, _), row in found.rows().items()}


_ADD = text(
    f"""
    insert into ledger_camera (camera_id, day, kind, deliveries, {_NAMES})
    select id, day, kind, deliveries, {", ".join(f"nullif({quoted(name)}, 0)" for name in CAMERA_SUMS)} from unnest(
        cast(:ids as uuid[]), cast(:days as date[]), cast(:kinds as smallint[]), cast(:deliveries as bytea[]),
        {", ".join(f"cast(:{name} as bigint[])" for name in CAMERA_SUMS)}
    ) as new (id, day, kind, deliveries, {_NAMES})
    """  # noqa: S608 - of our own names
)
_REMOVE = text("delete from ledger_camera where camera_id = any(cast(:ids as uuid[])) and day > :after")


async def replace(session: AsyncSession, after: Day, cameras: Mapping[str, Sequence[CameraRow]]) -> None:
    """Replace all rows that stand after that midnight, of these cameras, by these."""
    await session.execute(_REMOVE, {"ids": list(cameras), "after": date_of(after)})
    rows = [(id_, row) for id_, each in cameras.items() for row in each]
    if rows:
        values: dict[str, list[Any]] = {
            "ids": [id_ for id_, _ in rows],
            "days": [date_of(row.day) for _, row in rows],
            "kinds": [KIND_CODES[row.kind] for _, row in rows],
            "deliveries": [pack(row.day, row.deliveries) for _, row in rows],
        }
        values |= {name: [row.sums[place] for _, row in rows] for name, place in _CAMERA.items()}
        await session.execute(_ADD, values)


def camera_difference(first: CameraRow, last: CameraRow, span: tuple[Millis, Millis]) -> Durations:
    """Compute what lies between two moments, of one camera: each row holds at its moment."""
    start, end = span
    lengths = [right - left for left, right in zip(first.sums, last.sums, strict=True)]
    for row, more in ((first, midnight(first.day) - start), (last, end - midnight(last.day))):
        for name in row.kind:
            lengths[_CAMERA[name]] += more
    return Durations(end - start, *lengths)


def delivery_difference(id_: str, first: CameraRow, last: CameraRow, span: tuple[Millis, Millis]) -> DeliveryDurations:
    """Compute the same of one of its deliveries."""
    start, end = span
    (before, since), (after, until) = first.find_last_row(id_), last.find_last_row(id_)
    causes = dict(after.by_cause)
    for known, length in before.by_cause.items():
        causes[known] = causes.get(known, 0) - length
    lengths = [right - left for left, right in zip(before.sums, after.sums, strict=True)]
    for (name, cause), more in ((before.kind, since - start), (after.kind, end - until)):
        lengths[_DELIVERY[name]] += more
        if cause is not None:
            causes[cause] = causes.get(cause, 0) + more
    connected, lost, maintained, unknown, out = lengths
    by_cause = {known: length for known, length in causes.items() if length}
    return DeliveryDurations(connected, lost, maintained, unknown, out, by_cause)


_ROWS_AFTER = text(
    f"""
    select camera_id::text, day - date '{EPOCH_DATE}', kind, deliveries,
           {", ".join(f"coalesce({quoted(name)}, 0)" for name in CAMERA_SUMS)}
    from ledger_camera
    where camera_id = any(cast(:ids as uuid[])) and day > :after order by camera_id, day
    """  # noqa: S608 - of our own names
)


async def rows_after(session: AsyncSession, ids: Sequence[str], after: Day) -> dict[str, list[CameraRow]]:
    """All rows of these cameras that stand after a midnight, in their order."""
    found: dict[str, list[CameraRow]] = {}
    given = {"ids": list(ids), "after": date_of(after)}
    for id_, day, kind, packed, *lengths in await session.execute(_ROWS_AFTER, given):
        found.setdefault(id_, []).append(CameraRow(day, CAMERA_KINDS[kind], lengths, unpack(day, packed)))
    return found
