"""Obligations: whom they are about, and when they are done, done late or waived."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.days import VIETNAM
from inventory.domain.mandate.obligation import MACHINE, ObligationFields, guards_met
from vonggac.events.inventory import FacilityStatus, FacilityType
from vonggac.events.inventory import ObligationStatus as Status
from vonggac.mandate.duty_time import covers
from vonggac.mandate.facility_history import Place

DUE = datetime(2021, 5, 10, tzinfo=VIETNAM)
BODY = {
    "code": "NV-1742-A",
    "name": "Khảo sát, thống nhất phương án",
    "kind": "survey_and_plan",
    "directive_id": str(uuid4()),
    "responsible_agency_id": str(uuid4()),
    "due_before": "2021-05-10",
}
AGENCY, UNIT, PROVINCE = uuid4(), uuid4(), uuid4()
SCHOOL = Place(
    uuid4(), FacilityType.SCHOOL, FacilityStatus.ACTIVE, AGENCY, frozenset({UNIT, PROVINCE}), has_cameras=True
)


def fields(**given: Any) -> ObligationFields:
    return ObligationFields.model_validate(BODY | given)


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({}, True),
        ({"facility_types": ["school", "hotel"]}, True),
        ({"facility_types": ["hotel"]}, False),
        ({"managing_agency_id": AGENCY}, True),
        ({"managing_agency_id": uuid4()}, False),
        ({"unit_id": UNIT}, True),
        ({"unit_id": PROVINCE}, True),
        ({"unit_id": uuid4()}, False),
        ({"with_cameras": True}, True),
        ({"with_cameras": False}, False),
        ({"facility_types": ["school"], "with_cameras": False}, False),
        ({"facility_ids": [SCHOOL.id]}, True),
        ({"facility_ids": [uuid4()]}, False),
    ],
)
def test_an_obligation_is_about_the_facilities_that_fit_all_it_says(given: dict[str, Any], covered: bool) -> None:
    assert covers(fields(**given), SCHOOL) is covered


@pytest.mark.parametrize("status", [FacilityStatus.PLANNED, FacilityStatus.SUSPENDED, FacilityStatus.CLOSED])
def test_a_facility_that_is_not_in_use_has_no_obligations(status: FacilityStatus) -> None:
    assert not covers(fields(), SCHOOL._replace(status=status))
    assert not covers(fields(facility_ids=[SCHOOL.id]), SCHOOL._replace(status=status))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"facility_ids": [str(SCHOOL.id)], "with_cameras": False}, "either list"),
        ({"facility_ids": [str(SCHOOL.id)], "facility_types": ["school"]}, "either list"),
        ({"facility_ids": [str(SCHOOL.id)] * 2}, "twice"),
        ({"kind": "pray"}, "kind"),
        ({"every_days": 0}, "every_days"),
        ({"due_before": "2021-05-10T00:00:00"}, "due_before"),
        ({"code": "NV 1"}, "code"),
    ],
)
def test_an_obligation_that_cannot_be_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        fields(**given)


def test_completed_a_moment_before_the_deadline_is_done_and_at_it_is_done_late() -> None:
    for completed_at, right, wrong in (
        (DUE - timedelta(microseconds=1), Status.DONE, Status.DONE_LATE),
        (DUE, Status.DONE_LATE, Status.DONE),
    ):
        met = guards_met(completed_at, DUE, None)
        assert MACHINE.check(Status.OPEN, right, met) is None
        assert MACHINE.check(Status.OPEN, wrong, met) is not None


def test_without_an_instant_of_completion_it_is_not_done() -> None:
    refusal = MACHINE.check(Status.OPEN, Status.DONE, guards_met(None, DUE, "xong"))
    assert refusal is not None
    assert "completed before its deadline" in refusal.detail


def test_waiving_and_opening_again_need_a_reason() -> None:
    for current, target in ((Status.OPEN, Status.WAIVED), (Status.DONE, Status.OPEN), (Status.WAIVED, Status.OPEN)):
        assert MACHINE.check(current, target, guards_met(None, DUE, None)) is not None
        assert MACHINE.check(current, target, guards_met(None, DUE, "UBND tỉnh cho phép")) is None


def test_exactly_these_transitions_are_made() -> None:
    every = (*MACHINE.guards, "reason")
    assert {pair for pair in product(Status, Status) if MACHINE.check(*pair, every) is None} == {
        (Status.OPEN, Status.DONE),
        (Status.OPEN, Status.DONE_LATE),
        (Status.OPEN, Status.WAIVED),
        (Status.DONE, Status.OPEN),
        (Status.DONE_LATE, Status.OPEN),
        (Status.DONE_LATE, Status.WAIVED),
        (Status.WAIVED, Status.OPEN),
    }
