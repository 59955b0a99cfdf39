"""Two pairs of eyes: who wrote a survey, a plan, a proposal, an exception or a request does not approve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from services.inventory.tests.api.mandate.surveys.conftest import Field

from vonggac.auth import Role
from vonggac.events.inventory import SelfApprovalV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

type Json = dict[str, Any]
LEAD, DECIDER, OPERATOR = Role.PROVINCE_LEAD, Role.DECIDER, Role.OPERATOR
ANNA, BINH = "nguyen.van.an", "tran.thi.binh"


class Desk:
    """The same office with several people, each with a token of the lead."""

    def __init__(self, duty: Duty) -> None:
        self.duty, self.province = duty, duty.province
        self.field = Field(duty.province)
        self.lead: Json = {}

    async def prepare(self) -> None:
        await self.province.destination(code="IOC")
        await self.field.prepare(lead=self.duty.letter.lead, unit_id=self.duty.facility["unit_id"])

    def person(self, who: str, role: Role = LEAD, **claims: str) -> httpx.AsyncClient:
        """A client of a person."""
        token = self.duty.token_for(role, subject=who, **claims)
        transport = self.province.client._transport
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://inventory", headers=headers)

    async def move(self, who: str, one: str, to: str, role: Role = LEAD) -> httpx.Response:
        answer: httpx.Response = await self.field.try_move(one, to, client=self.person(who, role))
        return answer

    async def write(self, who: str, one: str, body: Json, role: Role = LEAD) -> httpx.Response:
        headers = {"If-Match": "*"}
        return await self.person(who, role).patch(one, json=body, headers=headers, params={"reason": "bổ sung"})

    async def add(self, who: str, path: str, body: Json, role: Role = LEAD) -> str:
        answer = await self.person(who, role).post(path, json=body)
        assert answer.status_code == 201, answer.text
        return f"{path}/{answer.json()['id']}"

    async def survey(self, who: str, code: str = "KS-01") -> str:
        """A survey that the operator found out, and `who` completed by a last line."""
        made = await self.field.survey_in_progress(code=code)
        one = f"/v1/surveys/{made['id']}"
        assert (await self.write("viettel.dung", one, self.field.findings(), OPERATOR)).status_code == 200
        assert (await self.write(who, one, {"verdict_reason": "Chưa bật RTSP, thiếu tài khoản"})).status_code == 200
        assert (await self.move("viettel.dung", one, "submitted", OPERATOR)).status_code == 200
        return one

    async def plan(self, who: str) -> str:
        await self.field.survey_approved()
        one = await self.add(who, "/v1/connection-plans", self.field.plan_body(("QT-01-C01", "IOC")))
        assert (await self.move("viettel.dung", one, "proposed", OPERATOR)).status_code == 200
        await self.field.consents(one)
        return one

    async def proposal(self, who: str) -> str:
        if not (await self.province.client.get("/v1/surveys?status=approved")).json()["items"]:
            await self.field.survey_approved()
        body = {
            "code": "DX-1",
            "facility_id": self.field.facility["id"],
            "areas": [{"area": "gate", "cameras": 1}],
            "line": "40 Mbps",
            "power": "Điện lưới",
            "estimated_cost_vnd": 1,
            "lead_time_days": 5,
            "proposed_connection": "VPN",
        }
        one = await self.add(who, "/v1/installation-proposals", body)
        assert (await self.move("viettel.dung", one, "submitted", OPERATOR)).status_code == 200
        decision = {"decision_number": "1800/QĐ-UBND", "decision_date": "2021-05-09"}
        assert (await self.write(BINH, one, decision)).status_code == 200
        return one


@pytest_asyncio.fixture
async def desk(duty: Duty) -> Desk:
    made = Desk(duty)
    await made.prepare()
    return made


def refused(answer: httpx.Response, *who: str, code: str = "wrote_it") -> None:
    """Check that an answer names who wrote and who may approve, in both languages."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, code), answer.text
    for said in (problem["detail"], problem["detail_vi"]):
        for word in (*who, "'province_lead'", "'decider'"):
            assert word in said, said
    assert "không tự duyệt" in problem["detail_vi"]


APPROVED = {"survey": "approved", "plan": "agreed", "proposal": "approved"}


@pytest.mark.parametrize("noun", APPROVED)
async def test_duty_who_wrote_does_not_approve(desk: Desk, noun: str) -> None:
    one = await getattr(desk, noun)(ANNA)
    refused(await desk.move(ANNA, one, APPROVED[noun]), ANNA)
    refused(await desk.move(ANNA, one, APPROVED[noun], DECIDER), ANNA)
    answer = await desk.move(BINH, one, APPROVED[noun])
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == APPROVED[noun]
    assert (await desk.province.client.get("/v1/self-approvals")).json()["items"] == []


async def test_duty_who_wrote_does_not_give_the_money(desk: Desk) -> None:
    one = await desk.proposal(ANNA)
    assert (await desk.move(BINH, one, "approved")).status_code == 200
    assert (await desk.write(BINH, one, {"funding_source": "Ngân sách tỉnh"})).status_code == 200
    refused(await desk.move(ANNA, one, "funded"), ANNA)
    assert (await desk.move(BINH, one, "funded")).status_code == 200


async def test_duty_who_laid_it_before_does_not_approve_it(desk: Desk) -> None:
    made = await desk.field.survey_in_progress()
    one = f"/v1/surveys/{made['id']}"
    assert (await desk.write("viettel.dung", one, desk.field.findings(), OPERATOR)).status_code == 200
    assert (await desk.move(ANNA, one, "submitted")).status_code == 200
    refused(await desk.move(ANNA, one, "approved"), ANNA, "viettel.dung")
    assert (await desk.move(BINH, one, "approved")).status_code == 200


async def test_duty_who_sends_a_survey_out_may_approve_what_others_found(desk: Desk) -> None:
    one = await desk.add(ANNA, "/v1/surveys", {"code": "KS-9", "facility_id": desk.field.facility["id"]})
    assert (await desk.write(ANNA, one, {"lead_name": "Tổ 1", "scheduled_on": "2021-05-08"})).status_code == 200
    for to in ("assigned", "scheduled"):
        assert (await desk.move(ANNA, one, to)).status_code == 200
    await desk.field.brief(one)
    assert (await desk.move("viettel.dung", one, "in_progress", OPERATOR)).status_code == 200
    assert (await desk.write("viettel.dung", one, desk.field.findings(), OPERATOR)).status_code == 200
    assert (await desk.move("viettel.dung", one, "submitted", OPERATOR)).status_code == 200
    assert (await desk.move(ANNA, one, "approved")).status_code == 200


@pytest.mark.parametrize("way", ["patch", "bulk", "file"])
async def test_duty_nobody_approves_by_another_way_or_edits_at_the_approval(desk: Desk, way: str) -> None:
    one = await desk.survey(ANNA)
    item = (await desk.province.client.get(one)).json()
    body = {"status": "approved", "note": "sửa khi duyệt"}
    if way == "patch":
        answer = await desk.write(BINH, one, body)
    elif way == "bulk":
        bulk = [{"id": item["id"], "etag": item["etag"], **body}]
        answer = await desk.person(BINH).patch("/v1/surveys/bulk", json=bulk)
    else:
        rows = f"code,facility_code,status\nKS-01,{desk.field.facility['code']},approved\n"
        headers = {"Content-Type": "text/csv"}
        answer = await desk.person(BINH).post("/v1/imports/surveys", content=rows.encode(), headers=headers)
    assert answer.status_code == 422, answer.text
    assert (await desk.write(BINH, one, {"note": "sửa"})).status_code == 409
    assert (await desk.province.client.get(one)).json()["status"] == "submitted"


async def test_duty_an_exception_is_not_written_and_approved_by_one_person(desk: Desk) -> None:
    body = {
        "facility_id": desk.field.facility["id"],
        "why": "Chủ tịch đã đồng ý",
        "approved_by": "Chủ tịch",
        "decided_on": "2021-05-07",
    }
    alone = await desk.person(ANNA).post("/v1/plan-exceptions", json=body)
    refused(alone, ANNA)
    assert "/v1/decision-requests" in alone.json()["detail_vi"]
    rows = "facility_id,why,approved_by,decided_on\n{facility},Đã đồng ý,Chủ tịch,2021-05-07\n"
    code = desk.field.facility["code"]
    file = await desk.person(ANNA).post(
        "/v1/imports/plan-exceptions",
        content=rows.format(facility=code).encode(),
        headers={"Content-Type": "text/csv"},
    )
    assert file.status_code in {403, 422}, file.text
    asked = await desk.person(ANNA).post(
        "/v1/decision-requests", json={"act": "exception", "facility_id": body["facility_id"], "reason": "Bão"}
    )
    path = f"/v1/decision-requests/{asked.json()['id']}/decision"
    refused(await desk.person(ANNA).post(path, json={"decision": "granted"}), ANNA, code="own_request")
    granted = await desk.person(BINH).post(path, json={"decision": "granted"})
    assert granted.status_code == 200, granted.text
    [made] = (await desk.province.client.get("/v1/plan-exceptions")).json()["items"]
    assert made["approved_by"] == BINH
    one = f"/v1/plan-exceptions/{made['id']}"
    refused(await desk.write(BINH, one, {"why": "Lý do khác"}), BINH)
    ended = await desk.write(BINH, one, {"valid_to": "2030-01-01"})
    assert ended.status_code == 200, ended.text
    refused(await desk.write(BINH, one, {"valid_to": None}), BINH)


async def test_duty_a_province_may_allow_it_and_each_use_is_on_record(desk: Desk) -> None:
    rule = {"unit_id": desk.duty.province_id, "two_persons": False, "valid_from": "2021-05-01", "why": "Chỉ một người"}
    operator = await desk.person("viettel.dung", OPERATOR).post("/v1/approval-rules", json=rule)
    assert (operator.status_code, operator.json()["code"]) == (403, "forbidden")
    survey, proposal = await desk.survey(ANNA), ""
    set_by = await desk.add(BINH, "/v1/approval-rules", rule)
    assert (await desk.move(ANNA, survey, "approved")).status_code == 200
    proposal = await desk.proposal(ANNA)
    assert (await desk.move(ANNA, proposal, "approved")).status_code == 200
    body = {"act": "exception", "facility_id": desk.field.facility["id"], "reason": "Bão"}
    asked = await desk.person(ANNA).post("/v1/decision-requests", json=body)
    path = f"/v1/decision-requests/{asked.json()['id']}/decision"
    assert (await desk.person(ANNA).post(path, json={"decision": "granted"})).status_code == 200
    used = (await desk.province.client.get("/v1/self-approvals")).json()["items"]
    assert [(one["about_noun"], one["label"], one["approved_by"], one["why"]) for one in used] == [
        ("survey", "KS-01", ANNA, "Chỉ một người"), ("installation_proposal", "DX-1", ANNA, "Chỉ một người"),
        ("decision_request", "exception", ANNA, "Chỉ một người"),
    ]  # fmt: skip
    assert {one["rule_id"] for one in used} == {set_by.rpartition("/")[2]}
    ended = await desk.write(BINH, set_by, {"valid_to": "2021-05-31"})
    assert ended.status_code == 200, ended.text
    history = (await desk.province.client.get(f"{set_by}/history")).json()["items"]
    assert [one["changed_by"] for one in history] == [BINH, BINH]
    refused(await desk.move(ANNA, await desk.survey(ANNA, "KS-02"), "approved"), ANNA)


async def test_duty_who_approved_alone_is_published_with_the_name_and_post_of_that_day(
    desk: Desk, last_message: Any
) -> None:
    rule = {"unit_id": desk.duty.province_id, "two_persons": False, "valid_from": "2021-05-01", "why": "Chỉ một người"}
    await desk.add(BINH, "/v1/approval-rules", rule)
    signing = desk.person(ANNA, name="Nguyễn Văn An", post="Phó Chánh Văn phòng")
    assert (await desk.field.try_move(await desk.survey(ANNA), "approved", client=signing)).status_code == 200
    [used] = (await desk.province.client.get("/v1/self-approvals")).json()["items"]

    async def is_published() -> bool:
        message = await last_message("self_approval", used["id"])
        assert isinstance(message, SelfApprovalV1)
        return (message.approver_name, message.approver_post) == ("Nguyễn Văn An", "Phó Chánh Văn phòng")

    await eventually(is_published)


async def test_duty_the_rule_is_of_a_province(desk: Desk) -> None:
    rule = {"unit_id": desk.field.facility["unit_id"], "two_persons": False, "valid_from": "2021-05-01", "why": "x"}
    wrong = await desk.person(BINH).post("/v1/approval-rules", json=rule)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "unit_id")
