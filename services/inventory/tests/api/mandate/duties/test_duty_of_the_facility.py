"""A facility confirms briefings and access and answers questions itself; somebody else gives the document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

BRIEFED = {"briefed_by": "Trạm trưởng", "briefed_at": "2021-05-08T07:30:00+07:00"}
BRIEFING_PAPER = {"briefing_document": "12/TYT", "briefing_signed_on": "2021-05-08", "briefing_file": "12-TYT.pdf"}
ACCESS = {
    "access_given_by": "Trưởng khu", "gate_contact": "Bảo vệ cổng chính",
    "access_from": "2021-05-08T07:00:00+07:00", "access_to": "2021-05-08T17:00:00+07:00",
}  # fmt: skip
ACCESS_PAPER = {"access_document": "13/TYT", "access_signed_on": "2021-05-07", "access_file": "13-TYT.pdf"}
ANSWERS: dict[str, Any] = {"answers": {"dau-ghi": "8 kênh"}}
ANSWER_PAPER = {
    "signed_on": "2021-05-08", "document_number": "7/TYT", "document_file": "7-TYT.pdf", "document_sha256": "0" * 64,
}  # fmt: skip


async def visit_of(duty: Duty) -> str:
    agency = duty.letter.operator["id"]
    team = await duty.province.post("/v1/teams", {"code": "VT-01", "name": "Tổ 1", "agency_id": agency})
    times = {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T10:00:00+07:00"}
    body = {"facility_id": duty.facility["id"], "team_id": team["id"], "purpose": "survey", **times}
    return f"/v1/visits/{(await duty.province.post('/v1/visits', body))['id']}"


async def survey_of(duty: Duty) -> str:
    body = {"code": "KS-1", "facility_id": duty.facility["id"], "lead_name": "Tổ khảo sát 1"}
    return f"/v1/surveys/{(await duty.province.post('/v1/surveys', body))['id']}"


async def request_of(duty: Duty) -> str:
    questions = [{"key": "dau-ghi", "text": "Đầu ghi?"}]
    body = {"code": "CCTT-1", "name": "Hiện trạng", "facility_id": duty.facility["id"], "questions": questions}
    path = f"/v1/information-requests/{(await duty.province.post('/v1/information-requests', body))['id']}"
    assert (await duty.letter.do(f"{path}/transitions", {"to": "sent"})).status_code == 200
    return path


ACTS = [
    pytest.param(visit_of, "briefing", BRIEFED, BRIEFING_PAPER, id="briefing of a visit"),
    pytest.param(visit_of, "access", ACCESS, ACCESS_PAPER, id="access"),
    pytest.param(survey_of, "briefing", BRIEFED, BRIEFING_PAPER, id="briefing of a survey"),
    pytest.param(request_of, "answers", ANSWERS, ANSWER_PAPER, id="answer"),
]


def recorder(answer: httpx.Response, act: str) -> str | None:
    shown = answer.json()["answers"][0] if act == "answers" else answer.json()
    found: str | None = shown["recorded_by" if act == "answers" else f"{act}_recorded_by"]
    return found


@pytest.mark.parametrize(("made", "act", "said", "paper"), ACTS)
async def test_duty_of_the_facility_is_done_by_its_own_token_or_by_its_document(
    duty: Duty, made: Any, act: str, said: dict[str, Any], paper: dict[str, str]
) -> None:
    path = f"{await made(duty)}/{act}"
    own = await duty.call(Role.FACILITY, "POST", path, said)
    assert (own.status_code, recorder(own, act)) == (200, None), own.text
    for role in (Role.READER, Role.AUTHORITY, Role.SERVICE, Role.DECIDER):
        assert (await duty.call(role, "POST", path, said | paper)).status_code == 403
    first = next(iter(said))
    other = said | {first: {"dau-ghi": "16 kênh"} if act == "answers" else "Người khác"}
    for role in (Role.OPERATOR, Role.PROVINCE_LEAD):
        bare = await duty.call(role, "POST", path, other)
        assert (bare.status_code, bare.json()["code"]) == (403, "not_your_word"), bare.text
        assert duty.facility["code"] in bare.json()["detail_vi"]
        half = await duty.call(role, "POST", path, other | dict(list(paper.items())[:1]))
        assert half.status_code in {403, 422}, half.text
    recorded = await duty.call(Role.OPERATOR, "POST", path, other | paper)
    assert (recorded.status_code, recorder(recorded, act)) == (200, "test-operator"), recorded.text
    again = await duty.call(Role.FACILITY, "POST", path, said)
    assert (again.status_code, recorder(again, act)) == (200, None), again.text


@pytest.mark.parametrize(("made", "act", "said", "paper"), ACTS)
async def test_duty_of_the_facility_is_that_of_its_managing_agency_and_of_no_other(
    duty: Duty, made: Any, act: str, said: dict[str, Any], paper: dict[str, str]
) -> None:
    path = f"{await made(duty)}/{act}"

    async def as_agency(agency_id: str, *more: str) -> httpx.Response:
        token = duty.token_for(Role.MANAGING_AGENCY, f"agency:{agency_id}", *more)
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        answer: httpx.Response = await duty.province.client.post(path, json=said, headers=headers)
        return answer

    other = await duty.province.facility()
    assert (await as_agency(other["managing_agency_id"])).status_code == 404
    foreign = await as_agency(other["managing_agency_id"], f"unit:{duty.facility['unit_id']}")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_your_word"), foreign.text
    own = await as_agency(duty.facility["managing_agency_id"])
    assert (own.status_code, recorder(own, act)) == (200, None), own.text
    elsewhere = duty.token_for(Role.FACILITY, f"facility:{other['id']}")
    headers = {"Authorization": f"Bearer {elsewhere}", "If-Match": "*"}
    assert (await duty.province.client.post(path, json=said | paper, headers=headers)).status_code == 404


async def test_duty_of_the_facility_is_not_done_by_a_patch_either(duty: Duty) -> None:
    for path, words in ((await visit_of(duty), BRIEFED | ACCESS), (await survey_of(duty), BRIEFED)):
        refused = await duty.call(Role.OPERATOR, "PATCH", path, words)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_your_word"), refused.text
    visit = await visit_of_team(duty)
    made = await duty.call(Role.OPERATOR, "POST", "/v1/visits", visit | BRIEFED)
    assert (made.status_code, made.json()["code"]) == (403, "not_your_word"), made.text
    documented = await duty.call(Role.OPERATOR, "POST", "/v1/visits", visit | BRIEFED | BRIEFING_PAPER)
    assert (documented.status_code, documented.json()["briefing_recorded_by"]) == (201, "test-operator")


async def visit_of_team(duty: Duty) -> dict[str, Any]:
    team = (await duty.province.client.get("/v1/teams")).json()["items"][0]
    times = {"planned_from": "2021-05-09T08:00:00+07:00", "planned_to": "2021-05-09T10:00:00+07:00"}
    return {"facility_id": duty.facility["id"], "team_id": team["id"], "purpose": "survey", **times}


async def test_duty_access_is_confirmed_again_for_another_time(duty: Duty) -> None:
    path = await visit_of(duty)
    assert (await duty.call(Role.FACILITY, "POST", f"{path}/access", ACCESS)).status_code == 200
    later = {"planned_from": "2021-05-08T13:00:00+07:00", "planned_to": "2021-05-08T15:00:00+07:00"}
    kept = await duty.call(Role.OPERATOR, "PATCH", path, later)
    assert (kept.status_code, kept.json()["access_given_by"]) == (200, "Trưởng khu"), kept.text
    other_day = {"planned_from": "2021-05-10T08:00:00+07:00", "planned_to": "2021-05-10T10:00:00+07:00"}
    moved = await duty.call(Role.OPERATOR, "PATCH", path, other_day)
    assert (moved.status_code, moved.json()["access_given_by"], moved.json()["access_from"]) == (200, None, None)


async def test_duty_a_document_of_the_facility_has_a_day_that_can_be(duty: Duty) -> None:
    path = await visit_of(duty)
    to_come = BRIEFED | BRIEFING_PAPER | {"briefing_signed_on": "2999-01-01"}
    refused = await duty.call(Role.OPERATOR, "POST", f"{path}/briefing", to_come)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "briefing_signed_on"), refused.text
