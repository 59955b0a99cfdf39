"""/v1/units: the administration of each day, as the mandate's reports print it."""

import csv
import io
from importlib.resources import files
from typing import Any

import pytest

BEFORE, AFTER = "2021-05-07", "2025-07-02"


async def units_on(province: Any, day: str, **query: str) -> list[dict[str, Any]]:
    answer = await province.client.get("/v1/units", params={"valid_on": day, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.fixture
async def quang_tri(province: Any) -> Any:
    """Provinces and districts before and after 01/7/2025."""
    old = await province.unit(code="45", name="Tỉnh Quảng Trị", level="province", valid_to="2025-06-30")
    neighbour = await province.unit(code="44", name="Tỉnh Quảng Bình", level="province", valid_to="2025-06-30")
    earlier = [{"unit_id": one["id"], "kind": "merged"} for one in (old, neighbour)]
    new = await province.unit(
        code="44", name="Tỉnh Quảng Trị", level="province", valid_from="2025-07-01", succeeds=earlier
    )
    for code in ("461", "462"):
        await province.unit(code=code, level="district", parent_id=old["id"], valid_to="2025-06-30")
    province.old, province.new = old, new
    return province


async def test_a_day_of_2021_has_its_districts_and_code_45(quang_tri: Any) -> None:
    units = await units_on(quang_tri, BEFORE)
    assert [one["code"] for one in units if one["level"] == "district"] == ["461", "462"]
    assert {(one["code"], one["name"]) for one in units if one["level"] == "province"} == {
        ("45", "Tỉnh Quảng Trị"),
        ("44", "Tỉnh Quảng Bình"),
    }


async def test_a_day_after_the_merger_has_no_district_and_code_44(quang_tri: Any) -> None:
    units = await units_on(quang_tri, AFTER)
    assert [(one["code"], one["name"]) for one in units] == [("44", "Tỉnh Quảng Trị")]
    assert {one["unit_id"] for one in units[0]["succeeds"]} >= {quang_tri.old["id"]}


async def test_a_code_has_one_unit_a_day(quang_tri: Any) -> None:
    body = {"code": "44", "name": "Tỉnh Khác", "level": "province", "valid_from": "2025-06-30"}
    answer = await quang_tri.client.post("/v1/units", json=body)
    assert answer.status_code == 409
    assert "ends the earlier" in answer.text or "end the earlier one" in answer.text


@pytest.mark.parametrize(
    ("given", "field", "word"),
    [
        ({"level": "province"}, "", "belongs to no unit"),
        ({"level": "district", "valid_from": "2025-07-01"}, "parent_id", "never stand on the same day"),
        ({"level": "district", "parent_id": "9d0ff0ce-9c1a-4b31-8c5a-0d3a8a4ea0b1"}, "parent_id", "there is no unit"),
    ],
)
async def test_a_parent_that_cannot_be_is_refused(quang_tri: Any, given: dict[str, Any], field: str, word: str) -> None:
    body = {"code": "999", "name": "Đơn vị", "parent_id": quang_tri.old["id"]} | given
    answer = await quang_tri.client.post("/v1/units", json=body)
    assert answer.status_code == 422, answer.text
    assert word in answer.text
    assert any(field in error["field"] for error in answer.json()["errors"])


async def test_a_unit_with_units_below_it_stays(quang_tri: Any) -> None:
    answer = await quang_tri.client.delete(
        f"/v1/units/{quang_tri.old['id']}", params={"reason": "nhầm"}, headers={"If-Match": quang_tri.old["etag"]}
    )
    assert answer.status_code == 409
    assert "461" in answer.text


def test_the_units_of_the_demo_belong_to_units_of_the_demo() -> None:
    rows = list(csv.DictReader(io.StringIO(files("local.demo").joinpath("units.csv").read_text("utf-8"))))
    known = {(row["level"], row["code"], row["valid_to"]) for row in rows}
    assert {
        (row["parent_level"], row["parent_code"], row["parent_valid_to"]) for row in rows if row["parent_code"]
    } <= known


async def test_a_new_facility_names_no_unit_or_agency_that_has_ended(province: Any) -> None:
    """What followed it is named, in both languages; a record of its own time stays possible."""
    old = await province.unit(code="468", name="Huyện Cam Lộ", valid_to="2025-06-30")
    for code, name in (("19597", "Xã Cam Lộ"), ("19603", "Xã Hiếu Giang")):
        follows = [{"unit_id": old["id"], "kind": "split"}]
        body = {"code": code, "name": name, "level": "commune", "valid_from": "2025-07-01", "succeeds": follows}
        await province.post("/v1/units", body)
    after = await province.agency(code="SKHCN", name="Sở Khoa học và Công nghệ")
    gone = await province.agency(code="STTTT", valid_to="2025-02-28", successor_id=after["id"])
    unit = await province.unit(code="19602", level="commune")
    body = {
        "code": "KCL-1",
        "name": "Trường",
        "type": "school",
        "unit_id": unit["id"],
        "managing_agency_id": after["id"],
    }
    for field, value, english, vietnamese in (
        ("unit_id", old["id"], "Xã Cam Lộ (19597), Xã Hiếu Giang (19603)", "đã kết thúc ngày 30/6/2025"),
        ("managing_agency_id", gone["id"], "Sở Khoa học và Công nghệ (SKHCN)", "đã kết thúc ngày 28/02/2025"),
    ):
        refused = await province.client.post("/v1/facilities", json=body | {field: value})
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (422, field)
        assert english in error["message"]
        assert vietnamese in error["message_vi"]
    of_then = {"code": "KCL-2", "unit_id": old["id"], "valid_from": "2021-05-01", "valid_to": "2021-12-31"}
    await province.post("/v1/facilities", body | of_then)
    made = await province.post("/v1/facilities", body)
    moved = await province.change(f"/v1/facilities/{made['id']}", json={"unit_id": old["id"]})
    assert moved.status_code == 422


async def test_duty_no_new_record_names_a_unit_that_has_ended(province: Any) -> None:
    """Agencies, assignments, approval rules and obligations, as facilities; what was ordered of then stays possible."""
    old = await province.unit(code="45", name="Tỉnh cũ", level="province", valid_to="2025-06-30")
    follows = [{"unit_id": old["id"], "kind": "merged"}]
    body = {"code": "44", "name": "Tỉnh Quảng Trị", "level": "province", "valid_from": "2025-07-01"}
    new = await province.post("/v1/units", body | {"succeeds": follows})
    operator = await province.agency(code="VT", role="operator")
    directives = {
        day: await province.post(
            "/v1/directives",
            {"number": f"{day[:4]}/UBND-VX", "issued_on": day, "issuer_id": operator["id"], "subject": "Kết nối"},
        )
        for day in ("2021-05-07", "2026-11-20")
    }
    duty = {"code": "NV", "name": "n", "kind": "other", "responsible_agency_id": operator["id"]}
    begins: dict[str, Any] = {"valid_from": "2026-01-01"}
    records: dict[str, dict[str, Any]] = {
        "agencies": {"code": "UBND", "name": "UBND", "role": "peoples_committee"},
        "operator-assignments": {"agency_id": operator["id"]} | begins,
        "approval-rules": {"two_persons": False, "why": "Chỉ có một người"} | begins,
        "obligations": duty | {"directive_id": directives["2026-11-20"]["id"]},
    }
    for noun, record in records.items():
        refused = await province.client.post(f"/v1/{noun}", json=record | {"unit_id": old["id"]})
        (error,) = refused.json()["errors"]
        assert (refused.status_code, error["field"]) == (422, "unit_id"), noun
        assert "give the one that followed it: Tỉnh Quảng Trị (44)" in error["message"], noun
        assert "đã kết thúc ngày 30/6/2025: ghi đơn vị kế thừa: Tỉnh Quảng Trị (44)" in error["message_vi"], noun
        await province.post(f"/v1/{noun}", record | {"unit_id": new["id"]})
    of_then = {"valid_from": "2021-05-01", "valid_to": None, "unit_id": old["id"]}
    await province.post("/v1/operator-assignments", records["operator-assignments"] | of_then)
    ordered = {"code": "NV-2021", "directive_id": directives["2021-05-07"]["id"], "unit_id": old["id"]}
    await province.post("/v1/obligations", duty | ordered)


async def test_a_unit_follows_one_that_ended_before_it_begins(province: Any) -> None:
    old = await province.unit(code="45", level="province", valid_from="1989-07-01", valid_to="2025-06-30")

    async def follow(begins: str, *kinds: str) -> Any:
        succeeds = [{"unit_id": old["id"], "kind": kind} for kind in kinds]
        body = {"code": "44", "name": "Quảng Trị", "level": "province", "valid_from": begins, "succeeds": succeeds}
        return await province.client.post("/v1/units", json=body)

    for begins, kinds in (("2025-06-30", ["merged"]), ("1989-07-01", ["split"]), ("2025-07-01", ["merged", "moved"])):
        refused = await follow(begins, *kinds)
        assert (refused.status_code, "succeeds" in refused.text) == (422, True), begins
    assert (await follow("2025-07-01", "merged")).status_code == 201
