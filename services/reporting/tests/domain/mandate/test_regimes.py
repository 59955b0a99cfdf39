"""Cut-offs of reports of a regime: the 15th at local midnight, February, the year's end, any period."""

from datetime import UTC, date, datetime
from itertools import islice

import pytest

from reporting.domain.instants import HOUR, millis, moment, start_of
from reporting.domain.mandate.regimes import Calendar, Rhythm, is_late, period_name
from reporting.domain.segments import Period


def days(calendar: Calendar, count: int = 3) -> list[tuple[date, date]]:
    """First and last day of the first periods."""
    hour = 7 * HOUR
    return [
        (moment(one.start + hour).date(), moment(one.end - 1 + hour).date())
        for one in islice(calendar.periods(), count)
    ]


def test_a_month_runs_from_the_15th_to_the_14th_also_over_february_and_the_years_end() -> None:
    found = days(Calendar(Rhythm.MONTH, date(2027, 12, 20)), 4)
    assert found == [
        (date(2027, 12, 15), date(2028, 1, 14)),
        (date(2028, 1, 15), date(2028, 2, 14)),
        (date(2028, 2, 15), date(2028, 3, 14)),
        (date(2028, 3, 15), date(2028, 4, 14)),
    ]


def test_calendar_months_end_with_february_as_long_as_it_is() -> None:
    of_leap_year = Calendar(Rhythm.MONTH, date(2028, 2, 1), cut_off_day=1)
    assert days(of_leap_year, 2) == [(date(2028, 2, 1), date(2028, 2, 29)), (date(2028, 3, 1), date(2028, 3, 31))]
    assert days(Calendar(Rhythm.MONTH, date(2027, 2, 2), cut_off_day=1), 1) == [(date(2027, 2, 1), date(2027, 2, 28))]


@pytest.mark.parametrize(
    ("rhythm", "first", "name"),
    [
        (Rhythm.MONTH, (date(2026, 11, 15), date(2026, 12, 14)), "tháng 12 năm 2026"),
        (Rhythm.QUARTER, (date(2026, 9, 15), date(2026, 12, 14)), "quý IV năm 2026"),
        (Rhythm.HALF_YEAR, (date(2026, 6, 15), date(2026, 12, 14)), "6 tháng cuối năm 2026"),
        (Rhythm.YEAR, (date(2025, 12, 15), date(2026, 12, 14)), "năm 2026"),
    ],
)
def test_longer_periods_end_on_the_14th_of_their_last_month(
    rhythm: Rhythm, first: tuple[date, date], name: str
) -> None:
    calendar = Calendar(rhythm, date(2026, 12, 1))
    assert days(calendar, 1) == [first]
    assert period_name(rhythm, next(calendar.periods())) == name


def test_the_first_half_of_a_year_and_its_calendar_quarters_are_named_by_their_last_day() -> None:
    half = next(Calendar(Rhythm.HALF_YEAR, date(2027, 1, 2)).periods())
    assert period_name(Rhythm.HALF_YEAR, half) == "6 tháng đầu năm 2027"
    quarter = Calendar(Rhythm.QUARTER, date(2027, 1, 2), cut_off_day=1)
    assert days(quarter, 1) == [(date(2027, 1, 1), date(2027, 3, 31))]
    assert period_name(Rhythm.QUARTER, next(quarter.periods())) == "quý I năm 2027"


def test_any_period_is_counted_from_the_first_day_and_stops_at_the_last() -> None:
    calendar = Calendar(Rhythm.DAYS, date(2026, 2, 20), every_days=10, ends_on=date(2026, 3, 11))
    assert days(calendar, 9) == [(date(2026, 2, 20), date(2026, 3, 1)), (date(2026, 3, 2), date(2026, 3, 11))]
    assert period_name(Rhythm.DAYS, next(calendar.periods())) == "từ ngày 20/02/2026 đến ngày 01/3/2026"
    assert calendar.next(start_of(date(2026, 3, 12))) is None


def test_a_cut_off_is_midnight_in_vietnam() -> None:
    (period,) = Calendar(Rhythm.MONTH, date(2026, 10, 20)).due(0, start_of(date(2026, 11, 15)))
    assert moment(period.end) == datetime(2026, 11, 14, 17, tzinfo=UTC)
    assert moment(period.start) == datetime(2026, 10, 14, 17, tzinfo=UTC)


def test_a_period_is_due_from_its_cut_off_on_and_after_what_was_counted() -> None:
    calendar, cut_off = Calendar(Rhythm.MONTH, date(2026, 10, 20)), start_of(date(2026, 11, 15))
    assert calendar.due(0, cut_off - 1) == []
    assert calendar.due(cut_off, cut_off) == []
    assert len(calendar.due(cut_off - 1, millis(datetime(2027, 2, 14, 18, tzinfo=UTC)))) == 4
    following = calendar.next(cut_off)
    assert following == Period(cut_off, start_of(date(2026, 12, 15)))


def test_a_first_day_on_the_cut_off_begins_the_following_period() -> None:
    assert days(Calendar(Rhythm.MONTH, date(2026, 11, 15)), 1) == [(date(2026, 11, 15), date(2026, 12, 14))]
    assert days(Calendar(Rhythm.MONTH, date(2026, 11, 14)), 1) == [(date(2026, 10, 15), date(2026, 11, 14))]


def test_a_report_is_late_an_hour_after_its_evidence_was_complete() -> None:
    cut_off, horizon = start_of(date(2026, 11, 15)), 6 * HOUR
    assert not is_late(cut_off, horizon, cut_off + 7 * HOUR)
    assert is_late(cut_off, horizon, cut_off + 7 * HOUR + 1)
