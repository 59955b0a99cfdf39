"""Sums of group after group and day after day: a month of days costs little more than one of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.ledger import CAMERA_SUMS, DAY, ORIGIN, Day, day_of, midnight
from reporting.domain.partition import CameraKind, Durations
from reporting.domain.scope import Facility
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.reports.availability.figures import account, totals_of
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.availability import ledger
from reporting.storage.availability.daily_sums import Changed, DailySums, daily_sums

FEWEST = 4
"""Fewer days cost less one by one."""
MOST_APART = 1000
"""With more cameras to be accounted for themselves, day by day, the days cost less one by one."""
_PLACE = {name: place for place, name in enumerate(CAMERA_SUMS)}
_PARTS = [_PLACE[name] for name in ("up", "down", "maintenance", "unknown", "out_of_scope")]


async def series_totals(
    session: AsyncSession, questions: Sequence[Question], scope: plan.Scope
) -> AsyncIterator[tuple[Question, Totals]]:
    """Yield what `totals_of` gives of each, to the millisecond, in order: questions of one period after the other."""
    closed = (await ledger.state(session)).closed_until
    days = [one for one in questions if closed is not None and _closed_day(one, closed)]
    together = await _Days.read(session, days, scope) if len(days) >= FEWEST else None
    for one in questions:
        if together is None or not _closed_day(one, together.last):
            yield one, await totals_of(session, one, scope)
        else:
            yield one, await together.totals(session, one)


def _closed_day(question: Question, until: Day) -> bool:
    """Whether it is of a whole day of the ledger before `until`."""
    day = day_of(question.period.start)
    whole = question.period == (midnight(day), midnight(day + 1))
    return whole and ORIGIN <= day < until and not question.current


class _Days:
    """Closed days that follow one another, read together."""

    def __init__(
        self, places: plan.Places, scope: plan.Scope, stable: Sequence[Facility], last: Day, read: DailySums
    ) -> None:
        self._places, self._scope, self._stable, self._apart = places, scope, stable, read.apart
        self.last = last
        self._by_kind: list[dict[CameraKind, int]] = [{} for _ in stable]
        for number, kind, cameras in read.at_first:
            self._by_kind[number][kind] = cameras
        self._changed: dict[Day, list[Changed]] = {}
        for one in read.changed:
            self._changed.setdefault(one.day, []).append(one)

    @staticmethod
    async def read(session: AsyncSession, questions: Sequence[Question], scope: plan.Scope) -> "_Days | None":
        """None where too many cameras would be apart."""
        span = Period(questions[0].period.start, questions[-1].period.end)
        places = await plan.places(session, scope, span)
        stable = [one for one in places.facilities if _is_stable(places, one)]
        ids = {one.id for one in stable}
        others = [one.id for one in places.facilities if one.id not in ids]
        days = day_of(span.start), day_of(span.end)
        found = await daily_sums(session, days, [one.id for one in stable], others)
        if len(found.apart) > MOST_APART:
            return None
        return _Days(places, scope, stable, days[1], found)

    async def totals(self, session: AsyncSession, question: Question) -> Totals:
        """Sum up the next day: days are asked for in their order."""
        places = self._places._replace(period=question.period)
        if not all(_is_stable(self._places, one) for one in self._places.facilities):
            places = await plan.places(session, self._scope, question.period)
        result = Totals(places)
        there: Mapping[UUID, Facility] = {one.id: one for one in places.facilities}
        changed: dict[int, list[Changed]] = {}
        for one in self._changed.get(day_of(question.period.start), ()):
            changed.setdefault(one.facility, []).append(one)
        for number, facility in enumerate(self._stable):
            by_kind = self._by_kind[number]
            if cameras := sum(by_kind.values()):
                lengths = _lengths(by_kind, changed.get(number, ()))
                time = Durations(sum(lengths[part] for part in _PARTS), *lengths)
                result.add_time(there[facility.id], time)
                result.count(there[facility.id], cameras)
        if self._apart:
            await account(session, question, places, self._apart, result.add)
        return result


def _is_stable(places: plan.Places, one: Facility) -> bool:
    """Whether the facility was the same all the time."""
    versions = places.register.facilities[str(one.id)]
    return len(versions) == 1 and versions[0].start <= places.period.start and versions[0].end >= places.period.end


def _lengths(by_kind: dict[CameraKind, int], changed: Sequence[Changed]) -> list[Millis]:
    """Where the day of a facility's cameras went; afterwards `by_kind`, cameras of each kind, is of the day's end."""
    for one in changed:
        by_kind[one.before] -= one.cameras
    lengths = [0] * len(CAMERA_SUMS)
    for kind, cameras in by_kind.items():
        for name in kind:
            lengths[_PLACE[name]] += cameras * DAY
    for one in changed:
        for place, gained in enumerate(one.gained):
            lengths[place] += gained
        for name in one.before:
            lengths[_PLACE[name]] -= one.stood * DAY
        by_kind[one.after] = by_kind.get(one.after, 0) + one.cameras
    return lengths
