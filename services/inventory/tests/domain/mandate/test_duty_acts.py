"""Which act a write is: by what it changes."""

from types import SimpleNamespace
from typing import Any

import pytest

from inventory.domain.mandate.acts import find_acts
from inventory.domain.mandate.decision_request import NEEDS
from inventory.domain.mandate.planning.plan import ACCEPTANCE
from inventory.domain.paper import PAPER
from vonggac.auth.policy.duties import MATRIX, Part
from vonggac.events.inventory import Act, FacilityStatus, PlanStatus, ProposalStatus, SurveyStatus

NOTHING: frozenset[Act] = frozenset()
OBLIGATION: dict[str, Any] = dict.fromkeys(
    (
        "status", "completed_at", "settled_by", "settled_reason", "deadlines", "due_before", "valid_from", "valid_to",
        "code", "name", "kind", "directive_id", "responsible_agency_id", "facility_types", "managing_agency_id",
        "unit_id", "with_cameras", "facility_ids", "every_days", "due_after_days", "note",
    )
)  # fmt: skip
FACILITY: dict[str, Any] = {
    "status": FacilityStatus.ACTIVE, "valid_from": None, "valid_to": None, "decision_date": None,
    "type": "school", "unit_id": 1, "managing_agency_id": 2,
}  # fmt: skip
CAMERA: dict[str, Any] = {"enabled": True, "valid_from": None, "valid_to": None}
CENTRE: dict[str, Any] = CAMERA | {
    "code": "D1",
    "role": "national",
    "required_proof": "verified",
    "read_back_url_template": "rtsp://a",
}
PROPOSAL: dict[str, Any] = {
    "status": ProposalStatus.DRAFT,
    "decision_number": None,
    "decision_date": None,
    "funding_source": None,
    **dict.fromkeys(PAPER | ACCEPTANCE),
}


def thing(of: dict[str, Any], **changed: Any) -> SimpleNamespace:
    return SimpleNamespace(**of | changed)


@pytest.mark.parametrize("noun", ["directive", "plan_exception", "operator_assignment", "coverage", "inspection"])
def test_every_write_of_some_nouns_is_a_decision(noun: str) -> None:
    for before, after in ((None, object()), (object(), object()), (object(), None)):
        assert len(find_acts(noun, before, after)) == 1


def test_an_obligation_is_entered_settled_and_given_deadlines_by_different_acts() -> None:
    old = thing(OBLIGATION)
    assert find_acts("obligation", None, old) == {Act.OBLIGATION} == find_acts("obligation", old, None)
    for changed, act in (
        ("status", Act.SETTLEMENT), ("completed_at", Act.SETTLEMENT), ("due_before", Act.DEADLINE),
        ("deadlines", Act.DEADLINE), ("valid_to", Act.OBLIGATION), ("responsible_agency_id", Act.OBLIGATION),
        ("facility_ids", Act.OBLIGATION), ("with_cameras", Act.OBLIGATION), ("every_days", Act.OBLIGATION),
        ("due_after_days", Act.OBLIGATION),
    ):  # fmt: skip
        assert find_acts("obligation", old, thing(OBLIGATION, **{changed: 1})) == {act}, changed
    assert find_acts("obligation", old, thing(OBLIGATION)) == NOTHING


@pytest.mark.parametrize("changed", [{"type": "hotel"}, {"unit_id": 3}, {"managing_agency_id": 3}])
def test_a_facility_leaves_the_reach_of_an_obligation_by_a_decision(changed: dict[str, Any]) -> None:
    active, planned = thing(FACILITY), thing(FACILITY, status=FacilityStatus.PLANNED)
    assert find_acts("facility", active, thing(FACILITY, **changed)) == {Act.PLACEMENT}
    assert find_acts("facility", planned, thing(FACILITY, status=FacilityStatus.PLANNED, **changed)) == NOTHING


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "D2"},
        {"role": "provincial"},
        {"required_proof": "acknowledged"},
        {"read_back_url_template": "rtsp://b"},
    ],
)
def test_what_proves_a_connection_is_changed_by_a_decision(changed: dict[str, Any]) -> None:
    assert find_acts("destination", thing(CENTRE), thing(CENTRE, **changed)) == {Act.PROOF}
    assert find_acts("destination", None, thing(CENTRE)) == NOTHING
    assert find_acts("destination", thing(CENTRE), thing(CENTRE, enabled=False)) == {Act.SWITCHING_OFF}


def test_a_facility_goes_out_of_duty_and_comes_back_by_a_decision() -> None:
    active = thing(FACILITY)
    for changed in ({"status": FacilityStatus.CLOSED}, {"status": FacilityStatus.SUSPENDED}, {"valid_to": 1}):
        away = thing(FACILITY, **changed)
        assert find_acts("facility", active, away) == {Act.CLOSING} == find_acts("facility", away, active)
    assert find_acts("facility", active, None) == {Act.CLOSING}
    assert find_acts("facility", None, active) == NOTHING
    approved = thing(FACILITY, status=FacilityStatus.APPROVED)
    assert find_acts("facility", approved, active) == NOTHING


@pytest.mark.parametrize(
    ("noun", "counted_at"), [("camera", "facility_id"), ("delivery", "camera_id"), ("delivery", "destination_id")]
)
def test_what_is_counted_goes_elsewhere_by_a_decision(noun: str, counted_at: str) -> None:
    here, there = (thing(CAMERA, **{counted_at: at}) for at in (1, 2))
    assert find_acts(noun, here, there) == {Act.SWITCHING_OFF}
    assert find_acts(noun, None, here) == NOTHING
    off, moved = (thing(CAMERA, enabled=False, **{counted_at: at}) for at in (1, 2))
    assert find_acts(noun, off, moved) == NOTHING


@pytest.mark.parametrize("noun", ["camera", "delivery", "destination"])
def test_what_is_counted_is_switched_off_by_a_decision(noun: str) -> None:
    on, off = thing(CENTRE), thing(CENTRE, enabled=False)
    assert find_acts(noun, on, off) == {Act.SWITCHING_OFF} == find_acts(noun, on, None)
    assert find_acts(noun, on, thing(CENTRE, valid_to=1)) == {Act.SWITCHING_OFF}
    assert find_acts(noun, off, on) == NOTHING == find_acts(noun, None, off)


@pytest.mark.parametrize(
    ("noun", "before", "after", "acts"),
    [
        ("survey", SurveyStatus.SUBMITTED, SurveyStatus.APPROVED, {Act.APPROVAL}),
        ("survey", SurveyStatus.SUBMITTED, SurveyStatus.RETURNED, {Act.APPROVAL}),
        ("survey", SurveyStatus.RETURNED, SurveyStatus.SUBMITTED, set()),
        ("connection_plan", PlanStatus.PROPOSED, PlanStatus.AGREED, {Act.APPROVAL}),
        ("connection_plan", PlanStatus.PROPOSED, PlanStatus.REJECTED, {Act.APPROVAL}),
        ("connection_plan", PlanStatus.DRAFT, PlanStatus.REJECTED, set()),
        ("connection_plan", PlanStatus.PROPOSED, PlanStatus.DRAFT, set()),
        ("installation_proposal", ProposalStatus.SUBMITTED, ProposalStatus.APPROVED, {Act.APPROVAL}),
        ("installation_proposal", ProposalStatus.APPROVED, ProposalStatus.FUNDED, {Act.APPROVAL}),
        ("installation_proposal", ProposalStatus.FUNDED, ProposalStatus.INSTALLED, set()),
    ],
)
def test_who_judges_is_asked_for_what_is_judged(noun: str, before: Any, after: Any, acts: set[Act]) -> None:
    assert find_acts(noun, thing(PROPOSAL, status=before), thing(PROPOSAL, status=after)) == acts
    assert find_acts(noun, None, thing(PROPOSAL, status=after)) == acts - {Act.APPROVAL} | (
        {Act.APPROVAL} if acts and after is not PlanStatus.REJECTED else set()
    )


def test_the_decision_on_a_proposal_is_entered_by_who_decides() -> None:
    draft = thing(PROPOSAL)
    for name in ("decision_number", "decision_date", "funding_source"):
        decided = thing(PROPOSAL, **{name: 1})
        assert find_acts("installation_proposal", draft, decided) == {Act.APPROVAL}
        assert find_acts("installation_proposal", None, decided) == {Act.APPROVAL}
        assert find_acts("installation_proposal", decided, decided) == NOTHING


@pytest.mark.parametrize("noun", ["survey", "connection_plan", "installation_proposal"])
def test_paper_day_of_a_taken_step_is_changed_by_who_decides(noun: str) -> None:
    taken = ProposalStatus.SUBMITTED if noun != "connection_plan" else PlanStatus.AGREED
    for status, acts in ((taken, {Act.APPROVAL}), (ProposalStatus.DRAFT, set())):
        before = thing(PROPOSAL, status=status)
        assert find_acts(noun, before, thing(PROPOSAL, status=status, signed_on=1)) == acts
    assert find_acts("facility", thing(FACILITY, decision_date=1), thing(FACILITY, decision_date=2)) == {Act.CLOSING}


def test_paper_day_of_a_connection_is_entered_by_who_decides() -> None:
    plan = thing(PROPOSAL, status=PlanStatus.AGREED)
    assert find_acts("connection_plan", plan, thing(PROPOSAL, status=PlanStatus.AGREED, connected_on=1)) == {
        Act.APPROVAL
    }


def test_what_is_asked_for_is_what_the_table_lets_somebody_ask() -> None:
    assert set(NEEDS) == {act for act in Act if Part.ASKS in MATRIX[act].values()}
