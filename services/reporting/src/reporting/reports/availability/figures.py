"""Sums over groups of cameras, with the help of the ledger: a year costs what a day costs."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.ledger import Cut
from reporting.domain.scope import Facility, during
from reporting.reports.accounts import Question, accounts
from reporting.reports.availability.accounts import place_of
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.availability import ledger
from vonggac.telemetry.garbage_collection import rarely_collected


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
    wanted, ids = [one.id for one in places.facilities], [one.id for one in stable.values()]
    for sums in await ledger.sums(session, question.period, (cut.first, cut.last), ids):
        found.add_time(stable[sums.facility_id], sums.durations)
        if not question.current:
            found.count(stable[sums.facility_id], sums.cameras)
    others = await ledger.others(session, question.period, wanted, ids)
    if others:
        moved = await plan.cameras(session, places, only=others)
        async for _ in accounts(session, question, moved, found.add):
            pass
    if not cut.parts:
        return
    apart = {str(one) for one in others}
    with rarely_collected():
        cameras = [one for one in await plan.cameras(session, places) if one.id not in apart]
    for part in cut.parts:
        asked = replace(question, period=part)
        there = [during(one, part) for one in cameras]
        async for _ in accounts(session, asked, there, found.add if asked.current else found.add_times):
            pass


def _stayed(places: plan.Places, facility: Facility) -> bool:
    start, end = places.period
    versions = [
        one.value.facility
        for one in places.register.facilities[str(facility.id)]
        if one.start < end and one.end > start
    ]
    return len({place_of(one) for one in versions}) == 1
