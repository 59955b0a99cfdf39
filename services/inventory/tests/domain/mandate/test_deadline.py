"""Deadlines: what "before a day" means to the millisecond, and how a duty stands by the clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from inventory.domain.days import VIETNAM, day_of, end_of, start_of
from inventory.domain.mandate.deadline import Deadline, NewDeadline, deadline_at, is_in_time, standing_at

BEFORE_10_MAY = datetime(2021, 5, 10, tzinfo=VIETNAM)


@pytest.mark.parametrize("given", ["2021-05-10", date(2021, 5, 10), "2021-05-10T00:00:00+07:00", "2021-05-09T17:00Z"])
def test_before_a_day_is_the_first_instant_of_that_day_in_the_province(given: object) -> None:
    assert NewDeadline.model_validate({"due_before": given, "reason": "1742"}).due_before == BEFORE_10_MAY


@pytest.mark.parametrize("given", ["2021-05-10T00:00:00", "2021-13-10", "10/5/2021", 5])
def test_a_deadline_without_zone_or_that_is_no_day_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="due_before"):
        NewDeadline.model_validate({"due_before": given, "reason": "1742"})


def test_a_new_deadline_needs_a_reason() -> None:
    with pytest.raises(ValidationError, match="reason"):
        NewDeadline.model_validate({"due_before": None})


@pytest.mark.parametrize(
    ("completed_at", "in_time"),
    [
        (datetime(2021, 5, 9, 23, 59, 59, 999_999, VIETNAM), True),
        (datetime(2021, 5, 10, tzinfo=VIETNAM), False),
        (datetime(2021, 5, 9, 16, 59, 59, tzinfo=UTC), True),
    ],
)
def test_the_ninth_of_may_belongs_to_before_the_tenth_and_midnight_does_not(
    completed_at: datetime, in_time: bool
) -> None:
    assert is_in_time(completed_at, BEFORE_10_MAY) is in_time


def test_without_a_deadline_nothing_is_late() -> None:
    assert is_in_time(datetime(2031, 1, 1, tzinfo=UTC), None)
    assert standing_at("open", None, datetime(2031, 1, 1, tzinfo=UTC)) == "open"


@pytest.mark.parametrize(
    ("now", "standing"),
    [
        (BEFORE_10_MAY - timedelta(days=3, microseconds=1), "open"),
        (BEFORE_10_MAY - timedelta(days=3), "due_soon"),
        (BEFORE_10_MAY - timedelta(microseconds=1), "due_soon"),
        (BEFORE_10_MAY, "overdue"),
    ],
)
def test_what_is_open_becomes_due_soon_and_overdue_by_the_clock(now: datetime, standing: str) -> None:
    assert standing_at("open", BEFORE_10_MAY, now) == standing


@pytest.mark.parametrize("status", ["done", "done_late", "waived"])
def test_what_is_settled_stands_so_at_every_instant(status: str) -> None:
    assert standing_at(status, BEFORE_10_MAY, BEFORE_10_MAY + timedelta(days=365)) == status


def test_the_deadline_that_held_at_an_instant_is_found() -> None:
    first, second = (
        Deadline(due_before=due, set_at=set_at, set_by="so-tttt")
        for due, set_at in (
            (BEFORE_10_MAY, BEFORE_10_MAY - timedelta(days=3)),
            (BEFORE_10_MAY + timedelta(days=8), BEFORE_10_MAY - timedelta(days=1)),
        )
    )
    entries = (first, second)
    assert deadline_at(entries, first.set_at - timedelta(seconds=1)) is None
    assert deadline_at(entries, first.set_at) == first
    assert deadline_at(entries, second.set_at) == second


def test_a_day_of_the_province_lasts_from_its_midnight_to_the_next() -> None:
    day = date(2021, 5, 9)
    assert end_of(day) == BEFORE_10_MAY == start_of(date(2021, 5, 10))
    assert day_of(BEFORE_10_MAY - timedelta(microseconds=1)) == day
