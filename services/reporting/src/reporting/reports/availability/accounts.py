"""Accounts of cameras with the help of the ledger: whole days by difference, what is left at the ends directly."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.ledger import Cut, Day
from reporting.domain.partition import Account
from reporting.domain.scope import Camera, Facility, Reason, during
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import CameraAccount, Moment, Question, accounts
from reporting.storage.availability import ledger
from reporting.storage.availability.ledger import FIRST_OF_CAMERA, CameraRow, camera_difference, delivery_difference
from vonggac.telemetry.garbage_collection import rarely_collected

BATCH = 2000


def place_of(facility: Facility) -> tuple[object, ...]:
    """What a facility's cameras are grouped by: while it stays, so do they."""
    return facility.id, facility.unit.id, facility.agency.id, facility.type


def stayed(camera: Camera) -> bool:
    """Whether all of the camera's time counts at one place, so that the ledger alone tells it."""
    places = {place_of(piece.value.facility) for piece in camera.pieces}
    elsewhere = any(
        piece.value.absence is not None and piece.value.absence.reason is Reason.ELSEWHERE for piece in camera.pieces
    )
    return len(places) == 1 and not elsewhere


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
        for batch in batched(cameras, BATCH):
            yield make(await _batch(session, question, cut, batch))


async def _batch(session: AsyncSession, question: Question, cut: Cut, cameras: Sequence[Camera]) -> list[CameraAccount]:
    steady = [one for one in cameras if stayed(one)]
    found = await _differences(session, cut, steady)
    for part in cut.parts:
        asked, there = replace(question, period=part), [during(one, part) for one in steady]
        async for portion in accounts(session, asked, there, list):
            for one in portion:
                known = found[one.camera.id]
                known.account.camera.add(one.account.camera)
                for ledger_line, more in zip(known.account.deliveries, one.account.deliveries, strict=True):
                    ledger_line.add(more)
                found[one.camera.id] = known._replace(now=one.now)
    apart = [one for one in cameras if one.id not in found or (question.current and not _well(found[one.id].now))]
    async for portion in accounts(session, question, apart, list):
        found |= {one.camera.id: one for one in portion}
    return [found[one.id] for one in cameras]


def _well(now: Moment | None) -> bool:
    """Whether a camera is up, confirmed and connected: since when, the evidence of the open days tells."""
    return now is not None and now.confirmed.state == now.camera.state == CameraState.UP and all(now.connected)


async def _differences(session: AsyncSession, cut: Cut, cameras: Sequence[Camera]) -> dict[str, CameraAccount]:
    span = cut.first, cut.last
    rows = await ledger.cameras_at(session, [one.id for one in cameras], span)
    return {one.id: _difference(one, span, rows) for one in cameras}


def _difference(camera: Camera, span: tuple[Day, Day], rows: Mapping[tuple[str, Day], CameraRow]) -> CameraAccount:
    before, after = (rows.get((camera.id, day), FIRST_OF_CAMERA) for day in span)
    durations = camera_difference(before, after, span)
    deliveries = tuple([delivery_difference(planned.id, before, after, span) for planned in camera.deliveries])
    return CameraAccount(camera, None, Account(durations, deliveries), ((camera.facility, durations),))
