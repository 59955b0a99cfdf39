"""A managing agency and a facility give their own word with their own tokens, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

OFFICER = {"full_name": "Trần Văn Đầu Mối", "position": "Phó phòng", "phone": "0233 3852 123"}


async def as_agency(duty: Duty, agency_id: str, method: str, path: str, body: Any) -> httpx.Response:
    token = duty.token_for(Role.MANAGING_AGENCY, f"agency:{agency_id}")
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    answer: httpx.Response = await duty.province.client.request(method, path, json=body, headers=headers)
    return answer


async def test_duty_to_name_the_focal_point_is_done_by_the_facility_itself(duty: Duty) -> None:
    body = {**OFFICER, "facility_id": duty.facility["id"], "valid_from": "2021-05-07"}
    made = await duty.call(Role.FACILITY, "POST", "/v1/focal-points", body)
    assert made.status_code == 201, made.text
    path = f"/v1/focal-points/{made.json()['id']}"
    changed = await duty.call(Role.FACILITY, "PATCH", path, {"phone": "0233 3852 999"}, reason="đổi số")
    assert changed.status_code == 200, changed.text
    agency = duty.facility["managing_agency_id"]
    again = await as_agency(duty, agency, "POST", "/v1/focal-points", {**body, "full_name": "Lê Thị Thay"})
    assert again.status_code == 201, again.text
    other = (await duty.province.facility())["id"]
    away = await duty.call(Role.FACILITY, "POST", "/v1/focal-points", body | {"facility_id": other})
    assert (away.status_code, away.json()["errors"][0]["field"]) == (422, "facility_id")
    assert (await duty.call(Role.READER, "POST", "/v1/focal-points", body)).status_code == 403


APPOINTED = {"appointment_document": "31/QĐ-UBND", "appointment_signed_on": "2021-05-06", "appointment_file": "31.pdf"}


async def test_duty_to_name_the_focal_point_is_by_its_document_for_whom_it_is_not(duty: Duty) -> None:
    """R17: the facility or its managing agency names it; the lead keeps the list; others give the document."""
    body = {**OFFICER, "facility_id": duty.facility["id"], "valid_from": "2021-05-07"}
    bare = await duty.call(Role.OPERATOR, "POST", "/v1/focal-points", body)
    assert (bare.status_code, bare.json()["code"]) == (403, "not_your_word"), bare.text
    for said in (bare.json()["detail"], bare.json()["detail_vi"]):
        assert all(word in said for word in (duty.facility["code"], "R17", "appointment_file")), said
    assert "cơ quan quản lý" in bare.json()["detail_vi"]
    half = body | {"appointment_document": "31/QĐ-UBND"}
    assert (await duty.call(Role.OPERATOR, "POST", "/v1/focal-points", half)).status_code == 403
    for role in (Role.DECIDER, Role.READER, Role.AUTHORITY, Role.SERVICE):
        assert (await duty.call(role, "POST", "/v1/focal-points", body | APPOINTED)).status_code == 403
    named = {**body, "full_name": "Lê Thị Của Cơ Sở"}
    made = [
        await duty.call(role, "POST", "/v1/focal-points", shown)
        for role, shown in ((Role.FACILITY, named), (Role.PROVINCE_LEAD, body), (Role.OPERATOR, {
            **body, **APPOINTED, "full_name": "Người Có Văn Bản"}))
    ]  # fmt: skip
    assert [one.status_code for one in made] == [201, 201, 201], [one.text for one in made]
    recorded = [one.json()["recorded_by"] for one in made]
    assert recorded == [None, "test-province_lead", "test-operator"]
    forged = await duty.call(Role.OPERATOR, "POST", "/v1/focal-points", body | APPOINTED | {"recorded_by": None})
    assert forged.status_code == 422
    to_come = body | APPOINTED | {"appointment_signed_on": "2999-01-01"}
    late = await duty.call(Role.OPERATOR, "POST", "/v1/focal-points", to_come)
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "appointment_signed_on"), late.text


async def test_duty_to_name_the_focal_point_is_not_done_by_a_patch_either(duty: Duty) -> None:
    body = {**OFFICER, "facility_id": duty.facility["id"], "valid_from": "2021-05-07"}
    own = (await duty.call(Role.FACILITY, "POST", "/v1/focal-points", body)).json()
    path = f"/v1/focal-points/{own['id']}"
    other = (await duty.province.facility())["id"]
    for change in ({"phone": "0233 3852 999"}, {"valid_to": "2021-05-08"}, {"facility_id": other}):
        refused = await duty.call(Role.OPERATOR, "PATCH", path, change, reason="đổi")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_your_word"), refused.text
        bulk = [{"id": own["id"], "etag": own["etag"], **change}]
        assert (await duty.call(Role.OPERATOR, "PATCH", "/v1/focal-points/bulk", bulk, reason="đổi")).status_code == 403
    recorded = await duty.call(Role.OPERATOR, "PATCH", path, APPOINTED | {"phone": "0233 3852 999"}, reason="đổi số")
    assert (recorded.status_code, recorded.json()["recorded_by"]) == (200, "test-operator"), recorded.text
    again = await duty.call(Role.FACILITY, "PATCH", path, {"phone": "0233 3852 123"}, reason="đổi số")
    assert (again.status_code, again.json()["recorded_by"]) == (200, None), again.text


async def test_duty_to_answer_is_done_by_the_facility_itself(duty: Duty) -> None:
    questions = [{"key": "dau-ghi", "text": "Đầu ghi?"}]
    body = {"code": "CCTT-1", "name": "Hiện trạng", "facility_id": duty.facility["id"], "questions": questions}
    request = await duty.province.post("/v1/information-requests", body)
    path = f"/v1/information-requests/{request['id']}"
    assert (await duty.letter.do(f"{path}/transitions", {"to": "sent"})).status_code == 200
    answer = await duty.call(Role.FACILITY, "POST", f"{path}/answers", {"answers": {"dau-ghi": "8 kênh"}})
    assert answer.status_code == 200, answer.text
    assert [one["text"] for one in answer.json()["answers"]] == ["8 kênh"]


async def test_duty_to_consent_is_of_the_agency_itself(duty: Duty) -> None:
    await duty.province.destination(code="IOC")
    connection = {
        "camera_code": "C1", "address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": ["IOC"],
    }  # fmt: skip
    people = {"connect_by": "2021-05-09", "responsible_lead": "Nguyễn A", "responsible_operator": "Lê B"}
    body = {"facility_id": duty.facility["id"], "connections": [connection], **people}
    plan = await duty.province.post("/v1/connection-plans", body)
    path = f"/v1/connection-plans/{plan['id']}"
    assert (await duty.province.move(path, "proposed")).status_code == 200
    own, operator = duty.facility["managing_agency_id"], duty.letter.operator["id"]
    word = {"agency_id": own, "kind": "consulted", "given_by": "Giám đốc", "given_on": "2021-05-08"}
    given = await as_agency(duty, own, "POST", f"{path}/consents", word)
    assert (given.status_code, given.json()["consents"][0]["agency_id"]) == (200, own), given.text
    forged = await as_agency(duty, own, "POST", f"{path}/consents", {**word, "agency_id": operator, "kind": "agreed"})
    assert (forged.status_code, forged.json()["code"]) == (403, "not_your_word"), forged.text
    assert "chính cơ quan đó" in forged.json()["detail_vi"]
    facility = await duty.call(Role.FACILITY, "POST", f"{path}/consents", word)
    assert (facility.status_code, facility.json()["code"]) == (403, "not_your_word")


async def test_duty_anothers_consent_is_recorded_with_its_document_alone(duty: Duty) -> None:
    await duty.province.destination(code="IOC")
    connection = {
        "camera_code": "C1", "address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": ["IOC"],
    }  # fmt: skip
    people = {"connect_by": "2021-05-09", "responsible_lead": "Nguyễn A", "responsible_operator": "Lê B"}
    plan = await duty.province.post(
        "/v1/connection-plans", {"facility_id": duty.facility["id"], "connections": [connection], **people}
    )
    path = f"/v1/connection-plans/{plan['id']}"
    assert (await duty.province.move(path, "proposed")).status_code == 200
    parties = {
        "lead": (duty.letter.lead["id"], "agreed"),
        "operator": (duty.letter.operator["id"], "agreed"),
        "managing": (duty.facility["managing_agency_id"], "consulted"),
    }
    own = {Role.PROVINCE_LEAD: "lead", Role.OPERATOR: "operator"}
    paper = {"document": "12/SYT-NVY", "document_file": "van-thu/12-SYT-NVY.pdf"}
    for role, party in own.items():
        for name, (agency_id, kind) in parties.items():
            word = {"agency_id": agency_id, "kind": kind, "given_by": "Giám đốc", "given_on": "2021-05-08"}
            bare = await duty.call(role, "POST", f"{path}/consents", word)
            if name == party:
                assert bare.status_code == 200, bare.text
                assert consent_of(bare.json(), agency_id)["recorded_by"] is None
                continue
            assert bare.status_code == 403, bare.text
            half = {"document": paper["document"]}
            assert (await duty.call(role, "POST", f"{path}/consents", word | half)).status_code == 403
            forged = word | paper | {"recorded_by": None}
            assert (await duty.call(role, "POST", f"{path}/consents", forged)).status_code == 422
            recorded = await duty.call(role, "POST", f"{path}/consents", word | paper)
            if (role, name) == (Role.OPERATOR, "lead"):
                assert (recorded.status_code, recorded.json()["code"]) == (403, "not_the_lead")
                continue
            assert recorded.status_code == 200, recorded.text
            shown = consent_of(recorded.json(), agency_id)
            assert shown["recorded_by"] == f"test-{role}"
            assert (shown["document"], shown["document_file"]) == (paper["document"], paper["document_file"])


def consent_of(plan: Any, agency_id: str) -> Any:
    [found] = [one for one in plan["consents"] if one["agency_id"] == agency_id]
    return found
