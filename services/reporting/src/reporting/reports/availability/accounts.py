"""Accounts of cameras with the help of the ledger: whole days by difference, what is left at the ends directly."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import batched, zip_longest
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.ledger import ORIGIN, Cut
from reporting.domain.partition import Account
from reporting.domain.scope import Camera, Facility, Reason, during
from reporting.domain.segments import Period
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraAccount, Moment, Question, accounts
from reporting.storage.availability import ledger
from reporting.storage.availability.ledger import FIRST_OF_CAMERA, Standing, camera_difference, delivery_difference
from vonggac.telemetry.garbage_collection import rarely_collected

BATCH = 1000
"""Cameras whose rows are read at a time. With 2000 Python collects garbage among what is not done with yet, which is a
quarter of the time."""


def place_of(facility: Facility) -> tuple[object, ...]:
    """What a facility's cameras are grouped by: while it stays, so do they."""
    return facility.id, facility.unit.id, facility.agency.id, facility.type


def stayed(camera: Camera) -> bool:
    """Whether all of the camera's time counts at one place, so that the ledger alone tells it."""
    if any(one.absence is not None and one.absence.reason is Reason.ELSEWHERE for _, _, one in camera.pieces):
        return False
    return len(camera.pieces) == 1 or len({place_of(piece.facility) for _, _, piece in camera.pieces}) == 1


async def ledgered_accounts[Made](
    session: AsyncSession,
    question: Question,
    cameras: Sequence[Camera],
    make: Callable[[list[CameraAccount]], Made],
) -> AsyncIterator[Made]:
    """What `reports.accounts.accounts` gives, to the millisecond. Cameras that moved are accounted directly, and of a
    period that reaches now those that do not stand well: how they stand may have begun long ago."""
    cut = days.cut(question.period, (await ledger.state(session)).closed_until)
    if cut is None or (question.current and not cut.parts):
        async for made in accounts(session, question, cameras, make):
            yield made
        return
    with rarely_collected():
        async for told in _told(session, question, cut, cameras):
            yield await asyncio.to_thread(make, await _completed(session, question, told))


class _Told(NamedTuple):
    """What the ledger tells of some cameras, and the parts of the period that it does not tell of each."""

    cameras: Sequence[Camera]
    found: dict[str, CameraAccount]
    left: Mapping[Period, list[Camera]]


async def _told(session: AsyncSession, question: Question, cut: Cut, cameras: Sequence[Camera]) -> AsyncIterator[_Told]:
    """Batch by batch. The arithmetic runs beside the event loop while PostgreSQL gathers the rows of the next one."""
    midnights = [cut.first, cut.last]
    if cut.after is not None and cut.last < cut.closed and not question.current:
        midnights.append(cut.last + 1)
    batches = [*batched(cameras, BATCH)]
    ahead: Standing | None = None
    for batch, following in zip_longest(batches, batches[1:]):
        standing = ahead or await ledger.standing_at(session, [one.id for one in batch], midnights)
        making = asyncio.create_task(asyncio.to_thread(_differences, question.period, cut, batch, standing))
        try:
            ids = [one.id for one in following or ()]
            ahead = await ledger.standing_at(session, ids, midnights) if ids else None
        finally:
            await asyncio.wait({making})
        yield making.result()


def _differences(period: Period, cut: Cut, cameras: Sequence[Camera], standing: Standing) -> _Told:
    told, rows = _Told(cameras, {}, {part: [] for part in cut.parts}), standing.rows()
    asked = cut.first, cut.last, cut.last + 1
    for one in cameras:
        if not stayed(one):
            continue
        first, last, later = (rows.get((one.id, day), FIRST_OF_CAMERA) for day in asked)
        start, end = days.midnight(cut.first), days.midnight(cut.last)
        # A day that ends without a row is of one kind, and so is each part of it.
        if cut.before is not None:
            if first.day < cut.first:
                start = period.start
            else:
                told.left[cut.before].append(one)
        if cut.after is not None:
            if ORIGIN < later.day <= cut.last:
                end = period.end
            else:
                told.left[cut.after].append(one)
        durations = camera_difference(first, last, (start, end))
        deliveries = tuple([delivery_difference(planned.id, first, last, (start, end)) for planned in one.deliveries])
        found = CameraAccount(one, None, Account(durations, deliveries), ((one.facility, durations),))
        told.found[one.id] = found
    return told


async def _completed(session: AsyncSession, question: Question, told: _Told) -> list[CameraAccount]:
    found = told.found
    for part, left in told.left.items():
        asked, there = replace(question, period=part), [during(one, part) for one in left]
        async for portion in accounts(session, asked, there, list):
            for one in portion:
                known = found[one.camera.id]
                known.account.camera.add(one.account.camera)
                for ledger_line, more in zip(known.account.deliveries, one.account.deliveries, strict=True):
                    ledger_line.add(more)
                found[one.camera.id] = known._replace(now=one.now)
    apart = [one for one in told.cameras if one.id not in found or (question.current and not _well(found[one.id].now))]
    async for portion in accounts(session, question, apart, list):
        found |= {one.camera.id: one for one in portion}
    return [found[one.id] for one in told.cameras]


def _well(now: Moment | None) -> bool:
    """Whether a camera is up, confirmed and connected: since when, the evidence of the open days tells."""
    return now is not None and now.confirmed.state == now.camera.state == CameraState.UP and all(now.connected)
