"""Accounts of cameras with the help of the ledger: whole days by difference, what is left at the ends directly."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched, zip_longest
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.instants import Millis
from reporting.domain.ledger import ORIGIN, Cut, Day, midnight
from reporting.domain.partition import Account, DeliveryDurations, Durations
from reporting.domain.scope import Camera, Facility, during
from reporting.domain.segments import Period
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraAccount, Moment, Question, accounts
from reporting.reports.availability.stays import Divided, stayed, whole_days
from reporting.storage.availability import ledger
from reporting.storage.availability.ledger import (
    FIRST_OF_CAMERA,
    CameraRow,
    RowColumns,
    camera_difference,
    delivery_difference,
)
from vonggac.telemetry.garbage_collection import rarely_collected

BATCH = 1000
"""Cameras whose rows are read at a time. With 2000 Python collects garbage among what is not done with yet, which is a
quarter of the time."""
TOGETHER = 25
"""A day on which fewer cameras moved costs more to be asked for than what these cameras cost over the whole period."""
LONG: Day = 120
"""Of fewer whole days than these, adding up what happened costs less than the day of the move and the stays."""


async def ledgered_accounts[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraAccount]], Made],
) -> AsyncIterator[Made]:
    """Yield what `reports.accounts.accounts` gives, to the millisecond. Cameras that moved by themselves are accounted
    directly, and of a period that reaches now those that do not stand well: how they stand may have begun long ago."""
    cut = days.cut(question.period, (await ledger.state(session)).closed_until)
    if cut is None or (question.current and not cut.parts):
        async for made in accounts(session, question, cameras, make):
            yield made
        return
    with rarely_collected():
        async for read in _by_ledger(session, question, cut, cameras):
            yield await asyncio.to_thread(make, await _completed(session, question, read))


type _Rows = Mapping[tuple[str, Day], CameraRow]


class _Batch(NamedTuple):
    """What the ledger has of some cameras, and the parts of the period that it does not have of each."""

    cameras: Sequence[Camera]
    accounts: dict[str, CameraAccount]
    left: dict[Period, list[Camera]]


async def _by_ledger(
    session: AsyncSession, question: Question, cut: Cut, cameras: Sequence[Camera]
) -> AsyncIterator[_Batch]:
    """Batch by batch. The arithmetic runs beside the event loop while PostgreSQL gathers the rows of the next one."""
    later = cut.after is not None and cut.last < cut.closed and not question.current
    reader = _Reader(question.period, cut, await asyncio.to_thread(_moves, cameras, cut), later)
    batches = [*batched(cameras, BATCH)]
    ahead: RowColumns | None = None
    for batch, following in zip_longest(batches, batches[1:]):
        rows = ahead or await ledger.rows_at(session, reader.midnights(batch))
        making = asyncio.create_task(asyncio.to_thread(reader.batch, batch, rows))
        try:
            ahead = await ledger.rows_at(session, reader.midnights(following)) if following else None
        finally:
            await asyncio.wait({making})
        yield making.result()


def _moves(cameras: Sequence[Camera], cut: Cut) -> dict[str, Divided | None]:
    """Divide days of those that did not stay by their moves; None for those that are accounted directly."""
    found = {one.id: whole_days(one, cut) for one in cameras if not stayed(one)}
    if cut.last - cut.first < LONG:
        return dict.fromkeys(found)
    together = Counter(day for one in found.values() for day in one.moved)
    return {id_: one if all(together[day] >= TOGETHER for day in one.moved) else None for id_, one in found.items()}


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the ledger for one question. `later`: whether the day after its last whole one is closed, too."""

    period: Period
    cut: Cut
    moved: Mapping[str, Divided | None]
    later: bool

    def midnights(self, cameras: Sequence[Camera]) -> list[tuple[str, Day]]:
        """List the midnights that have a row of each camera."""
        cut = self.cut
        whole = (cut.first, cut.last, cut.last + 1) if self.later else (cut.first, cut.last)
        asked: list[tuple[str, Day]] = []
        for one in cameras:
            if one.id not in self.moved:
                asked += [(one.id, day) for day in whole]
            elif (divided := self.moved[one.id]) is not None:
                here = [stay for stay in divided.stays if stay.facility is not None]
                asked += dict.fromkeys((one.id, day) for stay in here for day in (stay.first, stay.last))
        return asked

    def batch(self, cameras: Sequence[Camera], columns: RowColumns) -> _Batch:
        """Collect what these rows hold."""
        read, rows = _Batch(cameras, {}, {part: [] for part in self.cut.parts}), columns.rows()
        for one in cameras:
            if one.id not in self.moved:
                read.accounts[one.id] = self._of_stayed(read, rows, one)
            elif (divided := self.moved[one.id]) is not None:
                read.accounts[one.id] = self._of_moved(read, rows, one, divided)
        return read

    def _of_stayed(self, read: _Batch, rows: _Rows, camera: Camera) -> CameraAccount:
        cut = self.cut
        first, last, later = (
            rows.get((camera.id, day), FIRST_OF_CAMERA) for day in (cut.first, cut.last, cut.last + 1)
        )
        start, end = midnight(cut.first), midnight(cut.last)
        # A day that ends without a row is of one kind, and so is each part of it.
        if cut.before is not None:
            if first.day < cut.first:
                start = self.period.start
            else:
                read.left[cut.before].append(camera)
        if cut.after is not None:
            if ORIGIN < later.day <= cut.last:
                end = self.period.end
            else:
                read.left[cut.after].append(camera)
        account = _difference(camera, first, last, (start, end))
        return CameraAccount(camera, None, account, ((camera.facility, account.camera),))

    def _of_moved(self, read: _Batch, rows: _Rows, camera: Camera, divided: Divided) -> CameraAccount:
        """Add up a sum for each of its stays; the days on which it moved are left."""
        whole = Account(Durations(), tuple([DeliveryDurations() for _ in camera.deliveries]))
        places: dict[Facility, Durations] = {}
        for stay in divided.stays:
            span = midnight(stay.first), midnight(stay.last)
            if stay.facility is None:
                continue
            first, last = (rows.get((camera.id, day), FIRST_OF_CAMERA) for day in (stay.first, stay.last))
            part = _difference(camera, first, last, span)
            _add(whole, part)
            places.setdefault(stay.facility, Durations()).add(part.camera)
        for part_left in (*self.cut.parts, *(Period(midnight(day), midnight(day + 1)) for day in divided.moved)):
            read.left.setdefault(part_left, []).append(camera)
        return CameraAccount(camera, None, whole, tuple(places.items()))


def _difference(camera: Camera, first: CameraRow, last: CameraRow, span: tuple[Millis, Millis]) -> Account:
    deliveries = tuple([delivery_difference(planned.id, first, last, span) for planned in camera.deliveries])
    return Account(camera_difference(first, last, span), deliveries)


def _add(whole: Account, part: Account) -> None:
    whole.camera.add(part.camera)
    for ledger_line, more in zip(whole.deliveries, part.deliveries, strict=True):
        ledger_line.add(more)


async def _completed(session: AsyncSession, question: Question, read: _Batch) -> list[CameraAccount]:
    found = read.accounts
    for part, left in read.left.items():
        asked, there = replace(question, period=part), [during(one, part) for one in left]
        async for portion in accounts(session, asked, there, list):
            for one in portion:
                found[one.camera.id] = _with(found[one.camera.id], one)
    apart = [one for one in read.cameras if one.id not in found or (question.current and not _well(found[one.id].now))]
    async for portion in accounts(session, question, apart, list):
        found |= {one.camera.id: one for one in portion}
    return [found[one.id] for one in read.cameras]


def _with(known: CameraAccount, part: CameraAccount) -> CameraAccount:
    """Add to a camera's account that of a further part of the period."""
    _add(known.account, part.account)
    if len(known.places) == 1 and known.places[0][1] is known.account.camera:
        return known._replace(now=part.now or known.now)
    places = dict(known.places)
    for facility, durations in part.places:
        places.setdefault(facility, Durations()).add(durations)
    return known._replace(now=part.now or known.now, places=tuple(places.items()))


def _well(now: Moment | None) -> bool:
    """Whether a camera is up, confirmed and connected: since when, the evidence of the open days has it."""
    return now is not None and now.confirmed.state == now.camera.state == CameraState.UP and all(now.connected)
