"""Accounts day by day: whole days from the ledger, what it has not, moment by moment.

The sums of a camera's days are its account of the period, to the millisecond; while it stood at a place that is not
asked for a day is out of scope, and no account has that time.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import batched, repeat
from operator import attrgetter, sub
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.instants import Millis, moment
from reporting.domain.ledger import CAMERA_SUMS, DAY, Cut, Day
from reporting.domain.partition import LEDGER_NAMES, DeliveryDurations
from reporting.domain.scope import Camera, Facility, during
from reporting.domain.segments import Period, Step, series
from reporting.reports.accounts import CameraHistory, Question, accounts, histories
from reporting.reports.availability.stays import Stay, stayed, whole_days
from reporting.storage.availability import daily as stored
from reporting.storage.availability import ledger
from reporting.storage.availability.ledger import FIRST_OF_CAMERA, CameraRow
from vonggac.telemetry.garbage_collection import rarely_collected

DAYS_AT_ONCE = 4000
"""Days of cameras read together: about as many rows as one thread writes while the next ones are read."""
MOST_AT_ONCE = 500
"""Cameras."""
LEDGER_ZONE = "Asia/Ho_Chi_Minh"
"""The days of the ledger are of this zone; those of another one are accounted moment by moment."""
_CAMERA = {name: place for place, name in enumerate(CAMERA_SUMS)}
_DELIVERY = {name: place for place, name in enumerate(LEDGER_NAMES)}

type Sums = tuple[Millis, ...]
_ledger: Callable[[DeliveryDurations], Sums] = attrgetter(*LEDGER_NAMES)


type DayAccount = tuple[Facility, Sums, tuple[Sums, ...]]
"""Where a camera's day went: its place, its sums in the order of CAMERA_SUMS, and those of each delivery in that of
LEDGER_NAMES. A plain tuple: there are a million of them, and `zip` makes them ten times as fast as a class would."""


@dataclass(frozen=True, slots=True)
class CameraDays:
    """The days of a period, and one camera's account of each, by the day's start."""

    camera: Camera
    accounts: dict[Millis, DayAccount] = field(default_factory=dict)


def days_of(period: Period, zone: ZoneInfo) -> list[tuple[date, Period]]:
    """List the calendar days of a period, cut to it."""
    return [(moment(one.start).astimezone(zone).date(), one) for one in series(period, Step.DAY, zone)]


async def daily(
    session: AsyncSession, question: Question, cameras: Sequence[Camera], zone: ZoneInfo
) -> AsyncGenerator[list[CameraDays]]:
    """Every day of the period of each camera, some hundreds of cameras at a time, in their order."""
    closed = (await ledger.state(session)).closed_until if zone.key == LEDGER_ZONE else None
    cut = days.cut(question.period, closed)
    parts = (question.period,) if cut is None else cut.parts
    count = len(days_of(question.period, zone))
    with rarely_collected():
        for batch in batched(cameras, min(MOST_AT_ONCE, max(1, DAYS_AT_ONCE // count))):
            steady, moved = _divided(batch)
            found = {one.id: CameraDays(one) for one in batch}
            if cut is not None:
                stays = {one.id: whole_days(one, cut).stays for one in moved}
                await _read_ledger(session, cut, batch, stays, found)
            for part in parts:
                asked, there = replace(question, period=part), [during(one, part) for one in steady]
                async for portion in histories(session, asked, there, list):
                    await asyncio.to_thread(_split, portion, part, zone, found)
            await _read_moved(session, question, moved, zone, found)
            yield [*found.values()]


def _divided(cameras: Sequence[Camera]) -> tuple[list[Camera], list[Camera]]:
    """Those that stayed, and those that moved."""
    found: dict[bool, list[Camera]] = {True: [], False: []}
    for one in cameras:
        found[stayed(one)].append(one)
    return found[True], found[False]


async def _read_ledger(
    session: AsyncSession,
    cut: Cut,
    cameras: Sequence[Camera],
    stays: Mapping[str, Sequence[Stay]],
    found: Mapping[str, CameraDays],
) -> None:
    """Read the whole days of all from the ledger; `stays`: of those that moved."""
    ids = [one.id for one in cameras]
    current = await ledger.cameras_at(session, ids, cut.first)
    rows = await stored.camera_rows(session, ids, cut.first, cut.last)
    none: dict[Day, CameraRow] = {}
    starts = [days.midnight(day) for day in range(cut.first, cut.last)]

    def fill() -> None:
        for one in cameras:
            row = current.get(one.id, FIRST_OF_CAMERA)
            later = rows.get(one.id, none)
            sums = _camera_days(cut, row, later)
            each = [_delivery_days(cut, planned.id, row, later) for planned in one.deliveries]
            lines: Sequence[tuple[Sums, ...]] = [*zip(*each, strict=True)] if each else [()] * len(sums)
            known = found[one.id].accounts
            for stay in stays.get(one.id, (Stay(cut.first, cut.last, one.facility),)):
                here = slice(stay.first - cut.first, stay.last - cut.first)
                if stay.facility is None:
                    known |= dict.fromkeys(starts[here], _elsewhere(one))
                else:
                    stood = repeat(stay.facility, stay.last - stay.first)
                    known |= zip(starts[here], zip(stood, sums[here], lines[here], strict=True), strict=True)

    await asyncio.to_thread(fill)


def _elsewhere(one: Camera) -> DayAccount:
    """Build a day at a place that is not asked for."""
    nothing = (_WHOLE_DAYS_OF_DELIVERY["out_of_scope"],) * len(one.deliveries)
    return one.facility, _WHOLE_DAYS["out_of_scope",], nothing


def _camera_days(cut: Cut, current: CameraRow, rows: Mapping[Day, CameraRow]) -> list[Sums]:
    """Compute what each day adds. A day that ends without a row is of one kind from end to end."""
    result: list[Sums] = []
    for day in range(cut.first, cut.last):
        row = rows.get(day + 1)
        if row is None:
            result.append(_WHOLE_DAYS[current.kind])
        else:
            result.append(tuple(map(sub, row.sums, current.at(day))))
            current = row
    return result


def _delivery_days(cut: Cut, id_: str, current: CameraRow, rows: Mapping[Day, CameraRow]) -> list[Sums]:
    """Compute the same of one of its deliveries."""
    result: list[Sums] = []
    whole = _WHOLE_DAYS_OF_DELIVERY[current.find_last_row(id_)[0].kind[0]]
    for day in range(cut.first, cut.last):
        row = rows.get(day + 1)
        if row is None:
            result.append(whole)
        else:
            before, after = current.delivery_sums(id_, day), row.delivery_sums(id_, day + 1)
            result.append(tuple(map(sub, after, before)))
            current, whole = row, _WHOLE_DAYS_OF_DELIVERY[row.find_last_row(id_)[0].kind[0]]
    return result


_WHOLE_DAYS: Mapping[tuple[str, ...], Sums] = {
    kind: tuple([DAY if name in kind else 0 for name in CAMERA_SUMS]) for kind in days.CAMERA_KINDS
}
_WHOLE_DAYS_OF_DELIVERY: Mapping[str, Sums] = {
    kind: tuple([DAY if name == kind else 0 for name in LEDGER_NAMES]) for kind in LEDGER_NAMES
}


def _split(portion: Sequence[CameraHistory], part: Period, zone: ZoneInfo, found: Mapping[str, CameraDays]) -> None:
    """Add up the moments of a part of the period day by day."""
    spans = series(part, Step.DAY, zone)
    for one in portion:
        known = found[one.camera.id]
        count = len(one.camera.deliveries)
        sums = [([0] * len(CAMERA_SUMS), [[0] * len(LEDGER_NAMES) for _ in range(count)]) for _ in spans]
        number = 0
        for start, end, kinds in one.moments:
            at = start
            while at < end:
                while at >= spans[number].end:
                    number += 1
                until = min(end, spans[number].end)
                camera, deliveries = sums[number]
                for name in kinds.camera:
                    camera[_CAMERA[name]] += until - at
                for line, (name, _) in zip(deliveries, kinds.deliveries, strict=True):
                    line[_DELIVERY[name]] += until - at
                at = until
        for span, (camera, deliveries) in zip(spans, sums, strict=True):
            lines = tuple([tuple(line) for line in deliveries])
            known.accounts[span.start] = known.camera.facility, tuple(camera), lines


async def _read_moved(
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    zone: ZoneInfo,
    found: Mapping[str, CameraDays],
) -> None:
    """Read what the ledger lacks of cameras that stood at several places: each day at the one where it ended."""
    for span in series(question.period, Step.DAY, zone) if cameras else ():
        left = [one for one in cameras if span.start not in found[one.id].accounts]
        asked, there = replace(question, period=span), [during(one, span) for one in left]
        async for portion in accounts(session, asked, there, list):
            for one in portion:
                lines = tuple([_whole(_ledger(line), span, _DELIVERY) for line in one.account.deliveries])
                sums = _whole(one.account.camera.lengths[1:], span, _CAMERA, one.account.camera.period)
                found[one.camera.id].accounts[span.start] = _stood(one.camera), sums, lines


def _whole(sums: Sums, span: Period, names: Mapping[str, int], known: Millis | None = None) -> Sums:
    """Fill up a day's row: while the camera stood at a place that is not asked for, it is out of scope."""
    left = span.length - (sum(sums) if known is None else known)
    at = names["out_of_scope"]
    return (*sums[:at], sums[at] + left, *sums[at + 1 :]) if left else sums


def _stood(camera: Camera) -> Facility:
    """Where it stood last of the places that are asked for."""
    here = [piece.value.facility for piece in camera.pieces if not piece.value.elsewhere]
    return here[-1] if here else camera.facility
