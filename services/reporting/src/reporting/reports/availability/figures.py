"""Sums over groups of cameras, with the help of the ledger: a year costs what a day costs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.ledger import Cut
from reporting.domain.scope import Facility, during
from reporting.domain.segments import Period
from reporting.domain.stays import place_of
from reporting.reports.accounts import Question, accounts, watch_of
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.availability import ledger
from reporting.storage.availability.touched import touched
from vonggac.telemetry.garbage_collection import rarely_collected

MANY = 4000
"""Above so many cameras, reading all of them is cheaper than naming these."""


async def totals_of(session: AsyncSession, question: Question, scope: plan.Scope) -> Totals:
    """Where the time of all cameras of the scope went, per facility, and how they stand now where the period reaches
    now."""
    places = await plan.places(session, scope, question.period)
    found = Totals(places)
    cut = days.cut(question.period, (await ledger.state(session)).closed_until)
    if cut is None:
        with rarely_collected():
            cameras = await plan.cameras(session, places)
        async for _ in accounts(session, question, cameras, found.add):
            pass
        return found
    await _add_days(session, question, places, cut, found)
    return found


async def _add_days(session: AsyncSession, question: Question, places: plan.Places, cut: Cut, found: Totals) -> None:
    stable = {str(one.id): one for one in places.facilities if _stayed(places, one)}
    wanted = {one.id: str(one.id) in stable for one in places.facilities}
    opened = None
    if cut.after is not None and cut.last >= cut.closed:
        opened = await _open(session, question, cut.after)
    sums = await ledger.sums(session, question.period, (cut.first, cut.last), wanted, opened)
    for facility_id, (cameras, durations) in sums.whole.items():
        found.add_time(stable[facility_id], durations)
        if not question.current:
            found.count(stable[facility_id], cameras)
    for steady in sums.steady:
        part = cut.after if steady.last else cut.before
        if part is not None:
            found.add_steady(stable[steady.facility_id], steady.kind, steady.cameras, part.length)
            if steady.last and question.current:
                found.count_steady(stable[steady.facility_id], steady.kind, steady.cameras)
    if sums.moved:
        await _account(session, question, places, sums.moved, found.add)
    for part, apart in ((cut.before, sums.first), (cut.after, sums.last)):
        if part is not None and apart:
            asked = replace(question, period=part)
            await _account(session, asked, places, apart, found.add if asked.current else found.add_times)


NOBODY = ledger.Open((), ())
"""No camera stands as it stood."""


async def _open(session: AsyncSession, question: Question, part: Period) -> ledger.Open:
    """Which cameras an open part has to be accounted for."""
    watch = await watch_of(session, replace(question, period=part))
    found = await touched(session, part, watch)
    return NOBODY if found is None else ledger.Open(found.cameras, found.steady)


async def _account(
    session: AsyncSession, question: Question, places: plan.Places, ids: Sequence[UUID], add: Callable[..., None]
) -> None:
    """Account these cameras one by one, over the question's period, which may be a part of that of `places`."""
    with rarely_collected():
        if len(ids) <= MANY:
            cameras = await plan.cameras(session, places, only=ids)
        else:
            apart = set(map(str, ids))
            cameras = [one for one in await plan.cameras(session, places) if one.id in apart]
    if question.period != places.period:
        cameras = [during(one, question.period) for one in cameras]
    async for _ in ledgered_accounts(session, question, cameras, add):
        pass


def _stayed(places: plan.Places, facility: Facility) -> bool:
    start, end = places.period
    versions = [
        one.value.facility
        for one in places.register.facilities[str(facility.id)]
        if one.start < end and one.end > start
    ]
    return len({place_of(one) for one in versions}) == 1
