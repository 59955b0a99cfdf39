"""Reading what a report is frozen of: one unchanging view of the database, the same accounts as every other report."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.lives import presumption
from reporting.domain.instants import Millis, millis, moment
from reporting.domain.outages import accounted
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question, watch_of
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.mandate.camera_security import camera_security, security_rows
from reporting.reports.mandate.connected_facilities import connected_facilities
from reporting.reports.mandate.progress import board
from reporting.reports.mandate.situation import areas_at
from reporting.reports.notes import load_notes
from reporting.reports.outages import fault_of, found_outages
from reporting.reports.snapshot import approvals, figures
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.figures import FoundOutage
from reporting.reports.snapshot.register import before_assessment, before_paper_days, proposal_rows, register_rows
from reporting.reports.totals import Totals
from reporting.reports.waiting_centres import note_waiting_centres
from reporting.storage import history, plan
from reporting.storage.mandate import lifecycle, records

MAX_DAYS = 93
"""A longer period has its sums by calendar month instead of by day."""
_DAY: Millis = 86_400_000


@dataclass(frozen=True, slots=True)
class Extent:
    """What is to be frozen. The question's moment is after its period: no state of now comes in."""

    question: Question
    scope: plan.Scope
    zone: ZoneInfo
    camera: UUID | None = None
    """This one alone; a chart may be of one."""
    by_earlier_rule: bool = False
    """Facilities are connected as rule 2 had it: of a report that was frozen by it."""
    register_at: Millis | None = None
    """The instant whose register is frozen with the figures: the cut-off. None: none is, as by rule 2 and before."""
    with_notes: bool = True
    """Whether the notes on the evidence are frozen with the figures: of no report that was frozen without them."""
    with_assessment: bool = True
    """Whether areas that nobody assessed are told from uncovered ones, and duties have their own time and the day on
    paper: of no report of rule 4 and before."""
    with_security: bool = False
    """Whether installation proposals and the security of cameras are read too: of no report that was frozen without
    them, and of no chart."""


async def collect(session: AsyncSession, extent: Extent) -> dict[str, list[Row]]:
    """All tables but `changes`."""
    found, totals = await _accounts(session, extent, extent.question.period)
    rows, deliveries = await asyncio.to_thread(figures.cameras, found)
    sums_of = await asyncio.to_thread(figures.groups, totals)
    return {
        **sums_of,
        **await _register(session, extent, sums_of["facilities"]),
        "cameras": rows,
        **await _security(session, extent, rows),
        "deliveries": deliveries,
        "outages": figures.outages(await _outages(session, extent)),
        "days": await _days(session, extent),
        "strips": await _strips(session, extent, found),
        **await _notes(session, extent, sums_of["facilities"]),
    }


def steps(period: Period, zone: ZoneInfo) -> Iterator[Period]:
    """Cut the period at local midnights, a long one at the first of each month."""
    monthly = period.length > MAX_DAYS * _DAY
    local = moment(period.start).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    cuts = [period.start]
    while True:
        local = (local.replace(day=1) + timedelta(days=32)).replace(day=1) if monthly else local + timedelta(days=1)
        if (cut := millis(local)) >= period.end:
            break
        cuts.append(cut)
    return (Period(start, end) for start, end in pairwise([*cuts, period.end]))


def last_day(period: Period, zone: ZoneInfo) -> Period:
    """Find the local day that ends with the period, as long as it is there; of another end the 24 hours before it."""
    local = moment(period.end).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    whole = millis(midnight) == period.end
    start = millis(midnight - timedelta(days=1)) if whole else period.end - _DAY
    return Period(max(start, period.start), period.end)


async def _days(session: AsyncSession, extent: Extent) -> list[Row]:
    known = await records.read(session, ("camera",), extent.question.period.end)
    rows = []
    for period in steps(extent.question.period, extent.zone):
        found, sums = await _accounts(session, extent, period)
        question = replace(extent.question, period=period)
        if extent.by_earlier_rule:
            connected = figures.connected_in_sum(found)
        else:
            connected = await connected_facilities(session, question, found, areas_at(known, period.end - 1))
        rows.append(await asyncio.to_thread(figures.day, period, sums, found, connected))
    return rows


async def _register(session: AsyncSession, extent: Extent, facilities: Sequence[Row]) -> dict[str, list[Row]]:
    at, question = extent.register_at, extent.question
    if at is None:
        return {}
    alive, earlier = presumption(question.presumed_alive_ms, at, question.now), not extent.with_assessment
    made = await board(session, at, alive, extent.scope, by_entry=earlier)
    rows = await asyncio.to_thread(register_rows, made, await lifecycle.addresses(session, at), facilities)
    if not earlier:
        proposals = proposal_rows(made, facilities) if extent.with_security else None
        return rows if proposals is None else {**rows, "proposals": proposals}
    return {
        "progress": [before_assessment(one) for one in rows["progress"]],
        "obligations": [before_paper_days(one) for one in rows["obligations"]],
    }


async def _security(session: AsyncSession, extent: Extent, cameras: Sequence[Row]) -> dict[str, list[Row]]:
    at, question = extent.register_at, extent.question
    if at is None or not extent.with_security:
        return {}
    found = await camera_security(session, at, presumption(question.presumed_alive_ms, at, question.now), extent.scope)
    return await asyncio.to_thread(security_rows, found, cameras)


async def _notes(session: AsyncSession, extent: Extent, facilities: Sequence[Row]) -> dict[str, list[Row]]:
    if not extent.with_notes:
        return {}
    period = extent.question.period
    found = await load_notes(session, period) + await note_waiting_centres(session, extent.question, extent.scope)
    notes = [one.to_row() for one in found]
    until = Period(period.start, max(period.end, extent.register_at or 0))
    ids = {str(row["facility_id"]) for row in facilities}
    uses = await approvals.load_uses(session, until, ids, whole=extent.scope.everything)
    return {"notes": notes + approvals.to_rows(uses, until)}


async def _accounts(session: AsyncSession, extent: Extent, period: Period) -> tuple[list[CameraAccount], Totals]:
    places = await plan.places(session, extent.scope, period)
    totals = Totals(places)
    found: list[CameraAccount] = []
    question = replace(extent.question, period=period)
    only = None if extent.camera is None else [extent.camera]
    cameras = await plan.cameras(session, places, only=only)
    async for portion in ledgered_accounts(session, question, cameras, list):
        totals.add(portion)
        found += portion
    return found, totals


async def _outages(session: AsyncSession, extent: Extent) -> list[FoundOutage]:
    only = None if extent.camera is None else str(extent.camera)
    return [
        FoundOutage(camera, outage, None if (fault := fault_of(camera, outage, faults)) is None else fault.began_at)
        async for found, faults in found_outages(session, extent.question, extent.scope, only)
        for camera, outage in found
    ]


async def _strips(session: AsyncSession, extent: Extent, found: Sequence[CameraAccount]) -> list[Row]:
    day = last_day(extent.question.period, extent.zone)
    cameras = figures.worst(found)
    watch = await watch_of(session, extent.question)
    stored = await history.stored(session, [one.id for one in cameras], (), day.start, day.end, watch)
    seen, windows = stored.lines(watch), await history.maintenance(session, day.start, day.end)
    return [
        row
        for one in cameras
        for row in figures.strip(
            one, accounted(day, seen.get(one.id, ()), history.maintenance_of(windows, one), one.absences)
        )
    ]
