"""Officials read Vietnamese first: whatever the register refuses, its answer says why in both languages."""

from typing import Any

import httpx


def said(answer: httpx.Response, status: int) -> str:
    """The Vietnamese of a refusal."""
    problem = answer.json()
    assert answer.status_code == status, answer.text
    for error in problem["errors"]:
        assert error["message_vi"], error
        assert error["message"] not in error["message_vi"], error
    assert problem["detail_vi"]
    assert problem["detail_vi"] != problem["detail"]
    return str(problem["detail_vi"])


async def test_refusals_of_the_register_are_in_both_languages(province: Any) -> None:
    client = province.client
    agency = await province.agency(code="SYT")
    facility = await province.facility(managing_agency_id=agency["id"])
    path = f"/v1/agencies/{agency['id']}"
    match = {"If-Match": '"1"'}
    body = {"code": "SYT", "name": "Sở Y tế", "role": "managing"}
    assert "mã này đã có" in said(await client.post("/v1/agencies", json=body), 409)
    assert "SYT" in said(await client.post("/v1/agencies", json=body | {"code": "syt"}), 409)
    wrong = said(await client.post("/v1/agencies", json={"code": "!", "role": "king", "colour": 5}), 422)
    assert "mã gồm 1 đến 64" in wrong
    assert "name: thiếu" in wrong
    assert "và 1 lỗi khác" in wrong
    assert "phiên bản 1" in said(await client.patch(path, json={"name": "x"}, headers={"If-Match": '"9"'}), 412)
    assert "If-Match" in said(await client.patch(path, json={"name": "x"}), 428)
    assert "cần lý do" in said(await client.delete(path, headers=match), 422)
    referred = said(await client.delete(path, headers=match, params={"reason": "nhầm"}), 409)
    assert facility["code"] in referred
    assert "không có trong sổ" in said(await client.get("/v1/agencies/00000000-0000-4000-8000-000000000000"), 404)
    assert "đã xóa" not in said(await client.get("/v1/agencies", params={"rol": "lead"}), 422)
    later = said(await client.get("/v1/agencies", params={"as_of": "2999-01-01T00:00:00Z"}), 422)
    assert "chưa tới" in later
    move = await client.post(f"/v1/facilities/{facility['id']}/transitions", json={"to": "planned"}, headers=match)
    assert "không chuyển thành" in said(move, 409)
    patch = {"id": agency["id"], "etag": '"1"', "role": "king"}
    bulk = await client.patch("/v1/agencies/bulk", json=[patch, patch | {"role": "lead", "etag": '"4"'}])
    assert "0.role: không thuộc danh sách" in said(bulk, 422)
    assert said(await client.get("/v1/nothing"), 404) == "không có địa chỉ này: /docs liệt kê các địa chỉ có"
    assert said(await client.put("/v1/agencies"), 405)
    assert (await province.remove(f"/v1/facilities/{facility['id']}")).status_code == 204
    assert "đã bị xóa lúc 20" in said(await client.get(f"/v1/facilities/{facility['id']}"), 410)


NO_VALUES: tuple[Any, ...] = (None, [], [5], {}, True, 5, "", "x" * 700, "2021-13-45", 10**30)
SHAPES = {"facilities": "FacilityFields", "visits": "VisitFields", "obligations": "ObligationFields"}
NO_QUERIES = {
    "as_of": ("", "x", "2021-13-01"), "total": ("",), "limit": ("x", "-1"), "cursor": ("x",), "sort": ("x",),
}  # fmt: skip


async def test_whatever_stands_in_place_of_a_value_is_refused_in_both_languages(province: Any) -> None:
    schemas = (await province.client.get("/openapi.json")).json()["components"]["schemas"]
    for path, shape in SHAPES.items():
        for value in NO_VALUES:
            body = dict.fromkeys(schemas[shape]["properties"], value)
            said(await province.client.post(f"/v1/{path}", json=body), 422)
    for name, values in NO_QUERIES.items():
        for value in values:
            said(await province.client.get("/v1/facilities", params={name: value}), 422)
