"""A period is cut at local midnights; a long one at the first of each month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.reports.snapshot.collect import last_day, steps

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def period(start: datetime, end: datetime) -> Period:
    return Period(millis(start), millis(end))


def test_a_week_has_seven_days() -> None:
    start = datetime(2021, 5, 3, tzinfo=VIETNAM)
    found = list(steps(period(start, start + timedelta(days=7)), VIETNAM))
    assert len(found) == 7
    assert {one.length for one in found} == {86_400_000}


def test_a_period_within_a_day_is_one_step_and_odd_ends_are_kept() -> None:
    start = datetime(2021, 5, 3, 22, 30, tzinfo=VIETNAM)
    assert list(steps(period(start, start + timedelta(hours=1)), VIETNAM)) == [
        period(start, start + timedelta(hours=1))
    ]
    lengths = [one.length // 3_600_000 for one in steps(period(start, start + timedelta(hours=30)), VIETNAM)]
    assert lengths == [1, 24, 4]


def test_a_year_has_twelve_months() -> None:
    found = list(steps(period(datetime(2021, 1, 1, tzinfo=VIETNAM), datetime(2022, 1, 1, tzinfo=VIETNAM)), VIETNAM))
    assert [one.length // 86_400_000 for one in found] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


@pytest.mark.parametrize(("day", "hours"), [((3, 28), 23), ((10, 31), 25)])
def test_a_day_of_a_zone_with_summer_time_has_its_own_length(day: tuple[int, int], hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2021, *day, tzinfo=berlin)
    end = start + timedelta(days=1)
    (step,) = steps(period(start.astimezone(UTC), end.astimezone(UTC)), berlin)
    assert step.length == hours * 3_600_000


@pytest.mark.parametrize(("day", "hours"), [((3, 28), 23), ((10, 31), 25), ((7, 1), 24)])
def test_the_last_day_of_a_period_is_as_long_as_it_is_in_its_zone(day: tuple[int, int], hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2021, *day, tzinfo=berlin)
    end = start + timedelta(days=1)
    found = last_day(period(start - timedelta(days=9), end), berlin)
    assert (found, found.length) == (period(start, end), hours * 3_600_000)


def test_a_period_that_ends_within_a_day_ends_with_24_hours_of_it_or_what_there_is() -> None:
    end = datetime(2021, 5, 3, 2, 30, tzinfo=VIETNAM)
    assert last_day(period(end - timedelta(days=3), end), VIETNAM).length == 24 * 3_600_000
    assert last_day(period(end - timedelta(hours=1), end), VIETNAM).length == 3_600_000
