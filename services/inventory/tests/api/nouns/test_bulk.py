"""Many records in one request: all or nothing, with one list of all mistakes."""

from typing import Any
from uuid import uuid4

import pytest


def agency(number: int, **given: Any) -> dict[str, Any]:
    return {"code": f"AG-{number}", "name": f"Sở {number}", "role": "managing"} | given


async def codes(province: Any) -> list[str]:
    return [each["code"] for each in (await province.client.get("/v1/agencies")).json()["items"]]


async def test_many_are_made_changed_and_removed(province: Any) -> None:
    made = await province.client.post("/v1/agencies/bulk", json=[agency(number) for number in (3, 1, 2)])
    assert made.status_code == 201, made.text
    assert [each["code"] for each in made.json()["items"]] == ["AG-3", "AG-1", "AG-2"]
    patches = [{"id": each["id"], "etag": each["etag"], "name": f"Mới {each['code']}"} for each in made.json()["items"]]
    changed = await province.client.patch("/v1/agencies/bulk", json=patches)
    assert [each["name"] for each in changed.json()["items"]] == ["Mới AG-3", "Mới AG-1", "Mới AG-2"]
    whose = [{"id": each["id"], "etag": each["etag"]} for each in changed.json()["items"]]
    why = {"reason": "nhập nhầm"}
    assert (await province.client.post("/v1/agencies/bulk/remove", json=whose, params=why)).status_code == 204
    assert await codes(province) == []


async def test_every_mistake_is_named_with_its_place_and_nothing_is_stored(province: Any) -> None:
    taken = await province.agency(code="SYT")
    body = [agency(1), agency(2, code=taken["code"]), agency(3), agency(3)]
    refused = await province.client.post("/v1/agencies/bulk", json=body)
    assert refused.status_code == 409
    assert [error["field"] for error in refused.json()["errors"]] == ["1.code", "3.code"]
    body = [agency(1, role="king"), agency(2, code="!"), agency(3, colour="red")]
    refused = await province.client.post("/v1/agencies/bulk", json=body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["0.role", "1.code", "2.colour"]
    assert await codes(province) == [taken["code"]]


async def test_what_is_no_item_and_what_breaks_a_rule_are_in_one_list(province: Any) -> None:
    taken = await province.agency(code="SYT")
    body: list[Any] = [agency(1), agency(2, code=taken["code"]), agency(3, role="king"), 5, agency(4) | {"name": ""}]
    refused = await province.client.post("/v1/agencies/bulk", json=body)
    assert refused.status_code == 422, refused.text
    assert [error["field"] for error in refused.json()["errors"]] == ["1.code", "2.role", "3", "4.name"]
    patches = [
        {"id": taken["id"], "etag": '"9"', "name": "Mới"},
        {"id": taken["id"], "name": "Mới"},
        {"id": str(uuid4()), "etag": '"1"', "role": "king"},
    ]
    refused = await province.client.patch("/v1/agencies/bulk", json=patches)
    assert refused.status_code == 422, refused.text
    assert [error["field"] for error in refused.json()["errors"]] == ["0.etag", "1.etag", "2.role"]
    removals = [{"id": taken["id"], "etag": '"9"'}, {"id": "x", "etag": '"1"'}]
    refused = await province.client.post("/v1/agencies/bulk/remove", json=removals, params={"reason": "nhầm"})
    assert [error["field"] for error in refused.json()["errors"]] == ["0.etag", "1.id"]
    assert await codes(province) == [taken["code"]]


async def test_one_that_somebody_changed_meanwhile_stops_all(province: Any) -> None:
    first, second = await province.agency(), await province.agency()
    await province.change(f"/v1/agencies/{second['id']}", json={"name": "Nhanh hơn"})
    patches = [{"id": each["id"], "etag": each["etag"], "name": "Chậm"} for each in (first, second)]
    refused = await province.client.patch("/v1/agencies/bulk", json=patches)
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    assert [error["field"] for error in refused.json()["errors"]] == ["1.etag"]
    assert "Chậm" not in {each["name"] for each in (await province.client.get("/v1/agencies")).json()["items"]}


async def test_rules_of_the_whole_and_unknown_ids_are_named_too(province: Any) -> None:
    made = await province.agency(valid_from="2021-01-01")
    patches = [
        {"id": made["id"], "etag": made["etag"], "valid_to": "2020-01-01"},
        {"id": str(uuid4()), "etag": '"1"', "name": "x"},
    ]
    refused = (await province.client.patch("/v1/agencies/bulk", json=patches)).json()
    assert (refused["status"], [error["field"] for error in refused["errors"]]) == (422, ["0.valid_to", "1"])


async def test_what_is_referred_to_is_not_removed_in_bulk(province: Any) -> None:
    facility, free = await province.facility(), await province.agency()
    used = (await province.client.get(f"/v1/agencies/{facility['managing_agency_id']}")).json()
    whose = [{"id": each["id"], "etag": each["etag"]} for each in (free, used)]
    refused = await province.client.post("/v1/agencies/bulk/remove", json=whose, params={"reason": "nhầm"})
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (409, ["1"])
    assert len(await codes(province)) == 2


async def test_one_thing_in_two_items_is_named_as_that(province: Any) -> None:
    made = await province.agency()
    once = {"id": made["id"], "etag": made["etag"]}
    for answer in (
        await province.client.patch("/v1/agencies/bulk", json=[{**once, "name": "A"}, {**once, "name": "B"}]),
        await province.client.post("/v1/agencies/bulk/remove", json=[once, once], params={"reason": "nhầm"}),
    ):
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["field"]) == (422, "1.id")
        assert "is about it too" in error["message"]
    assert (await province.client.get(f"/v1/agencies/{made['id']}")).json() == made


@pytest.mark.parametrize("count", [0, 1001])
async def test_the_length_of_the_array_is_limited(province: Any, count: int) -> None:
    answer = await province.client.post("/v1/agencies/bulk", json=[agency(number) for number in range(count)])
    assert answer.status_code == 422
    assert await codes(province) == []


async def test_mistakes_of_every_kind_are_in_one_list(province: Any) -> None:
    facility, first, second = await province.facility(), await province.agency(), await province.agency()
    used = (await province.client.get(f"/v1/agencies/{facility['managing_agency_id']}")).json()
    nobody = str(uuid4())
    made = [
        agency(1),
        agency(2, code=first["code"]),
        agency(3, parent_id=nobody),
        agency(1),
        agency(4, valid_from="2021-01-01", valid_to="2020-01-01"),
    ]
    refused = (await province.client.post("/v1/agencies/bulk", json=made)).json()
    assert [error["field"] for error in refused["errors"]] == ["1.code", "2.parent_id", "3.code", "4.valid_to"]
    patches = [
        {"id": first["id"], "etag": first["etag"], "name": "Đúng"},
        {"id": second["id"], "etag": second["etag"], "code": first["code"]},
        {"id": used["id"], "etag": '"7"', "name": "Cũ"},
        {"id": nobody, "etag": '"1"', "name": "Không có"},
        {"id": first["id"], "etag": first["etag"], "name": "Hai lần"},
    ]
    refused = (await province.client.patch("/v1/agencies/bulk", json=patches)).json()
    assert [error["field"] for error in refused["errors"]] == ["1.code", "2.etag", "3", "4.id"]
    whose = [{"id": each["id"], "etag": each["etag"]} for each in (first, used, first)]
    whose.append({"id": second["id"], "etag": '"9"'})
    refused = (await province.client.post("/v1/agencies/bulk/remove", json=whose, params={"reason": "nhầm"})).json()
    assert [error["field"] for error in refused["errors"]] == ["1", "2.id", "3.etag"]
    assert (await province.client.get(f"/v1/agencies/{first['id']}")).json() == first
    assert len(await codes(province)) == 3


async def test_records_pass_their_codes_on_to_each_other(province: Any) -> None:
    facility = await province.facility(code="KCL-1")
    of: dict[str, Any] = {"facility_id": facility["id"]}
    await province.destination(code="TT-QG")
    made: dict[str, list[Any]] = {
        "agencies": [await province.agency(code=f"SO-{number}") for number in range(3)],
        "units": [await province.unit(code=f"78{number}") for number in range(3)],
        "facilities": [facility, await province.facility(code="KCL-2"), await province.facility(code="KCL-3")],
        "cameras": [await province.camera(code=f"CAM-{number}", **of) for number in range(3)],
    }
    for path, things in made.items():
        codes_of = [thing["code"] for thing in things]
        turned = [codes_of[1], codes_of[2], codes_of[0].lower()]
        present = {each["id"]: each for each in (await province.client.get(f"/v1/{path}")).json()["items"]}
        patches = [
            {"id": thing["id"], "etag": present[thing["id"]]["etag"], "code": code}
            for thing, code in zip(things, turned, strict=True)
        ]
        changed = await province.client.patch(f"/v1/{path}/bulk", json=patches, params={"reason": "ghi nhầm mã"})
        assert changed.status_code == 200, changed.text
        assert [each["code"] for each in changed.json()["items"]] == turned
        for thing, before, after in zip(things, codes_of, turned, strict=True):
            changes = (await province.client.get(f"/v1/{path}/{thing['id']}/history")).json()["items"]
            assert (changes[0]["before"]["code"], changes[0]["after"]["code"]) == (before, after)
            shown = await province.client.get(f"/v1/{path}/{thing['id']}", params={"as_of": changes[0]["changed_at"]})
            assert shown.json()["code"] == after
    [delivery] = (await province.client.get("/v1/deliveries", params={"camera_id": made["cameras"][0]["id"]})).json()[
        "items"
    ]
    assert delivery["url"].endswith("/CAM-1")


async def test_a_code_that_stays_with_another_one_is_taken_still(province: Any) -> None:
    first, second, third = [await province.agency(code=f"SO-{number}") for number in range(3)]
    patches = [
        {"id": first["id"], "etag": '"1"', "code": "SO-1"},
        {"id": second["id"], "etag": '"1"', "code": "so-02"},
        {"id": third["id"], "etag": '"1"', "name": "Khác"},
    ]
    refused = await province.client.patch("/v1/agencies/bulk", json=patches)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (409, ["1.code"])
    assert "SO-2" in refused.json()["errors"][0]["message"]
    assert await codes(province) == ["SO-0", "SO-1", "SO-2"]
