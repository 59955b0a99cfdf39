"""What all nouns have in common: create, read, list, change, remove, and errors that say what would be right."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

PATHS = ("agencies", "units", "facilities", "focal-points", "destinations", "cameras", "deliveries")


async def make(province: Any, path: str) -> dict[str, Any]:
    if path == "focal-points":
        person = {"full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng", "phone": "0233 3852 123"}
        facility = await province.facility(status="planned")
        body = person | {"facility_id": facility["id"], "valid_from": "2021-05-07"}
        made: dict[str, Any] = await province.post("/v1/focal-points", body)
    elif path == "deliveries":
        camera = await province.camera(destination_ids=[])
        destination = await province.destination()
        body = {"camera_id": camera["id"], "destination_id": destination["id"]}
        made = await province.post("/v1/deliveries", body)
    else:
        singular = {"agencies": "agency", "facilities": "facility"}.get(path, path[:-1])
        made = await getattr(province, singular)()
    return made


@pytest.mark.parametrize("path", PATHS)
async def test_a_thing_is_made_read_and_removed(province: Any, path: str) -> None:
    made = await make(province, path)
    one = f"/v1/{path}/{made['id']}"
    read = await province.client.get(one)
    assert {name: made[name] for name in read.json() if name in made} == read.json()
    listed = (await province.client.get(f"/v1/{path}")).json()["items"]
    assert made["id"] in {thing["id"] for thing in listed}
    assert (await province.remove(one)).status_code == 204
    gone = await province.client.get(one)
    assert (gone.status_code, gone.json()["code"]) == (410, "removed")


@pytest.mark.parametrize("path", PATHS)
async def test_a_change_of_nothing_keeps_the_revision(province: Any, path: str) -> None:
    made = await make(province, path)
    answer = await province.change(f"/v1/{path}/{made['id']}", json={})
    assert (answer.status_code, answer.json()["revision"]) == (200, made["revision"])


@pytest.mark.parametrize("path", PATHS)
async def test_an_unknown_field_is_named(province: Any, path: str) -> None:
    made = await make(province, path)
    for answer in (
        await province.change(f"/v1/{path}/{made['id']}", json={"colour": "red"}),
        await province.client.post(f"/v1/{path}", json={"colour": "red"}),
    ):
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert "colour" in {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("path", PATHS)
async def test_a_stale_if_match_is_refused(province: Any, path: str) -> None:
    made = await make(province, path)
    one = f"/v1/{path}/{made['id']}"
    etag = (await province.client.get(one)).headers["etag"]
    stale = await province.client.patch(one, json={}, headers={"If-Match": '"99"'})
    assert (stale.status_code, stale.json()["code"], stale.headers["etag"]) == (412, "stale", etag)
    why = {"reason": "nhập nhầm"}
    assert (await province.client.delete(one, headers={"If-Match": '"99"'}, params=why)).status_code == 412
    assert (await province.client.patch(one, json={}, headers={"If-Match": etag})).status_code == 200
    assert (await province.client.delete(one, headers={"If-Match": "*"}, params=why)).status_code == 204


@pytest.mark.parametrize("noun", ["agency", "unit", "facility", "destination", "camera"])
async def test_a_taken_code_is_a_conflict_about_the_code(province: Any, noun: str) -> None:
    make_one = getattr(province, noun)
    made = await make_one()
    with pytest.raises(AssertionError) as refused:
        await make_one(code=made["code"])
    assert '"status":409' in str(refused.value)
    assert '"field":"code"' in str(refused.value)


async def test_changing_raises_the_revision_by_one_and_is_shown_in_the_etag(province: Any) -> None:
    made = await province.facility()
    answer = await province.change(f"/v1/facilities/{made['id']}", json={"beds": 40, "name": "Trường  Mới"})
    assert (answer.json()["beds"], answer.json()["name"], answer.json()["revision"]) == (40, "Trường Mới", 2)
    assert answer.headers["etag"] == '"2"'


async def test_null_empties_what_may_be_empty_and_nothing_else(province: Any) -> None:
    made = await province.facility(beds=40)
    one = f"/v1/facilities/{made['id']}"
    assert (await province.change(one, json={"beds": None})).json()["beds"] is None
    assert (await province.change(one, json={"name": None})).status_code == 422


@pytest.mark.parametrize(
    ("path", "field"),
    [("facilities", "unit_id"), ("facilities", "managing_agency_id"), ("focal-points", "facility_id")],
)
async def test_a_reference_to_nothing_is_named(province: Any, path: str, field: str) -> None:
    made = await make(province, path)
    answer = await province.change(f"/v1/{path}/{made['id']}", json={field: str(uuid4())})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_what_is_referred_to_stays_and_says_by_whom(province: Any) -> None:
    facility = await province.facility()
    camera = await province.camera(facility_id=facility["id"])
    for path, thing_id, name in (
        ("agencies", facility["managing_agency_id"], facility["code"]),
        ("units", facility["unit_id"], facility["code"]),
        ("facilities", facility["id"], camera["code"]),
    ):
        answer = await province.remove(f"/v1/{path}/{thing_id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "referred_to")
        assert name in answer.json()["detail"]


async def test_pages_cover_the_list_once(province: Any) -> None:
    for _ in range(5):
        await province.agency()
    codes, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await province.client.get("/v1/agencies", params=query)).json()
        codes += [agency["code"] for agency in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert codes == sorted(codes)
    assert len(codes) == len(set(codes)) == 5


@pytest.mark.parametrize("path", ["agencies", "deliveries", "changes"])
async def test_a_cursor_of_something_else_is_refused(province: Any, path: str) -> None:
    answer = await province.client.get(f"/v1/{path}", params={"cursor": "/w"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("q", ["huong hoa", "HƯỚNG", "hoá hướng"])
async def test_search_finds_without_diacritics(province: Any, q: str) -> None:
    wanted = await province.unit(name="Huyện Hướng Hóa")
    await province.unit(name="Huyện Đakrông")
    found = (await province.client.get("/v1/units", params={"q": q})).json()["items"]
    assert [unit["id"] for unit in found] == [wanted["id"]]


async def test_search_takes_wildcards_literally(province: Any) -> None:
    await province.unit()
    assert (await province.client.get("/v1/units", params={"q": "%"})).json()["items"] == []


async def test_a_unit_is_listed_for_the_days_it_exists(province: Any) -> None:
    await province.unit(code="461", valid_from="2004-01-01", valid_to="2025-06-30")
    days = {"2021-05-07": 1, "2025-06-30": 1, "2025-07-02": 0}
    for day, count in days.items():
        listed = (await province.client.get("/v1/units", params={"valid_on": day})).json()["items"]
        assert len(listed) == count


async def test_a_value_postgresql_cannot_hold_is_a_clear_error(province: Any) -> None:
    answer = await province.client.get("/v1/agencies", params={"code": "a\x00"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_of_writers_at_the_same_time_one_is_faster_and_the_others_are_refused(province: Any) -> None:
    facility = await province.facility()
    one, etag = f"/v1/facilities/{facility['id']}", facility["etag"]
    answers = await asyncio.gather(
        *(province.client.patch(one, json={"beds": beds}, headers={"If-Match": etag}) for beds in range(1, 9))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + 7 * [412]
    changed = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await province.client.get(one)).json() == changed


@pytest.mark.parametrize("clock", ["now", "then"])
async def test_a_list_by_name_is_in_vietnamese_order_page_by_page(province: Any, clock: str) -> None:
    names = ["Cam Lộ", "Cồn Cỏ", "Da Krông", "Đa Krông", "Đông Hà", "Gio Linh", "Hải Lăng", "Hướng Hóa"]
    for number, name in enumerate(sorted(names)):
        unit = await province.unit(code=f"U-{number}", name="Tên cũ")
        await province.change(f"/v1/units/{unit['id']}", json={"name": name})
    query: dict[str, Any] = {"sort": "-name", "limit": 3}
    if clock == "then":
        query["as_of"] = (await province.client.get("/v1/changes", params={"limit": 1})).json()["items"][0][
            "changed_at"
        ]
        await province.unit(code="U-9", name="Ăn sau")
    found: list[str] = []
    while True:
        page = (await province.client.get("/v1/units", params=query)).json()
        found += [item["name"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == names[::-1]


async def test_people_are_listed_by_their_given_names(province: Any) -> None:
    team = await province.post(
        "/v1/teams", {"code": "T-1", "name": "Tổ 1", "agency_id": (await province.agency())["id"]}
    )
    for name in ("Trần Văn Bình", "Lê Ân", "Nguyễn Văn An"):
        body = {"team_id": team["id"], "full_name": name, "position": "Kỹ thuật viên"}
        await province.post("/v1/team-members", body)
    page = (await province.client.get("/v1/team-members", params={"sort": "full_name"})).json()
    assert [item["full_name"] for item in page["items"]] == ["Nguyễn Văn An", "Lê Ân", "Trần Văn Bình"]
