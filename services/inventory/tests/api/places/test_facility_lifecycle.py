"""The lifecycle of a facility, and the officer that an active one must have (R17, R23)."""

from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

DECIDED = {"decision_number": "805/QĐ-UBND", "decision_date": "2020-03-29"}


async def move(province: Any, facility: dict[str, Any], to: str, reason: str | None = None) -> Any:
    path = f"/v1/facilities/{facility['id']}"
    body = {"to": to} | ({"reason": reason} if reason else {})
    headers = {"If-Match": await province.etag(path)}
    return await province.client.post(f"{path}/transitions", json=body, headers=headers)


async def appoint(province: Any, facility: dict[str, Any], **given: Any) -> Any:
    body = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    body |= {"phone": "0233 3852 123", "valid_from": "2021-05-07"}
    return await province.post("/v1/focal-points", body | given)


async def test_a_facility_opens_with_its_decision_and_its_focal_point(province: Any) -> None:
    facility = await province.facility(status="planned")
    undecided = await move(province, facility, "approved")
    assert undecided.status_code == 409
    assert "decision" in undecided.json()["detail"]
    assert (await province.change(f"/v1/facilities/{facility['id']}", json=DECIDED)).status_code == 200
    assert (await move(province, facility, "approved")).status_code == 200
    alone = await move(province, facility, "active")
    assert alone.status_code == 409
    assert "focal point is in office" in alone.json()["detail"]
    await appoint(province, facility)
    assert (await move(province, facility, "active")).json()["status"] == "active"


async def test_what_a_facility_was_founded_by_stays_on_record(province: Any) -> None:
    facility = await province.facility(status="planned", **DECIDED)
    path = f"/v1/facilities/{facility['id']}"
    assert (await province.change(path, json={"decision_number": None})).status_code == 200
    assert (await province.change(path, json=DECIDED)).status_code == 200
    await appoint(province, facility)
    for status in ("approved", "active", "suspended", "closed"):
        assert (await move(province, facility, status, "theo quyết định")).status_code == 200
        for field in DECIDED:
            refused = await province.change(path, json={field: None})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        assert (await province.change(path, json={"decision_number": "806/QĐ-UBND"})).status_code == 200


async def test_a_step_that_is_not_in_the_table_says_which_are(province: Any) -> None:
    facility = await province.facility(status="planned", **DECIDED)
    answer = await move(province, facility, "suspended", "mưa lũ")
    assert answer.status_code == 409
    assert answer.json()["detail"].endswith("allowed: approved, closed")


async def test_a_facility_is_registered_in_the_state_that_it_has(province: Any) -> None:
    unit, agency = await province.unit(), await province.agency()
    body = {"name": "Khu cách ly", "type": "school", "unit_id": unit["id"], "managing_agency_id": agency["id"]}

    async def register(code: str, status: str, *, reason: str | None = None, **given: Any) -> Any:
        params = {"reason": reason} if reason else None
        whole = body | {"code": code, "status": status} | given
        return await province.client.post("/v1/facilities", json=whole, params=params)

    for given, field in (({}, "decision_number"), ({"decision_number": "805/QĐ-UBND"}, "decision_date")):
        undecided = await register("A", "approved", **given)
        assert (undecided.status_code, undecided.json()["errors"][0]["field"]) == (422, field)
    for status in ("suspended", "closed"):
        unexplained = await register("B", status)
        assert (unexplained.status_code, unexplained.json()["errors"][0]["field"]) == (422, "reason")
    assert (await register("A", "approved", **DECIDED)).status_code == 201
    assert (await register("B", "closed", reason="hết dịch từ 2020")).status_code == 201
    assert (await register("C", "planned")).status_code == 201


async def test_the_decision_of_an_approved_facility_stays(province: Any) -> None:
    facility = await province.facility(status="approved", **DECIDED)
    answer = await province.change(f"/v1/facilities/{facility['id']}", json={"decision_date": None})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "decision_date")


@pytest.mark.parametrize("to", ["suspended", "closed"])
async def test_stopping_needs_a_reason(province: Any, to: str) -> None:
    facility = await province.facility()
    refused = await move(province, facility, to)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "reason"
    assert (await move(province, facility, to, "hết dịch")).json()["status"] == to


async def test_the_last_focal_point_of_an_active_facility_stays(province: Any) -> None:
    facility = await province.facility()
    first = await appoint(province, facility)
    path = f"/v1/focal-points/{first['id']}"
    for answer in (await province.remove(path), await province.change(path, json={"valid_to": "2021-06-01"})):
        assert answer.status_code == 409
        assert "add the successor first" in answer.json()["detail"]
    await appoint(province, facility, full_name="Lê Thị Kế")
    assert (await province.change(path, json={"valid_to": "2021-06-01"})).status_code == 200


async def test_active_facilities_without_a_focal_point_are_listed(province: Any) -> None:
    lacking, complete = await province.facility(), await province.facility()
    await appoint(province, complete)
    await appoint(province, lacking, full_name="Lê Thị Kế", valid_from="2999-01-01")
    found = await province.client.get("/v1/facilities", params={"without_focal_point": True, "status": "active"})
    assert [one["id"] for one in found.json()["items"]] == [lacking["id"]]


async def test_a_facility_is_sufficient_when_no_required_area_is_uncovered(province: Any) -> None:
    facility = await province.facility()
    path = f"/v1/facilities/{facility['id']}/sufficiency"
    before = (await province.client.get(path)).json()
    assert (before["sufficient"], before["cameras_needed"]) == (None, 0)
    assert before["missing"] == before["unassessed"]
    for area in before["missing"]:
        if area == "yard":
            body = {"facility_id": facility["id"], "area": area, "verdict": "not_applicable"}
            refused = await province.client.post("/v1/coverages", json=body)
            assert refused.status_code == 422
            await province.post("/v1/coverages", body | {"reason": "Cơ sở không có sân"})
        else:
            await province.camera(facility_id=facility["id"], area=area)
    assert (await province.client.get(path)).json()["sufficient"] is True
    gate = {"facility_id": facility["id"], "area": "gate", "verdict": "not_covered", "cameras_needed": 2}
    await province.post("/v1/coverages", gate)
    after = (await province.client.get(path)).json()
    assert (after["missing"], after["cameras_needed"]) == (["gate"], 2)
    assert (await province.client.post("/v1/coverages", json=gate)).status_code == 409


async def test_a_province_has_one_operator_a_day(province: Any) -> None:
    unit = await province.unit(code="45", level="province")
    operator = await province.agency(role="operator", name="Viettel Quảng Trị")
    other = await province.agency(role="operator", name="VNPT Quảng Trị")
    given = {"unit_id": unit["id"], "agency_id": operator["id"], "valid_from": "2021-05-07"}
    first = await province.post("/v1/operator-assignments", given)
    twice = await province.client.post("/v1/operator-assignments", json=given | {"agency_id": other["id"]})
    assert twice.status_code == 409
    assert "another operator" in twice.json()["detail"]
    path = f"/v1/operator-assignments/{first['id']}"
    assert (await province.change(path, json={"valid_to": "2021-12-31"})).status_code == 200
    await province.post("/v1/operator-assignments", given | {"agency_id": other["id"], "valid_from": "2022-01-01"})
    on = await province.client.get("/v1/operator-assignments", params={"valid_on": "2021-06-01"})
    assert [one["agency_id"] for one in on.json()["items"]] == [operator["id"]]


@pytest.mark.parametrize(("field", "word"), [("agency_id", "role operator"), ("unit_id", "province")])
async def test_only_an_operator_is_assigned_and_only_to_a_province(province: Any, field: str, word: str) -> None:
    body = {
        "unit_id": (await province.unit(code="45", level="province"))["id"],
        "agency_id": (await province.agency(role="operator"))["id"],
        "valid_from": "2021-05-07",
    }
    wrong = {"agency_id": await province.agency(), "unit_id": await province.unit()}[field]
    answer = await province.client.post("/v1/operator-assignments", json=body | {field: wrong["id"]})
    assert answer.status_code == 422
    assert word in answer.text


async def test_an_active_facility_without_an_officer_says_so(province: Any) -> None:
    facility = await province.facility()
    one = f"/v1/facilities/{facility['id']}"
    assert (facility["status"], facility["focal_point_missing"]) == ("active", True)
    officer = await appoint(province, facility)
    assert (await province.client.get(one)).json()["focal_point_missing"] is False
    assert (await province.client.get("/v1/facilities", params={"without_focal_point": "true"})).json()["items"] == []
    assert (await province.remove(f"/v1/focal-points/{officer['id']}")).status_code == 409
    planned = await province.facility(status="planned")
    assert planned["focal_point_missing"] is False


async def test_who_was_in_office_is_asked_of_the_day_in_question(province: Any, inventory_url: str) -> None:
    facility = await province.facility(status="active")
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    term = {"phone": "0233 3852 123", "valid_from": "2021-05-01", "valid_to": "2021-05-31"}
    await province.post("/v1/focal-points", person | term)
    engine = create_engine(inventory_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("update facilities_history set recorded_from = '2021-05-01T00:00:00Z'"))
        connection.execute(text("update focal_points_history set recorded_from = '2021-05-01T00:00:00Z'"))
    one = f"/v1/facilities/{facility['id']}"
    assert (await province.client.get(one)).json()["focal_point_missing"] is True
    for as_of, missing in (("2021-05-31T16:59:59Z", False), ("2021-05-31T17:00:00Z", True)):
        shown = await province.client.get(one, params={"as_of": as_of})
        assert shown.json()["focal_point_missing"] is missing
        query = {"as_of": as_of, "without_focal_point": True}
        found = (await province.client.get("/v1/facilities", params=query)).json()["items"]
        assert bool(found) is missing
