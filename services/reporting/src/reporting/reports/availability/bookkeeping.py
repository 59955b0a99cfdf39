"""Writing the ledger: whole local days, after the lateness horizon, out of the same moments that the accounts add up.

A day is announced first: evidence for it that is stored from then on is marked, and the cameras that it touches are
written anew. So nothing that comes while a day is written is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.domain import ledger as days
from reporting.domain.instants import Millis, duration, millis
from reporting.domain.ledger import ORIGIN, Day, changes, day_of, joined, midnight
from reporting.domain.partition import CameraKind, DeliveryKind
from reporting.domain.scope import during
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import CameraHistory, Question, histories
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.availability import evidence, ledger
from reporting.storage.availability.evidence import DayChange, Mark
from reporting.storage.availability.ledger import (
    FIRST_OF_CAMERA,
    FIRST_OF_DELIVERY,
    CameraRow,
    DeliveryRow,
)
from reporting.storage.snapshot import snapshot
from reporting.storage.tables import camera as camera_table
from vonggac.database import Database
from vonggac.telemetry import get_logger

log = get_logger(__name__)

STRETCH: Day = 92
"""Days written at a time: bounds memory when years are written."""

_ONE_WRITER = text("select pg_try_advisory_xact_lock(17420511)")


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
            await ledger.forget(session)
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
        """The first day before `until` that does not stand yet."""
        async with self.database.transaction() as session:
            closed = (await ledger.state(session)).closed_until
            if closed is None:
                oldest = await session.scalar(select(func.min(camera_table.c.valid_from)))
                if oldest is None:
                    return None
                closed = max(ORIGIN, day_of(millis(oldest)))
            if closed >= until:
                return None
            await ledger.announce(session, until)
            return closed

    async def _close(self, first: Day, last: Day, now: Millis) -> bool:
        async with snapshot(self.database) as reading:
            if not await reading.scalar(_ONE_WRITER):
                return False
            async for portion in _portions(reading, _Stretch(first, last, now, self.presumed_alive_ms), None):
                async with self.database.transaction() as writing:
                    await ledger.replace(writing, first, portion.cameras, portion.deliveries)
            async with self.database.transaction() as writing:
                await ledger.close(writing, last)
        return True


def bookkeeper_of(database: Database, settings: Settings) -> Bookkeeper:
    return Bookkeeper(database, duration(settings.lateness_horizon_s), duration(settings.presumed_alive_s))


async def keep_ledger_regularly(
    bookkeeper: Bookkeeper, every_s: float, ready: asyncio.Event, behind: Callable[[], bool]
) -> None:
    """A round every `every_s` from `ready` on, until cancelled; none while the tables are `behind` the bus, since what
    is still to come would be late."""
    await ready.wait()
    while True:
        await asyncio.sleep(every_s)
        if behind():
            continue
        now = millis(datetime.now(UTC))
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


class _Rows(NamedTuple):
    cameras: dict[str, list[CameraRow]]
    deliveries: dict[str, list[DeliveryRow]]


async def _portions(session: AsyncSession, stretch: _Stretch, only: Collection[str] | None) -> AsyncIterator[_Rows]:
    """The rows of the stretch, portion by portion; `only` these cameras, None: all."""
    period = stretch.period
    # A moment earlier: what ended exactly at the first midnight is out of scope from there.
    earlier = Period(period.start - 1, period.end)
    found = await plan.cameras(session, await plan.places(session, plan.Scope(), earlier))
    cameras = [during(one, period) for one in found if only is None or one.id in only]
    question = Question(period, stretch.now, stretch.presumed_alive_ms)
    async for portion in histories(session, question, cameras, list):
        ids = [one.camera.id for one in portion]
        deliveries = [planned.id for one in portion for planned in one.camera.deliveries]
        standing = await ledger.cameras_at(session, ids, [stretch.first])
        of_deliveries = await ledger.deliveries_at(session, deliveries, [stretch.first])
        rows = _Rows({}, {})
        for one in portion:
            row = standing.get((one.camera.id, stretch.first), FIRST_OF_CAMERA)
            rows.cameras[one.camera.id] = camera_rows(one, row, stretch.first)
            for number, planned in enumerate(one.camera.deliveries):
                line = of_deliveries.get((planned.id, stretch.first), FIRST_OF_DELIVERY)
                rows.deliveries[planned.id] = delivery_rows(one, number, line, stretch.first)
        yield rows


def camera_rows(one: CameraHistory, standing: CameraRow, first: Day) -> list[CameraRow]:
    """Rows after the midnight `first`, at which `standing` holds."""
    line: list[Segment[CameraKind]] = joined(Segment(start, end, kinds.camera) for start, end, kinds in one.moments)
    base = standing.at(first)
    return [
        CameraRow(day, kind, [left + more for left, more in zip(base, days.camera_sums(lengths), strict=True)])
        for day, lengths, kind in changes(line, standing.kind)
    ]


def delivery_rows(one: CameraHistory, number: int, standing: DeliveryRow, first: Day) -> list[DeliveryRow]:
    """The same of one of its deliveries."""
    line: list[Segment[DeliveryKind]] = joined(
        Segment(start, end, kinds.deliveries[number]) for start, end, kinds in one.moments
    )
    base, causes = standing.at(first)
    rows = []
    for day, lengths, kind in changes(line, standing.kind):
        sums, by_cause = days.delivery_sums(lengths)
        for cause, length in causes.items():
            by_cause[cause] = by_cause.get(cause, 0) + length
        rows.append(DeliveryRow(day, kind, [left + more for left, more in zip(base, sums, strict=True)], by_cause))
    return rows


async def _write_anew(
    reading: AsyncSession, writing: AsyncSession, stretch: _Stretch, marks: Sequence[Mark]
) -> list[DayChange]:
    """Rewrite the marked cameras from the first marked day on, in one transaction; returns the days that changed."""
    touched = {str(mark.camera_id) for mark in marks}
    only = None if any(mark.camera_id is None for mark in marks) else touched
    changed: list[DayChange] = []
    async for portion in _portions(reading, stretch, only):
        before = await ledger.rows_after(reading, list(portion.cameras), stretch.first)
        standing = await ledger.cameras_at(reading, list(portion.cameras), [stretch.first])
        await ledger.replace(writing, stretch.first, portion.cameras, portion.deliveries)
        for camera_id, rows in portion.cameras.items():
            start = standing.get((camera_id, stretch.first), FIRST_OF_CAMERA)
            found = _day_changes(stretch, start, before.get(camera_id, []), rows)
            about = [mark for mark in marks if mark.camera_id is None or str(mark.camera_id) == camera_id]
            changed += [DayChange(UUID(camera_id), day, about, change) for day, change in found]
    return changed


def _day_changes(
    stretch: _Stretch, standing: CameraRow, before: Sequence[CameraRow], after: Sequence[CameraRow]
) -> list[tuple[Day, Mapping[str, Millis]]]:
    """What each day gained or lost, by part."""
    result: list[tuple[Day, Mapping[str, Millis]]] = []
    if list(before) == list(after):
        return result
    last = [0] * len(days.CAMERA_SUMS)
    old, new = standing, standing
    for day in range(stretch.first + 1, stretch.last + 1):
        old = next((row for row in before if row.day == day), old)
        new = next((row for row in after if row.day == day), new)
        now = [right - left for left, right in zip(old.at(day), new.at(day), strict=True)]
        gained = {name: now[place] - last[place] for place, name in enumerate(days.CAMERA_SUMS)}
        if any(gained.values()):
            result.append((day - 1, {name: length for name, length in gained.items() if length}))
        last = now
    return result
