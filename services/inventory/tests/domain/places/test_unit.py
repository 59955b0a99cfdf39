"""Periods of administrative units."""

from datetime import date

import pytest

from inventory.domain.places.unit import Period, check_parent, holds_on, latest, overlap
from vonggac.events.inventory import UnitLevel

UNTIL_MERGER = Period(None, date(2025, 6, 30))
SINCE_MERGER = Period(date(2025, 7, 1), None)


def test_periods_that_meet_share_no_day() -> None:
    assert not overlap(UNTIL_MERGER, SINCE_MERGER)
    assert overlap(UNTIL_MERGER, Period(date(2025, 6, 30), None))
    assert overlap(Period(), SINCE_MERGER)


def test_both_days_belong_to_a_period() -> None:
    assert holds_on(UNTIL_MERGER, date(2025, 6, 30))
    assert not holds_on(UNTIL_MERGER, date(2025, 7, 1))


def test_the_latest_unit_is_the_one_without_an_end_else_the_last_that_ended() -> None:
    old, older = UNTIL_MERGER, Period(None, date(1989, 6, 30))
    assert latest([older, old, SINCE_MERGER], date(2026, 1, 1)) is SINCE_MERGER
    assert latest([old, older], date(2026, 1, 1)) is old
    assert latest([SINCE_MERGER], date(2021, 5, 7)) is SINCE_MERGER
    assert latest([], date(2021, 5, 7)) is None


def test_a_parent_is_of_a_higher_level_in_the_same_time() -> None:
    check_parent(UnitLevel.COMMUNE, SINCE_MERGER, UnitLevel.PROVINCE, SINCE_MERGER)
    with pytest.raises(ValueError, match="higher level"):
        check_parent(UnitLevel.DISTRICT, UNTIL_MERGER, UnitLevel.DISTRICT, UNTIL_MERGER)
    with pytest.raises(ValueError, match="same day"):
        check_parent(UnitLevel.DISTRICT, UNTIL_MERGER, UnitLevel.PROVINCE, SINCE_MERGER)
