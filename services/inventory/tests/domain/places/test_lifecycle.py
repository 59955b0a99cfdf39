"""The lifecycle of a facility (R23, R17)."""

from datetime import date
from itertools import pairwise

import pytest

from inventory.domain.places.lifecycle import DECISION, FACILITY, FOCAL_POINT, met_guards
from inventory.domain.states import REASON
from vonggac.events.inventory import FacilityStatus as Status


def test_a_facility_is_planned_approved_active_suspended_closed() -> None:
    path = (Status.PLANNED, Status.APPROVED, Status.ACTIVE, Status.SUSPENDED, Status.CLOSED)
    for current, target in pairwise(path):
        assert FACILITY.check(current, target, (DECISION, FOCAL_POINT, REASON)) is None


@pytest.mark.parametrize("current", [Status.APPROVED, Status.SUSPENDED, Status.CLOSED])
def test_nothing_becomes_active_without_a_focal_point(current: Status) -> None:
    refusal = FACILITY.check(current, Status.ACTIVE, (DECISION, REASON))
    assert refusal is not None
    assert "focal point is in office" in refusal.detail


@pytest.mark.parametrize(
    ("current", "target"),
    [(Status.ACTIVE, Status.SUSPENDED), (Status.ACTIVE, Status.CLOSED), (Status.CLOSED, Status.ACTIVE)],
)
def test_stopping_and_reopening_need_a_reason(current: Status, target: Status) -> None:
    refusal = FACILITY.check(current, target, (DECISION, FOCAL_POINT))
    assert refusal is not None
    assert refusal.missing == (REASON,)


def test_a_planned_facility_does_not_open_without_its_decision() -> None:
    refusal = FACILITY.check(Status.PLANNED, Status.ACTIVE, (DECISION, FOCAL_POINT, REASON))
    assert refusal is not None
    assert refusal.detail == "a facility that is planned cannot become active; allowed: approved, closed"


def test_guards_hold_for_what_is_on_record() -> None:
    day = date(2021, 5, 7)
    assert set(met_guards(decision_number="805/QĐ-UBND", decision_date=day, in_office=1, reason="mở lại")) == {
        DECISION,
        FOCAL_POINT,
        REASON,
    }
    assert set(met_guards(decision_number="805/QĐ-UBND", decision_date=None, in_office=0, reason=None)) == set()
