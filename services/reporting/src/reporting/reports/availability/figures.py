"""Sums over groups of cameras, with the help of the ledger: a year costs what a day costs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain import ledger as days
from reporting.domain.ledger import Cut, midnight
from reporting.domain.scope import Facility, during, version_at
from reporting.domain.segments import Period
from reporting.reports.accounts import Question, accounts, watch_of
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.stays import place_of
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.availability import ledger
from reporting.storage.availability.sums import Open, Place, sums
from reporting.storage.availability.touched import touched
from vonggac.telemetry.garbage_collection import rarely_collected

MANY = 4000
"""Above so many cameras, reading all of them is cheaper than naming these."""


async def totals_of(session: AsyncSession, question: Question, scope: plan.Scope) -> Totals:
    """Where the time of all cameras of the scope went, per facility, and how they stand now where the period reaches
    now."""
    places = await plan.places(session, scope, question.period)
    found = Totals(places)
    closed = (await ledger.state(session)).closed_until
    cut = days.cut(question.period, closed) or days.within(question.period, closed)
    if cut is None:
        with rarely_collected():
            cameras = await plan.cameras(session, places)
        async for _ in accounts(session, question, cameras, found.add):
            pass
        return found
    await _add_days(session, question, places, cut, found)
    return found


async def _add_days(session: AsyncSession, question: Question, places: plan.Places, cut: Cut, found: Totals) -> None:
    stood = _places(places)
    at = [one for one, _ in stood]
    opened = None
    if cut.after is not None and cut.last >= cut.closed:
        opened = await _open(session, question, Period(midnight(cut.last), cut.after.end))
    known = await sums(session, question.period, (cut.first, cut.last), [place for _, place in stood], opened)
    for number, durations in known.times.items():
        found.add_time(at[number], durations)
    if not question.current:
        for number, cameras in known.cameras.items():
            found.count(at[number], cameras)
    for steady in known.steady:
        part = cut.after if steady.last else cut.before
        if part is not None:
            found.add_steady(at[steady.place], steady.kind, steady.cameras, part.length)
            if steady.last and question.current:
                found.count_steady(at[steady.place], steady.kind, steady.cameras)
    if known.apart:
        await account(session, question, places, known.apart, found.add)
    moved = [(Period(midnight(day), midnight(day + 1)), ids) for day, ids in sorted(known.moved.items())]
    for part, apart in ((cut.before, known.first), (cut.after, known.last), *moved):
        if part is not None and apart:
            asked = replace(question, period=part)
            await account(session, asked, places, apart, found.add if asked.current else found.add_times)


NOBODY = Open((), ())
"""No camera stands as it stood."""


async def _open(session: AsyncSession, question: Question, part: Period) -> Open:
    """Which cameras an open part has to be accounted for."""
    watch = await watch_of(session, replace(question, period=part))
    found = await touched(session, part, watch)
    return NOBODY if found is None else Open(found.cameras, found.steady)


async def account(
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


def _places(places: plan.Places) -> list[tuple[Facility, Place]]:
    """List the places of each facility, one after the other."""
    result: list[tuple[Facility, Place]] = []
    period = places.period
    for one in places.facilities:
        versions = places.register.facilities[str(one.id)]
        cuts = {at for version in versions for at in (version.start, version.end) if period.start < at < period.end}
        stood: list[tuple[Facility, Period]] = []
        for start, end in pairwise([period.start, *sorted(cuts), period.end]):
            here = version_at(versions, start).facility
            if stood and place_of(stood[-1][0]) == place_of(here):
                start = stood.pop()[1].start
            stood.append((here, Period(start, end)))
        whole = all(places.register.wanted(here) for here, _ in stood)
        result += [(here, Place(one.id, *span, whole)) for here, span in stood]
    return result
