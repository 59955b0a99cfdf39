"""How an obligation stands: by its deadline, strictly, and by the facts."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.instants import millis
from reporting.domain.mandate.obligations import (
    NOTHING,
    PENDING,
    Deadline,
    DueState,
    Evidence,
    Finding,
    Obligation,
    decide,
    last_of,
)
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.mandate.duty_time import covers
from vonggac.mandate.facility_history import DAY, Place, start_of_day

HANOI = timezone(timedelta(hours=7))
DUE = millis(datetime(2021, 5, 10, tzinfo=HANOI))
SET_AT = millis(datetime(2021, 5, 7, 9, tzinfo=HANOI))
MAY = st.integers(min_value=DUE - 30 * DAY, max_value=DUE + 30 * DAY)


def deadline(due_before: int | None = DUE, set_at: int = SET_AT) -> Deadline:
    return Deadline(due_before, set_at, "lead", None, None)


def obligation(kind: str = "connection", **given: Any) -> Obligation:
    known: dict[str, Any] = {
        "id": uuid4(),
        "code": "NV-1742-B",
        "name": "Kết nối",
        "kind": ObligationKind(kind),
        "directive_id": uuid4(),
        "responsible_agency_id": uuid4(),
        "status": ObligationStatus.OPEN,
        "deadlines": (deadline(),),
    }
    return Obligation(**(known | given))


def met(at: int | None) -> Finding:
    return Finding(at, ())


def test_before_10_5_2021_is_strictly_before_its_first_instant() -> None:
    """The letter: "trước ngày 10/5/2021"."""
    last = millis(datetime(2021, 5, 9, 23, 59, 59, 999_000, tzinfo=HANOI))
    assert decide(obligation(), met(last), DUE + DAY).state is DueState.DONE
    assert decide(obligation(), met(DUE), DUE + DAY).state is DueState.DONE_LATE
    assert last == DUE - 1
    assert millis(datetime(2021, 5, 9, 17, tzinfo=UTC)) == DUE


def test_the_clock_alone_makes_what_is_open_due_soon_and_overdue() -> None:
    soon = DUE - 3 * DAY
    states = [decide(obligation(), NOTHING, at).state for at in (soon - 1, soon, DUE - 1, DUE)]
    assert states == [DueState.OPEN, DueState.DUE_SOON, DueState.DUE_SOON, DueState.OVERDUE]


@given(done_at=st.none() | MAY, now=MAY, due=st.none() | MAY, soon=st.integers(0, 10 * DAY))
def test_what_comes_after_the_instant_does_not_count(done_at: int | None, now: int, due: int | None, soon: int) -> None:
    known = obligation(deadlines=(deadline(due),))
    found = decide(known, met(done_at), now, soon=soon)
    if done_at is None or done_at > now:
        assert found == decide(known, NOTHING, now, soon=soon)
        assert found.state in PENDING
        assert found.done_at is None
    else:
        assert found.state is (DueState.DONE if due is None or done_at < due else DueState.DONE_LATE)
    assert (found.state is DueState.OVERDUE) == (found.state in PENDING and due is not None and now >= due)


def test_without_a_deadline_nothing_is_ever_late() -> None:
    none = obligation(deadlines=(deadline(None),))
    assert decide(none, NOTHING, DUE + 400 * DAY).state is DueState.OPEN
    assert decide(none, met(DUE + 300 * DAY), DUE + 400 * DAY).state is DueState.DONE


def test_a_moved_deadline_holds_from_when_it_was_set() -> None:
    moved_at, later = DUE + DAY, DUE + 5 * DAY
    moved = obligation(deadlines=(deadline(), deadline(later, moved_at)))
    assert decide(moved, NOTHING, moved_at - 1) == (DueState.OVERDUE, DUE, None, None, None)
    assert decide(moved, NOTHING, moved_at) == (DueState.OPEN, later, None, None, None)
    assert decide(moved, met(DUE + 2 * DAY), DUE + 3 * DAY).state is DueState.DONE


def test_a_deadline_of_a_letter_that_was_entered_late_holds_before_it_was_entered() -> None:
    assert obligation(deadlines=(deadline(DUE, DUE + 900 * DAY),)).deadline_at(DUE) == DUE


def test_a_waived_obligation_says_who_and_why() -> None:
    waived = obligation(status=ObligationStatus.WAIVED, settled_by="lead", settled_reason="cơ sở giải thể")
    assert decide(waived, NOTHING, DUE + DAY) == (DueState.WAIVED, DUE, None, "lead", "cơ sở giải thể")


def test_a_waiver_that_came_later_excuses_nothing_before_it() -> None:
    waived = obligation(status=ObligationStatus.WAIVED, changed_at=DUE + 2 * DAY)
    assert decide(waived, NOTHING, DUE + DAY).state is DueState.OVERDUE
    assert decide(waived, NOTHING, DUE + 2 * DAY).state is DueState.WAIVED


@pytest.mark.parametrize("kind", ["survey_and_plan", "connection", "proposal", "coverage", "focal_point"])
def test_no_signature_makes_done_what_can_be_observed_and_is_not(kind: str) -> None:
    said = obligation(kind, status=ObligationStatus.DONE, completed_at=DUE - DAY)
    assert decide(said, NOTHING, DUE + DAY).state is DueState.OVERDUE


def test_of_a_report_the_register_has_the_word() -> None:
    said = obligation("report", status=ObligationStatus.DONE, completed_at=DUE - DAY, settled_by="lead")
    assert decide(said, NOTHING, DUE + DAY) == (DueState.DONE, DUE, DUE - DAY, "lead", None)
    late = obligation("report", status=ObligationStatus.DONE, completed_at=DUE)
    assert decide(late, NOTHING, DUE + DAY).state is DueState.DONE_LATE


def test_an_inspection_is_due_again_until_the_end_of_the_fifteenth_day() -> None:
    every = obligation("inspection", every_days=15, deadlines=(deadline(None),))
    last = millis(datetime(2021, 5, 1, 14, tzinfo=HANOI))
    due = millis(datetime(2021, 5, 17, tzinfo=HANOI))
    assert decide(every, met(last), due - 1).state is DueState.DUE_SOON
    assert decide(every, met(last), due) == (DueState.OVERDUE, due, None, None, None)


@given(st.lists(st.none() | MAY, min_size=1, max_size=5))
def test_a_finding_is_met_when_the_last_of_what_is_needed_came(instants: list[int | None]) -> None:
    found = last_of([Evidence("survey", None, None, at) for at in instants])
    assert found.met_at == (None if None in instants else max(at for at in instants if at is not None))


@given(MAY)
def test_a_day_begins_at_midnight_in_the_province(at: int) -> None:
    start = start_of_day(at)
    assert start <= at < start + DAY
    shown = datetime.fromtimestamp(start / 1000, tz=HANOI)
    assert (shown.hour, shown.minute, shown.second) == (0, 0, 0)


def place(**given: Any) -> Place:
    known: dict[str, Any] = {
        "id": uuid4(),
        "type": "school",
        "status": "active",
        "managing_agency_id": UUID(int=1),
        "unit_ids": frozenset({UUID(int=2), UUID(int=3)}),
        "has_cameras": True,
    }
    return Place(**(known | given))


@pytest.mark.parametrize(
    ("asked", "found", "about"),
    [
        ({}, {}, True),
        ({}, {"status": "approved"}, True),
        ({}, {"status": "planned"}, False),
        ({}, {"status": "closed"}, False),
        ({}, {"status": "suspended"}, False),
        ({"with_cameras": True}, {"has_cameras": False}, False),
        ({"with_cameras": False}, {"has_cameras": False}, True),
        ({"unit_id": UUID(int=3)}, {}, True),
        ({"unit_id": UUID(int=9)}, {}, False),
        ({"managing_agency_id": UUID(int=9)}, {}, False),
        ({"facility_types": frozenset({"hotel"})}, {}, False),
        ({"facility_ids": frozenset({UUID(int=7)})}, {"id": UUID(int=7)}, True),
        ({"facility_ids": frozenset({UUID(int=7)})}, {"id": UUID(int=7), "status": "closed"}, False),
    ],
)
def test_which_facilities_an_obligation_is_about(asked: dict[str, Any], found: dict[str, Any], *, about: bool) -> None:
    assert covers(obligation(**asked), place(**found)) is about
