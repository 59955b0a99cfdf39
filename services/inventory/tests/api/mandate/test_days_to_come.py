"""What has not happened yet is not on record: a day to come is refused wherever something is said to have been done."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from inventory.domain.days import VIETNAM

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

NEVER = "2999-05-07"


async def bodies(letter: Letter) -> dict[str, tuple[str, dict[str, Any], str]]:
    """What is right but for its day: path, body and the field of the day."""
    facility, lead = (await letter.province.facility())["id"], letter.lead["id"]
    camera = {"code": "C", "name": "Cổng", "facility_id": facility, "url": "rtsp://10.1.1.1/1", "verified_by": "An"}
    directive = {"number": "9/UBND", "issuer_id": lead, "subject": "Kết nối"}
    exception = {"facility_id": facility, "why": "Thử nghiệm", "approved_by": "Sở"}
    site = {"code": "K", "name": "Khu", "type": "school", "managing_agency_id": lead}
    site |= {"unit_id": (await letter.province.unit())["id"], "status": "planned", "decision_number": "805/QĐ-UBND"}
    proposal = {"code": "DX", "facility_id": facility, "decision_number": "12/QĐ"}
    return {
        "camera": ("/v1/cameras", camera, "verified_on"),
        "directive": ("/v1/directives", directive, "issued_on"),
        "exception": ("/v1/plan-exceptions", exception, "decided_on"),
        "facility": ("/v1/facilities", site, "decision_date"),
        "proposal": ("/v1/installation-proposals", proposal, "decision_date"),
        "installed": ("/v1/installation-proposals", {"code": "DX", "facility_id": facility}, "installed_on"),
    }


@pytest.mark.parametrize("what", ["camera", "directive", "exception", "facility", "proposal", "installed"])
async def test_a_day_to_come_is_refused(letter: Letter, what: str) -> None:
    path, body, field = (await bodies(letter))[what]
    if what == "exception":
        facility = await letter.client.get(f"/v1/facilities/{body['facility_id']}")
        await letter.province.let_writers_approve(facility.json())
    refused = await letter.client.post(path, json=body | {field: NEVER})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text
    check_days(refused.json()["errors"][0])
    made = await letter.client.post(path, json=body | {field: "2021-05-07"})
    assert made.status_code == 201, made.text
    one = f"{path}/{made.json()['id']}"
    late = await letter.province.change(one, json={field: NEVER})
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, field), late.text


async def test_a_finding_is_not_mended_on_a_day_to_come(letter: Letter) -> None:
    facility = await letter.province.facility()
    body = {"facility_id": facility["id"], "inspected_on": "2021-05-20", "agency_id": letter.lead["id"]}
    finding = {"text": "Cáp hỏng", "mend_by": NEVER}
    refused = await letter.client.post("/v1/inspections", json=body | {"findings": [finding | {"mended_on": NEVER}]})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "findings"), refused.text
    check_days(refused.json()["errors"][0])
    assert (await letter.client.post("/v1/inspections", json=body | {"findings": [finding]})).status_code == 201


async def test_nobody_inspects_a_facility_before_it_was_founded(letter: Letter) -> None:
    facility = await letter.province.facility(valid_from="2021-05-07")
    body = {"facility_id": facility["id"], "inspected_on": "2021-05-06", "agency_id": letter.lead["id"]}
    refused = (await letter.client.post("/v1/inspections", json=body)).json()["errors"][0]
    assert refused["field"] == "inspected_on"
    assert "2021-05-06, before 2021-05-07, the day on which the facility" in refused["message"]
    assert "06/5/2021, trước ngày 07/5/2021" in refused["message_vi"]


@pytest.mark.parametrize("name", ["mend_by", "mended_on"])
async def test_what_an_inspection_found_was_not_mended_before(letter: Letter, name: str) -> None:
    facility = await letter.province.facility()
    body = {"facility_id": facility["id"], "inspected_on": "2021-05-20", "agency_id": letter.lead["id"]}
    findings = [{"text": "Cáp hỏng", name: "2021-05-19"}, {"text": "Thiếu camera cổng", name: "2021-05-21"}]
    refused = (await letter.client.post("/v1/inspections", json=body | {"findings": findings})).json()["errors"][0]
    assert refused["field"] == "findings"
    assert f"{name} is 2021-05-19, before 2021-05-20" in refused["message"]
    assert "2021-05-19, trước ngày kiểm tra 2021-05-20" in refused["message_vi"]
    made = await letter.province.post("/v1/inspections", body | {"findings": findings[1:]})
    later = await letter.province.change(f"/v1/inspections/{made['id']}", json={"inspected_on": "2021-05-22"})
    assert (later.status_code, later.json()["errors"][0]["field"]) == (422, "findings"), later.text


@pytest.mark.parametrize("noun", ["cameras", "facilities"])
async def test_a_file_says_nothing_of_a_day_to_come(letter: Letter, noun: str) -> None:
    unit, agency = await letter.province.unit(), await letter.province.agency()
    facility = await letter.province.facility(
        code="KCL-01", status="planned", unit_id=unit["id"], managing_agency_id=agency["id"]
    )
    text = {
        "cameras": "code,name,facility_code,url,verified_on,verified_by\nC,Cổng,KCL-01,rtsp://10.1.1.1/1,07/05/2999,An\n",
        "facilities": "code,name,type,unit_code,managing_agency_code,decision_number,decision_date\n"
        f"KCL-01,Khu cách ly,school,{unit['code']},{agency['code']},805/QĐ-UBND,07/05/2999\n",
    }[noun]
    answer = await letter.client.post(
        f"/v1/imports/{noun}", content=text.encode(), headers={"content-type": "text/csv"}
    )
    (mistake,) = answer.json()["errors"]
    assert (answer.status_code, mistake["row"]) == (422, 2), facility
    assert mistake["field"] in {"verified_on", "decision_date"}
    check_days(mistake)


async def test_an_instant_to_come_is_named_beside_now(letter: Letter) -> None:
    facility = await letter.province.facility()
    later = "2999-05-07T08:00:00+07:00"
    body = {"code": "KS", "facility_id": facility["id"], "acknowledged_by": "Ban quản lý", "acknowledged_at": later}
    refused = await letter.client.post("/v1/surveys", json=body)
    assert refused.status_code == 422, refused.text
    (mistake,) = refused.json()["errors"]
    assert (refused.status_code, mistake["field"]) == (422, "acknowledged_at"), refused.text
    assert f"is {later}, and it is {today().isoformat()}" in mistake["message"]
    assert f"là {later}, bây giờ là {today().isoformat()}" in mistake["message_vi"]


def check_days(mistake: dict[str, Any]) -> None:
    """Both days stand in it, in both languages."""
    assert f"is {NEVER}, a day to come, and it is {today().isoformat()} now" in mistake["message"]
    assert f"là ngày {NEVER}, chưa tới, hôm nay là {today().isoformat()}" in mistake["message_vi"]


def today() -> date:
    return datetime.now(VIETNAM).date()
