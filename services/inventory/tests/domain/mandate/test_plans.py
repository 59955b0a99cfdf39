"""Rules of connection plans, of what a delivery runs under, and of installation proposals."""

from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.mandate.planning import plan as plans
from inventory.domain.mandate.planning import proposal as proposals
from inventory.domain.mandate.planning.basis import FacilityPlan
from inventory.domain.mandate.planning.difference import Changed, difference
from inventory.domain.mandate.planning.plan import Connection, Consent, ConsentKind, PlanFields, why_closed
from inventory.domain.mandate.planning.proposal import ProposalFields
from inventory.domain.places.areas import PRIVATE
from vonggac.events.inventory import AgencyRole, PlanBasis, PlanStatus, ProposalStatus

LEAD, OPERATOR, MANAGING, OTHER = uuid4(), uuid4(), uuid4(), uuid4()
ROLES = {LEAD: AgencyRole.LEAD, OPERATOR: AgencyRole.OPERATOR, MANAGING: AgencyRole.MANAGING}


def connection(**given: Any) -> dict[str, Any]:
    return {
        "camera_code": "QT-01-C01",
        "address": "rtsp://10.20.1.5:554/Streaming/Channels/101",
        "bandwidth_kbps": 2048,
        "destination_codes": ["BTTTT", "IOC"],
    } | given


def plan(**given: Any) -> PlanFields:
    body = {
        "facility_id": UUID(int=1),
        "connections": [connection()],
        "connect_by": "2021-05-09",
        "responsible_lead": "Nguyễn Văn Mẫu",
        "responsible_operator": "Lê Kỹ Thuật",
    }
    return PlanFields.model_validate(body | given)


def consent(agency: UUID, kind: ConsentKind = ConsentKind.AGREED) -> Consent:
    return Consent(agency_id=agency, kind=kind, given_by="Phó Giám đốc", given_on=date(2021, 5, 8))


def met(*consents: Consent, surveyed: bool = True, fields: PlanFields | None = None) -> frozenset[str]:
    return plans.met_guards(fields or plan(), consents, roles=ROLES, managing_agency_id=MANAGING, surveyed=surveyed)


ALL = (consent(LEAD), consent(OPERATOR), consent(MANAGING, ConsentKind.CONSULTED))


def test_a_plan_is_agreed_by_lead_and_operator_after_the_managing_agency_was_consulted() -> None:
    assert plans.MACHINE.check(PlanStatus.PROPOSED, PlanStatus.AGREED, met(*ALL)) is None


@pytest.mark.parametrize(
    ("consents", "surveyed", "lacks"),
    [
        (ALL[1:], True, "lead_agrees"),
        ((ALL[0], ALL[2]), True, "operator_agrees"),
        (ALL[:2], True, "managing_agency_consulted"),
        ((*ALL[:2], consent(OTHER, ConsentKind.CONSULTED)), True, "managing_agency_consulted"),
        ((consent(LEAD, ConsentKind.CONSULTED), *ALL[1:]), True, "lead_agrees"),
        (ALL, False, "surveyed"),
    ],
)
def test_each_of_them_is_needed(consents: tuple[Consent, ...], surveyed: bool, lacks: str) -> None:
    refusal = plans.MACHINE.check(PlanStatus.PROPOSED, PlanStatus.AGREED, met(*consents, surveyed=surveyed))
    assert refusal is not None
    assert refusal.missing == (lacks,)


def test_nothing_leaves_an_agreed_version_but_a_newer_one() -> None:
    assert plans.MACHINE.allowed(PlanStatus.AGREED) == (PlanStatus.SUPERSEDED,)
    assert plans.MACHINE.check(PlanStatus.AGREED, PlanStatus.SUPERSEDED, met(*ALL)) is not None
    assert "new version" in why_closed(PlanStatus.AGREED)


@pytest.mark.parametrize("left_out", ["connections", "connect_by", "responsible_lead", "responsible_operator"])
def test_what_is_proposed_says_what_who_and_until_when(left_out: str) -> None:
    empty = plan(**{left_out: () if left_out == "connections" else None})
    assert "has_connections" not in met(fields=empty)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"address": "rtsp://admin:MatKhau@10.20.1.5/ch1"}, "holds a login"),
        ({"address": "admin:MatKhau@10.20.1.5"}, "holds a login"),
        ({"address": "rtsp://10.20.1.5/user=admin&password=x"}, "holds a login"),
        ({"address": "10.20.1.5 cổng 554"}, "without spaces"),
        ({"bandwidth_kbps": 0}, "greater than or equal"),
        ({"destination_codes": []}, "at least 1"),
        ({"destination_codes": ["IOC", "IOC"]}, "is there twice"),
        ({"source": "nvr_channel"}, "give the channel"),
        ({"stream": "third"}, "main"),
        ({"transport": "carrier pigeon"}, "tcp"),
        ({"password": "x"}, "not permitted"),
    ],
)
def test_a_connection_that_does_not_fit_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as refused:
        Connection.model_validate(connection(**given))
    assert "MatKhau" not in str(refused.value.errors(include_input=False))


def test_a_camera_is_in_a_plan_once() -> None:
    with pytest.raises(ValidationError, match="is there twice"):
        plan(connections=[connection(), connection()])


def test_a_difference_names_cameras_and_fields() -> None:
    before = plan(connections=[connection(), connection(camera_code="QT-01-C02")])
    after = plan(
        connections=[connection(bandwidth_kbps=4096), connection(camera_code="QT-01-C03")], connect_by="2021-05-15"
    )
    found = difference(before, after)
    assert (found.added, found.removed) == (("QT-01-C03",), ("QT-01-C02",))
    assert found.changed == (
        Changed(None, "connect_by", "2021-05-09", "2021-05-15"),
        Changed("QT-01-C01", "bandwidth_kbps", 2048, 4096),
    )
    assert difference(before, before).changed == ()


def test_a_delivery_runs_under_the_plan_that_names_it_or_an_exception_or_not_at_all() -> None:
    planned = {"QT-01-C01": frozenset({"IOC"})}
    assert FacilityPlan(planned).basis("QT-01-C01", "IOC") is PlanBasis.AGREED
    assert FacilityPlan(planned).basis("QT-01-C01", "BTTTT") is PlanBasis.NONE
    assert FacilityPlan(planned).basis("QT-01-C02", "IOC") is PlanBasis.NONE
    assert FacilityPlan(planned, "Thử nghiệm").basis("QT-01-C02", "IOC") is PlanBasis.EXCEPTED
    assert FacilityPlan(planned, "Thử nghiệm").basis("QT-01-C01", "IOC") is PlanBasis.AGREED


def proposal(**given: Any) -> ProposalFields:
    body = {
        "code": "DX-01",
        "facility_id": uuid4(),
        "areas": [{"area": "gate", "cameras": 2}, {"area": "yard", "cameras": 1, "type": "ptz"}],
        "line": "Viettel, 40 Mbps",
        "power": "Điện lưới, UPS 30 phút",
        "estimated_cost_vnd": 45_000_000,
        "lead_time_days": 5,
        "proposed_connection": "NVR qua VPN",
    }
    return ProposalFields.model_validate(body | given)


def holds(fields: ProposalFields, **given: Any) -> frozenset[str]:
    known = {"surveyed": True, "by_lead": True, "active": True, "forwarded_as_planned": 3}
    return proposals.met_guards(fields, **(known | given))


WAY = (
    ProposalStatus.DRAFT,
    ProposalStatus.SUBMITTED,
    ProposalStatus.APPROVED,
    ProposalStatus.FUNDED,
    ProposalStatus.INSTALLED,
    ProposalStatus.CONNECTED,
)


def test_the_way_of_a_proposal_needs_each_step() -> None:
    done = proposal(
        decision_number="1800/QĐ-UBND",
        decision_date="2021-05-12",
        funding_source="Ngân sách",
        installed_on="2021-05-16",
    )
    for current, target in pairwise(WAY):
        assert proposals.MACHINE.check(current, target, holds(done)) is None
    for target, lacking in (
        (ProposalStatus.APPROVED, "decision_recorded"),
        (ProposalStatus.FUNDED, "funding_recorded"),
        (ProposalStatus.INSTALLED, "installation_recorded"),
    ):
        refusal = proposals.MACHINE.check(WAY[WAY.index(target) - 1], target, holds(proposal()))
        assert refusal is not None
        assert refusal.missing == (lacking,)


@pytest.mark.parametrize("left_out", ["line", "power", "estimated_cost_vnd", "lead_time_days", "proposed_connection"])
def test_what_is_submitted_is_complete(left_out: str) -> None:
    assert "complete" in holds(proposal())
    assert "complete" not in holds(proposal(**{left_out: None}))
    assert "complete" not in holds(proposal(areas=()))


@pytest.mark.parametrize("given", [{"active": False}, {"forwarded_as_planned": 2}])
def test_a_proposal_is_connected_when_its_cameras_run_as_planned(given: dict[str, Any]) -> None:
    assert "cameras_connected" in holds(proposal())
    assert "cameras_connected" not in holds(proposal(), **given)


@pytest.mark.parametrize("private", sorted(PRIVATE))
def test_nobody_proposes_a_camera_in_a_room(private: str) -> None:
    with pytest.raises(ValidationError, match="4403/CV-BCĐ"):
        proposal(areas=[{"area": private, "cameras": 1}])


@pytest.mark.parametrize(
    "given",
    [
        {"estimated_cost_vnd": 0},
        {"estimated_cost_vnd": 10**12 + 1},
        {"estimated_cost_vnd": 1.5},
        {"lead_time_days": 0},
        {"areas": [{"area": "gate", "cameras": 0}]},
        {"decision_number": "1800/QĐ-UBND"},
    ],
)
def test_a_proposal_that_does_not_fit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        proposal(**given)
