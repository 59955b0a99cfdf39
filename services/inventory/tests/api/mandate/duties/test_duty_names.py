"""Who acted is read by name and post beside the login, as the token said at the act (decision 0161)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

type Json = dict[str, Any]
LEAD = {"subject": "ttmt", "name": "Trần Thị Minh"}
DEPUTY = {"name": "Trần Thị Minh", "post": "Phó Giám đốc"}
DIRECTOR = {"name": "Trần Thị Minh", "post": "Giám đốc"}


@pytest.fixture
def acting(duty: Duty, token_for: Callable[..., str]) -> Callable[..., Any]:
    """Do something as a person whose token says who that is."""

    async def call(method: str, path: str, body: Any = None, *, role: Role = Role.PROVINCE_LEAD, **who: str) -> Any:
        headers = {"Authorization": f"Bearer {token_for(role, **who)}", "If-Match": "*"}
        query = {"reason": "thử"} if method in {"PATCH", "DELETE"} else {}
        answer = await duty.province.client.request(method, path, json=body, headers=headers, params=query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    return call


async def test_duty_names_stand_beside_the_logins_of_a_request_and_its_decision(
    duty: Duty, acting: Callable[..., Any]
) -> None:
    body = {"act": "deadline", "reason": "Đường truyền hỏng do bão", "obligation_id": duty.obligation["id"]}
    body["due_before"] = "2027-01-01"
    operator = {"subject": "viettel-qt", "name": "Lê Quang Vinh"}
    asked = await acting("POST", "/v1/decision-requests", body, role=Role.OPERATOR, **operator)
    assert asked["named"] == {"asked_by": {"name": "Lê Quang Vinh", "post": None}}
    path = f"/v1/decision-requests/{asked['id']}"
    decided = await acting("POST", f"{path}/decision", {"decision": "granted"}, **LEAD, post="Phó Giám đốc")
    named = {"asked_by": {"name": "Lê Quang Vinh", "post": None}, "decided_by": DEPUTY}
    assert (decided["decided_by"], decided["named"]) == ("ttmt", named)
    assert (await acting("GET", path))["named"] == named
    assert (await acting("GET", "/v1/decision-requests"))["items"][0]["named"] == named
    duties = await acting("GET", duty.path)
    assert duties["named"] == {"deadlines.1.set_by": DEPUTY}


async def test_duty_names_are_those_of_the_act_after_the_post_changed(duty: Duty, acting: Callable[..., Any]) -> None:
    about = {"about_noun": "facility", "about_id": duty.facility["id"]}
    first = await acting("POST", "/v1/journal-entries", about | {"text": "Đã gọi"}, **LEAD, post="Phó Giám đốc")
    again = await acting("POST", "/v1/journal-entries", about | {"text": "Gọi lại"}, **LEAD, post="Giám đốc")
    listed = (await acting("GET", "/v1/journal-entries"))["items"]
    assert {one["id"]: one["named"]["written_by"] for one in listed} == {first["id"]: DEPUTY, again["id"]: DIRECTOR}
    lines = (await acting("GET", "/v1/changes", subject="kiem-tra"))["items"]
    by_thing = {line["thing_id"]: line["named"] for line in lines}
    acts = (await acting("GET", "/v1/actions", subject="kiem-tra"))["items"]
    assert {"by": DIRECTOR} in [act["named"] for act in acts if act["thing_id"] == again["id"]]
    assert (by_thing[first["id"]], by_thing[again["id"]]) == ({"changed_by": DEPUTY}, {"changed_by": DIRECTOR})


async def test_duty_names_of_a_word_that_somebody_recorded_are_of_the_day_of_recording(
    duty: Duty, acting: Callable[..., Any]
) -> None:
    """The record has no instant of it: the change log does."""
    team = await duty.province.post(
        "/v1/teams", {"code": "TO-1", "name": "Tổ 1", "agency_id": duty.letter.operator["id"]}
    )
    body = {"facility_id": duty.facility["id"], "team_id": team["id"], "purpose": "survey"}
    body |= {"planned_from": "2026-12-20T01:00:00Z", "planned_to": "2026-12-20T05:00:00Z"}
    visit = await duty.province.post("/v1/visits", body)
    word = {"access_given_by": "Hoàng Văn Bắc", "access_from": body["planned_from"], "access_to": body["planned_to"]}
    word |= {"access_document": "12/CV", "access_signed_on": "2026-11-30", "access_file": "cv-12.pdf"}
    path = f"/v1/visits/{visit['id']}"
    recorded = await acting("PATCH", path, word, **LEAD, post="Phó Giám đốc")
    assert recorded["named"] == {"access_recorded_by": DEPUTY}
    later = await acting("PATCH", path, {"note": "mang theo thẻ"}, **LEAD, post="Giám đốc")
    assert (later["access_recorded_by"], later["named"]) == ("ttmt", {"access_recorded_by": DEPUTY})


async def test_duty_names_are_for_readers_of_people_and_old_records_have_the_login(
    duty: Duty, acting: Callable[..., Any]
) -> None:
    about = {"about_noun": "facility", "about_id": duty.facility["id"]}
    path = f"/v1/journal-entries/{(await acting('POST', '/v1/journal-entries', about | {'text': 'Trước'}))['id']}"
    nameless = await acting("GET", path)
    assert (nameless["written_by"], nameless["named"]) == ("test-province_lead", {})
    await acting("POST", "/v1/journal-entries", about | {"text": "Sau"}, **DEPUTY, subject="test-province_lead")
    assert (await acting("GET", path))["named"] == {}
    for line in (await acting("GET", "/v1/journal-entries", role=Role.READER))["items"]:
        assert line["named"] == {}


async def test_duty_names_of_an_import_and_of_a_link_are_those_of_who_sent_and_made_them(
    duty: Duty, acting: Callable[..., Any], token_for: Callable[..., str]
) -> None:
    links = f"/v1/facilities/{duty.facility['id']}/links"
    made = await acting("POST", links, {"for_whom": "Trực ban"}, **LEAD, post="Phó Giám đốc")
    await acting("DELETE", f"{links}/{made['id']}", **LEAD, post="Giám đốc")
    [link] = (await acting("GET", links))["items"]
    assert link["named"] == {"created_by": DEPUTY, "revoked_by": DIRECTOR}
    headers = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD, **LEAD)}", "Content-Type": "text/csv"}
    csv = f"code,name,agency_code\nTO-9,Tổ 9,{duty.letter.operator['code']}\n"
    sent = await duty.province.client.post("/v1/imports/teams", content=csv.encode(), headers=headers)
    assert sent.is_success, sent.text
    [entry] = (await acting("GET", "/v1/imports"))["items"]
    assert entry["named"] == {"sent_by": {"name": "Trần Thị Minh", "post": None}}
