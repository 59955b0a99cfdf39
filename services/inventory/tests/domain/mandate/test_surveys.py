"""Rules of surveys: states, the form of the field, what a submission may declare."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.mandate.surveying.form import SurveyForm, form_schema
from inventory.domain.mandate.surveying.submission import Submission
from inventory.domain.mandate.surveying.survey import MACHINE, Participant, SurveyFields, met_guards
from inventory.domain.places.areas import PRIVATE, REQUIRED_AREAS
from vonggac.events.inventory import AgencyRole, SurveyStatus

LEAD, OPERATOR, HEALTH = uuid4(), uuid4(), uuid4()
ROLES = {LEAD: AgencyRole.LEAD, OPERATOR: AgencyRole.OPERATOR, HEALTH: AgencyRole.MANAGING}
DAY = date(2021, 5, 8)


def areas(**given: Any) -> list[dict[str, Any]]:
    return [{"area": area, "coverage": "not_covered"} | given for area in REQUIRED_AREAS]


def whole_form(**given: Any) -> dict[str, Any]:
    return {
        "site": {"rooms": 24},
        "areas": areas(),
        "system": {"kind": "ip", "cameras": [{"code": "QT-01-C01"}]},
        "infrastructure": {"up_mbps": 20},
        "notice_board": True,
        "access": {"entry_rule": "Không vào khu phòng cách ly"},
    } | given


def survey(**given: Any) -> SurveyFields:
    return SurveyFields.model_validate({"code": "KS-01", "facility_id": uuid4()} | given)


def met(fields: SurveyFields, *, missing: tuple[str, ...] = (), by_lead: bool = False) -> frozenset[str]:
    return met_guards(fields, roles=ROLES, missing=missing, by_lead=by_lead, today=DAY)


def participant(agency: UUID | None, present_on: date | None = DAY) -> Participant:
    return Participant(full_name="Nguyễn Văn Mẫu", agency_id=agency, present_on=present_on)


BRIEFED = {"briefed_by": "Trần Thị An", "briefed_at": "2021-05-08T08:00:00+07:00"}
ACKNOWLEDGED = {
    "rules_version": "878/QĐ-BYT ngày 12/3/2020",
    "acknowledged_by": "Lê Kỹ Thuật",
    "acknowledged_at": "2021-05-08T08:05:00+07:00",
}


@pytest.mark.parametrize("current", list(SurveyStatus))
@pytest.mark.parametrize("target", list(SurveyStatus))
def test_only_the_transitions_of_the_table_are_made(current: SurveyStatus, target: SurveyStatus) -> None:
    refusal = MACHINE.check(current, target, met=set(MACHINE.guards) | {"reason"})
    assert (refusal is None) is (target in MACHINE.transitions[current])


@pytest.mark.parametrize("given", [{}, BRIEFED, ACKNOWLEDGED])
def test_nobody_goes_in_before_the_briefing_and_the_acknowledgement(given: dict[str, Any]) -> None:
    refusal = MACHINE.check(SurveyStatus.SCHEDULED, SurveyStatus.IN_PROGRESS, met(survey(**given)))
    assert refusal is not None
    assert "R16" in refusal.detail


def test_a_briefed_team_that_acknowledged_the_rules_goes_in() -> None:
    fields = survey(**BRIEFED, **ACKNOWLEDGED)
    assert MACHINE.check(SurveyStatus.SCHEDULED, SurveyStatus.IN_PROGRESS, met(fields)) is None


def test_an_operator_does_not_approve() -> None:
    refusal = MACHINE.check(SurveyStatus.SUBMITTED, SurveyStatus.APPROVED, met(survey()))
    assert refusal is not None
    assert refusal.missing == ("by_the_lead",)


@pytest.mark.parametrize(
    "people",
    [
        (),
        (participant(LEAD), participant(OPERATOR)),
        (participant(LEAD), participant(OPERATOR), participant(HEALTH, None)),
        (participant(LEAD), participant(OPERATOR), participant(HEALTH, DAY + timedelta(days=1))),
        (participant(None), participant(None), participant(None)),
    ],
)
def test_a_participant_of_each_party_is_named_with_a_day(people: tuple[Participant, ...]) -> None:
    assert "participants_named" not in met(survey(participants=people))


def test_the_three_parties_are_enough() -> None:
    people = (participant(LEAD), participant(OPERATOR), participant(HEALTH))
    assert "participants_named" in met(survey(participants=people))


def test_a_whole_form_lacks_nothing_and_each_missing_part_is_named() -> None:
    assert SurveyForm.model_validate(whole_form()).missing_parts() == ()
    assert SurveyForm().missing_parts()[:2] == ("site", "system")
    assert SurveyForm.model_validate(whole_form(areas=areas()[1:])).missing_parts() == (f"areas.{REQUIRED_AREAS[0]}",)


@pytest.mark.parametrize("private", sorted(PRIVATE))
def test_rooms_toilets_and_bathrooms_are_refused_by_the_rule_that_says_so(private: str) -> None:
    with pytest.raises(ValidationError, match="4403/CV-BCĐ"):
        SurveyForm.model_validate({"areas": [{"area": private, "coverage": "covered"}]})


def test_the_schema_offers_no_private_area_and_speaks_vietnamese() -> None:
    schema = form_schema()
    assert not PRIVATE & set(schema["$defs"]["Area"]["enum"])
    assert schema["properties"]["areas"]["title"] == "Khu vực phải giám sát"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"areas": [{"area": "gate", "coverage": "not_applicable"}]}, "why it does not apply"),
        ({"areas": [{"area": "gate", "coverage": "not_covered", "camera_codes": ["C1"]}]}, "coverage is covered"),
        ({"areas": [{"area": "gate", "coverage": "covered", "camera_codes": ["C1"]}]}, "not among system.cameras"),
        ({"areas": [{"area": "gate", "coverage": "covered"}] * 2}, "is there twice"),
        ({"system": {"kind": "none", "cameras": [{"code": "C1"}]}}, "kind is none"),
        ({"system": {"kind": "ip", "cameras": [{"code": "C1"}, {"code": "c1"}]}}, "is there twice"),
        ({"system": {"kind": "ip", "recorders": [{"make": "H", "channels": 4, "channels_used": 5}]}}, "at most"),
        ({"system": {"kind": "ip", "cameras": [{"code": "C1", "mac": "xx"}]}}, "MAC"),
        ({"infrastructure": {"up_mbps": -1}}, "greater than or equal"),
        ({"estimated_cost_vnd": 1.5}, "integer"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_a_form_that_disagrees_with_itself_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SurveyForm.model_validate(given)


def attachment(**given: Any) -> dict[str, Any]:
    return {"sha256": "0" * 64, "name": "anh.jpg", "media_type": "image/jpeg", "size_bytes": 10} | given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"verdict": "none"}, "does not fit a system"),
        ({"attachments": [attachment(), attachment()]}, "is there twice"),
        ({"attachments": [attachment(sha256="XYZ")]}, "pattern"),
        ({"attachments": [attachment(size_bytes=11 * 2**20)]}, "less than or equal"),
        ({"attachments": [attachment(media_type="image/gif")]}, "image/jpeg"),
        (
            {"attachments": [attachment(sha256=f"{n:064x}", size_bytes=10 * 2**20) for n in range(21)]},
            "at most 209715200",
        ),
        ({"attachments": [attachment(sha256=f"{n:064x}") for n in range(201)]}, "too many"),
        (
            {"form": whole_form(system={"kind": "ip", "cameras": [{"code": "C1", "photo_sha256": "1" * 64}]})},
            "photo is not among",
        ),
        ({"verdict_reason": None}, "valid string"),
    ],
)
def test_a_submission_that_does_not_fit_is_refused(given: dict[str, Any], says: str) -> None:
    body = {"form": whole_form(), "verdict": "needs_config", "verdict_reason": "Chưa bật RTSP"} | given
    with pytest.raises(ValidationError, match=says):
        Submission.model_validate(body)


def test_equal_findings_have_one_digest_however_they_are_spelled() -> None:
    body = {"form": whole_form(), "verdict": "needs_config", "verdict_reason": "Chưa bật RTSP"}
    spelled = dict(reversed(body.items())) | {"verdict_reason": "Chưa  bật RTSP "}
    assert Submission.model_validate(body).digest() == Submission.model_validate(spelled).digest()
    other = Submission.model_validate(body | {"verdict_reason": "Hỏng"})
    assert other.digest() != Submission.model_validate(body).digest()
