"""Only the operator that is assigned for the province and the day agrees, surveys and connects."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest_asyncio

from vonggac.auth import Role
from vonggac.auth.keys import token_issuer

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

type Json = dict[str, Any]
FIRST, SECOND = "2020-01-01", "2021-06-01"
"""From then on Viettel, and from then on VNPT."""


class Assigned:
    """A province whose operator changed: Viettel, and VNPT since 01/6/2021."""

    def __init__(self, duty: Duty, keys: Path) -> None:
        self.duty, self.province, self._issuer = duty, duty.province, token_issuer(keys)
        self.viettel: Json = duty.letter.operator
        self.vnpt: Json = {}
        self.facility: Json = {}

    async def prepare(self) -> None:
        province = await self.province.unit(name="Quảng Trị", level="province")
        district = await self.province.unit(name="Đông Hà", parent_id=province["id"])
        self.vnpt = await self.province.agency(code="VNPT", name="VNPT Quảng Trị", role="operator")
        for agency, start, end in ((self.viettel, FIRST, "2021-05-31"), (self.vnpt, SECOND, None)):
            body = {"unit_id": province["id"], "agency_id": agency["id"], "valid_from": start, "valid_to": end}
            await self.province.post("/v1/operator-assignments", body)
        self.facility = await self.province.facility(unit_id=district["id"])

    async def call(self, agency: Json, method: str, path: str, body: Json) -> httpx.Response:
        """As the operator's own token has it."""
        token = self._issuer.issue(
            subject=agency["code"],
            roles=frozenset({Role.OPERATOR}),
            valid_for=timedelta(hours=1),
            agency=UUID(agency["id"]),
        )
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        answer: httpx.Response = await self.province.client.request(method, path, json=body, headers=headers)
        return answer


@pytest_asyncio.fixture
async def assigned(duty: Duty, keys_folder: Path) -> Assigned:
    made = Assigned(duty, keys_folder)
    await made.prepare()
    return made


def check_refused(answer: httpx.Response, holder: str, other: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "not_assigned"), answer.text
    for said in (problem["detail"], problem["detail_vi"]):
        assert holder in said
        assert other in said
    assert "được phân công" in problem["detail_vi"]


async def test_duty_to_agree_is_of_the_operator_of_that_day(assigned: Assigned) -> None:
    await assigned.province.destination(code="IOC")
    connection = {
        "camera_code": "C1", "address": "10.20.1.5:554", "bandwidth_kbps": 2048, "destination_codes": ["IOC"],
    }  # fmt: skip
    people = {"connect_by": "2021-07-01", "responsible_lead": "Nguyễn A", "responsible_operator": "Lê B"}
    body = {"facility_id": assigned.facility["id"], "connections": [connection], **people}
    plan = await assigned.province.post("/v1/connection-plans", body)
    path = f"/v1/connection-plans/{plan['id']}"
    assert (await assigned.province.move(path, "proposed")).status_code == 200
    for agency, day, holder in (
        (assigned.vnpt, "2021-05-31", "Viettel Quảng Trị"), (assigned.viettel, "2021-06-01", "VNPT Quảng Trị"),
        (assigned.viettel, "2021-05-31", None), (assigned.vnpt, "2021-06-01", None),
    ):  # fmt: skip
        word = {"agency_id": agency["id"], "kind": "agreed", "given_by": "Giám đốc", "given_on": day}
        word |= {"document": "12/BB", "document_file": "van-thu/12-BB.pdf"}
        headers = {"If-Match": "*"}
        answer = await assigned.province.client.post(f"{path}/consents", json=word, headers=headers)
        if holder is None:
            assert answer.status_code == 200, answer.text
        else:
            check_refused(answer, holder, agency["name"])


async def test_duty_to_survey_is_of_the_operator_of_that_day(assigned: Assigned) -> None:
    body = {"code": "KS-1", "facility_id": assigned.facility["id"], "surveyed_on": "2021-05-08"}
    refused = await assigned.province.client.post("/v1/surveys", json=body | {"lead_agency_id": assigned.vnpt["id"]})
    check_refused(refused, "Viettel Quảng Trị", "VNPT Quảng Trị")
    survey = await assigned.province.post("/v1/surveys", body | {"lead_agency_id": assigned.viettel["id"]})
    path = f"/v1/surveys/{survey['id']}"
    people = [{"full_name": "Lê Kỹ Thuật", "agency_id": assigned.vnpt["id"], "present_on": "2021-05-08"}]
    check_refused(await assigned.province.change(path, json={"participants": people}), "Viettel", "VNPT")
    people[0]["present_on"] = "2021-06-02"
    assert (await assigned.province.change(path, json={"participants": people})).status_code == 200
    team = await assigned.province.post(
        "/v1/teams", {"code": "T1", "name": "Tổ 1", "agency_id": assigned.viettel["id"]}
    )
    visit = {
        "facility_id": assigned.facility["id"],
        "team_id": team["id"],
        "purpose": "survey",
        "planned_from": "2021-06-05T08:00:00+07:00",
        "planned_to": "2021-06-05T10:00:00+07:00",
    }
    check_refused(await assigned.province.client.post("/v1/visits", json=visit), "VNPT", "Viettel")


async def test_duty_to_connect_is_of_the_operator_of_today_by_its_own_token(assigned: Assigned) -> None:
    camera = {"code": "C-1", "name": "Cổng", "url": "rtsp://10.1.1.1/1", "facility_id": assigned.facility["id"]}
    for path, body in (
        ("/v1/cameras", camera),
        ("/v1/surveys", {"code": "KS-2", "facility_id": assigned.facility["id"]}),
        ("/v1/connection-plans", {"facility_id": assigned.facility["id"]}),
        ("/v1/installation-proposals", {"code": "DX-2", "facility_id": assigned.facility["id"]}),
    ):
        check_refused(await assigned.call(assigned.viettel, "POST", path, body), "VNPT", "Viettel")
        assert (await assigned.call(assigned.vnpt, "POST", path, body)).status_code == 201, path


async def test_duty_of_a_province_without_an_assignment_is_anybody_s(duty: Duty, keys_folder: Path) -> None:
    free = Assigned(duty, keys_folder)
    body = {"code": "KS-3", "facility_id": duty.facility["id"]}
    assert (await free.call(free.viettel, "POST", "/v1/surveys", body)).status_code == 201
