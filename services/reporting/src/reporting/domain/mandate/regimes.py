"""When a report of a regime is due: periods between cut-offs at local midnights, as Decree 09/2019/NĐ-CP has them.

A month runs from the 15th of the month before to the 14th; so do quarter, half year and year, in their last month.

Pure: times in milliseconds, days of Asia/Ho_Chi_Minh.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from reporting.domain.instants import HOUR, VIETNAM, Millis, moment, start_of
from reporting.domain.segments import Period
from vonggac.decree.dates import short_day

CUT_OFF_DAY = 15
"""The first day that a period no longer counts."""
LAST_CUT_OFF_DAY = 28
"""Every month has it."""
LATE_AFTER: Millis = HOUR
"""A report that is frozen so long after it could have been is late."""
_MONTHS_OF_YEAR = 12
_SECOND_HALF = 7


class Rhythm(StrEnum):
    """How long the periods of a regime are."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"
    DAYS = "days"
    """So many days each, counted from the regime's first day."""


MONTHS = {Rhythm.MONTH: 1, Rhythm.QUARTER: 3, Rhythm.HALF_YEAR: 6, Rhythm.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The cut-offs of a regime.

    `cut_off_day`: 1 to 28; 1 gives calendar months. `every_days`: of the rhythm `days`, whose first period begins with
    `starts_on`. Of another rhythm the first cut-off is the first one after that day. `ends_on`: the last day that a
    period may count; None: no end.
    """

    rhythm: Rhythm
    starts_on: date
    cut_off_day: int = CUT_OFF_DAY
    every_days: int | None = None
    ends_on: date | None = None

    def periods(self) -> Iterator[Period]:
        """Yield the periods of the regime, oldest first, each up to its cut-off; for ever where nothing ends it."""
        for first, cut_off in self._by_days() if self.rhythm is Rhythm.DAYS else self._by_months():
            if self.ends_on is not None and cut_off > self.ends_on + timedelta(days=1):
                return
            yield Period(start_of(first), start_of(cut_off))

    def due(self, after: Millis, until: Millis) -> list[Period]:
        """List the periods whose cut-off lies in (after, until], oldest first."""
        found = []
        for one in self.periods():
            if one.end > until:
                break
            if one.end > after:
                found.append(one)
        return found

    def next(self, now: Millis) -> Period | None:
        """Find the period whose cut-off comes next; None: the regime has ended."""
        return next((one for one in self.periods() if one.end > now), None)

    def _by_days(self) -> Iterator[tuple[date, date]]:
        length = timedelta(days=self.every_days or 1)
        first = self.starts_on
        while True:
            yield first, first + length
            first += length

    def _by_months(self) -> Iterator[tuple[date, date]]:
        """End a period with a month whose number its length divides; the day before the cut-off lies in that month."""
        length, shift = MONTHS[self.rhythm], 1 if self.cut_off_day == 1 else 0
        last = self.starts_on.year * _MONTHS_OF_YEAR // length * length
        while True:
            before = _day(last - length + shift, self.cut_off_day)
            cut_off = _day(last + shift, self.cut_off_day)
            if cut_off > self.starts_on:
                yield before, cut_off
            last += length


def _day(months: int, day: int) -> date:
    """Build the day of a month that is counted from the year 0; month 12 of a year is the multiple of twelve."""
    year, month = divmod(months - 1, _MONTHS_OF_YEAR)
    return date(year, month + 1, day)


def period_name(rhythm: Rhythm, period: Period) -> str:
    """Name the period as on paper: `tháng 11 năm 2026`, `quý IV năm 2026`, `6 tháng đầu năm 2026`."""
    last = moment(period.end - 1).astimezone(VIETNAM)
    if rhythm is Rhythm.MONTH:
        return f"tháng {last.month} năm {last.year}"
    if rhythm is Rhythm.QUARTER:
        return f"quý {('I', 'II', 'III', 'IV')[(last.month - 1) // 3]} năm {last.year}"
    if rhythm is Rhythm.HALF_YEAR:
        return f"6 tháng {'cuối' if last.month >= _SECOND_HALF else 'đầu'} năm {last.year}"
    if rhythm is Rhythm.YEAR:
        return f"năm {last.year}"
    first = moment(period.start).astimezone(VIETNAM)
    return f"từ ngày {short_day(first)} đến ngày {short_day(last)}"


def is_late(cut_off: Millis, horizon_ms: Millis, now: Millis) -> bool:
    """Whether a report that is frozen now is late: it could have been since its evidence was complete."""
    return now > cut_off + horizon_ms + LATE_AFTER
