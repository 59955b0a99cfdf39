"""Writing the ledger: whole local days, after the lateness horizon, out of the same moments that the accounts add up.

A day is announced first: evidence for it that is stored from then on is marked, and the cameras that it touches are
written anew. So nothing that comes while a day is written is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.domain import ledger as days
from reporting.domain.instants import Millis, duration, millis
from reporting.domain.ledger import DAY, ORIGIN, Day, changes, day_of, joined, midnight
from reporting.domain.partition import CameraKind, DeliveryKind, Kinds
from reporting.domain.scope import during
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraHistory, Question, histories
from reporting.reports.availability.day_changes import day_changes
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.availability import evidence, ledger
from reporting.storage.availability.evidence import DayChange, Mark
from reporting.storage.availability.ledger import FIRST_OF_CAMERA, CameraRow
from reporting.storage.availability.packed import DeliveryRow
from reporting.storage.snapshot import snapshot
from reporting.storage.tables import camera as camera_table
from vonggac.database import Database
from vonggac.telemetry import get_logger

log = get_logger(__name__)

STRETCH: Day = 92
"""Days written at a time: bounds memory when years are written."""

_ONE_WRITER = text("select pg_try_advisory_xact_lock(17420511)")
_LAST_WRITER = text("select pg_advisory_xact_lock(17420511)")


@dataclass(frozen=True, slots=True)
class Bookkeeper:
    """Writes the ledger up to the last midnight that lies `horizon_ms` back."""

    database: Database
    horizon_ms: Millis
    presumed_alive_ms: Millis

    async def keep(self, now: Millis) -> int:
        """Write the days whose horizon has passed; returns how many. Evidence that is late from now on is marked.

        Does nothing while another process writes. Raises what PostgreSQL raises.
        """
        until, written = day_of(now - self.horizon_ms), 0
        while (first := await self._first(until)) is not None:
            last = min(first + STRETCH, until)
            if not await self._close(first, last, now):
                break
            written += last - first
        return written

    async def rebuild(self, now: Millis) -> int:
        """Forget the ledger and write it from runs and claims; returns how many days."""
        async with self.database.transaction() as session:
            # Whoever writes ends first: what it closes would have no days before it.
            await session.execute(_LAST_WRITER)
            await ledger.empty_ledger(session)
        return await self.keep(now)

    async def correct(self, now: Millis) -> int:
        """Write anew the cameras that late evidence touched, and note what changed; returns how many days did."""
        async with snapshot(self.database) as reading:
            if not await reading.scalar(_ONE_WRITER):
                return 0
            state, marks = await ledger.state(reading), await evidence.marks(reading)
            closed = state.closed_until
            if not marks:
                return 0
            first = min(mark.day for mark in marks)
            changed: list[DayChange] = []
            async with self.database.transaction() as writing:
                if closed is not None and first < closed:
                    stretch = _Stretch(max(first, ORIGIN), closed, now, self.presumed_alive_ms)
                    changed = await _write_anew(reading, writing, stretch, marks)
                await evidence.note(writing, changed)
                await evidence.remove_marks(writing, [mark.id for mark in marks])
        return len(changed)

    async def _first(self, until: Day) -> Day | None:
        """Find the first day before `until` that does not stand yet."""
        async with self.database.transaction() as session:
            first = await _open_from(session)
            if first is None or first >= until:
                return None
            await ledger.announce(session, until)
            return first

    async def _close(self, first: Day, last: Day, now: Millis) -> bool:
        async with snapshot(self.database) as reading:
            if not await reading.scalar(_ONE_WRITER) or await _open_from(reading) != first:
                return False
            async for portion in _portions(reading, _Stretch(first, last, now, self.presumed_alive_ms), None):
                async with self.database.transaction() as writing:
                    await ledger.replace(writing, first, portion)
            async with self.database.transaction() as writing:
                await ledger.close(writing, last)
        return True


async def _open_from(session: AsyncSession) -> Day | None:
    """Find the first day that is not closed; None while there is no camera."""
    closed = (await ledger.state(session)).closed_until
    if closed is not None:
        return closed
    oldest = await session.scalar(select(func.min(camera_table.c.valid_from)))
    return None if oldest is None else max(ORIGIN, day_of(millis(oldest)))


def bookkeeper_of(database: Database, settings: Settings) -> Bookkeeper:
    return Bookkeeper(database, duration(settings.lateness_horizon_s), duration(settings.presumed_alive_s))


async def keep_ledger_regularly(
    bookkeeper: Bookkeeper,
    every_s: float,
    ready: asyncio.Event,
    behind: Callable[[], bool],
    clock: Callable[[], datetime],
) -> None:
    """Keep the ledger every `every_s` from `ready` on, until cancelled; none while the tables are `behind` the bus,
    since what is still to come would be late. `clock` gives aware UTC."""
    await ready.wait()
    while True:
        await asyncio.sleep(every_s)
        if behind():
            continue
        now = millis(clock())
        try:
            changed = await bookkeeper.correct(now)
            written = await bookkeeper.keep(now)
        except (SQLAlchemyError, OSError) as error:
            log.warning("ledger_failed", error=type(error).__name__)
            continue
        metrics.LATE_DAYS.inc(changed)
        if changed:
            log.info("ledger_corrected", days=changed)
        if written:
            log.info("ledger_written", days=written)


class _Stretch(NamedTuple):
    first: Day
    last: Day
    now: Millis
    presumed_alive_ms: Millis

    @property
    def period(self) -> Period:
        return Period(midnight(self.first), midnight(self.last))


type _Rows = dict[str, list[CameraRow]]


async def _portions(session: AsyncSession, stretch: _Stretch, only: Collection[str] | None) -> AsyncIterator[_Rows]:
    """Yield the rows of the stretch by camera, portion by portion; `only` these cameras, None: all."""
    period = stretch.period
    # A moment earlier: what ended exactly at the first midnight is out of scope from there.
    earlier = Period(period.start - 1, period.end)
    found = await plan.cameras(session, await plan.places(session, plan.Scope(), earlier))
    cameras = [during(one, period) for one in found if only is None or one.id in only]
    question = Question(period, stretch.now, stretch.presumed_alive_ms)
    async for portion in histories(session, question, cameras, list):
        at_first = await ledger.cameras_at(session, [one.camera.id for one in portion], stretch.first)
        yield {
            one.camera.id: rows_of(one, at_first.get(one.camera.id, FIRST_OF_CAMERA), stretch.first) for one in portion
        }


def rows_of(one: CameraHistory, current: CameraRow, first: Day) -> list[CameraRow]:
    """Build the camera's rows after the midnight `first`, at which `current` holds."""
    ids = [planned.id for planned in one.camera.deliveries]
    known = {id_: current.delivery(id_, first) for id_ in (*current.deliveries, *ids)}
    kinds = Kinds(current.kind, tuple([known[id_].kind for id_ in ids]))
    base, rows = current.at(first), list[CameraRow]()
    for day, lengths, kind in changes(joined(one.moments), kinds):
        # A delivery that is no more has its place: it is out of scope.
        deliveries = {id_: row.after((day - first) * DAY) for id_, row in known.items() if id_ not in ids}
        for number, id_ in enumerate(ids):
            deliveries[id_] = _delivery(known[id_], number, lengths, kind)
        of_camera: dict[CameraKind, Millis] = {}
        for each, length in lengths.items():
            of_camera[each.camera] = of_camera.get(each.camera, 0) + length
        sums = [left + more for left, more in zip(base, days.camera_sums(of_camera), strict=True)]
        rows.append(CameraRow(day, kind.camera, sums, deliveries))
    return rows


def _delivery(known: DeliveryRow, number: int, lengths: Mapping[Kinds, Millis], kind: Kinds) -> DeliveryRow:
    of_kind: dict[DeliveryKind, Millis] = {}
    for each, length in lengths.items():
        of_kind[each.deliveries[number]] = of_kind.get(each.deliveries[number], 0) + length
    sums, causes = days.delivery_sums(of_kind)
    for cause, length in known.by_cause.items():
        causes[cause] = causes.get(cause, 0) + length
    total = [left + more for left, more in zip(known.sums, sums, strict=True)]
    return DeliveryRow(kind.deliveries[number], total, causes)


async def _write_anew(
    reading: AsyncSession, writing: AsyncSession, stretch: _Stretch, marks: Sequence[Mark]
) -> list[DayChange]:
    """Rewrite the marked cameras from the first marked day on, in one transaction; returns the days that changed."""
    of_any = [mark for mark in marks if mark.camera_id is None]
    of_camera: dict[str, list[Mark]] = {}
    for mark in marks:
        if mark.camera_id is not None:
            of_camera.setdefault(str(mark.camera_id), []).append(mark)
    only = None if of_any else of_camera.keys()
    changed: list[DayChange] = []
    async for portion in _portions(reading, stretch, only):
        before = await ledger.rows_after(reading, list(portion), stretch.first)
        at_first = await ledger.cameras_at(reading, list(portion), stretch.first)
        await ledger.replace(writing, stretch.first, portion)
        for camera_id, rows in portion.items():
            start = at_first.get(camera_id, FIRST_OF_CAMERA)
            about = [*of_any, *of_camera.get(camera_id, ())]
            span = stretch.first, stretch.last
            others = [mark for mark in about if mark.what != evidence.CAUSE]
            causes: dict[Day, list[Mark]] = {}
            for mark in about:
                if mark.what == evidence.CAUSE:
                    causes.setdefault(mark.day, []).append(mark)
            for day, change, deliveries in day_changes(span, start, before.get(camera_id, []), rows):
                changed.append(DayChange(UUID(camera_id), day, [*others, *causes.pop(day, ())], change, deliveries))
            # Days that gained and lost nothing.
            changed += [DayChange(UUID(camera_id), day, of_day, {}, {}) for day, of_day in sorted(causes.items())]
    return changed
