"""Names as long as they may be: every page of a list has its cursor within an address, and loses or doubles nothing."""

import base64
import json
from typing import Any

import pytest

from inventory.domain.text import order_key
from vonggac.http.lists.cursor import MAX_CHARACTERS

NAME = ("Trường Phổ thông Dân tộc nội trú huyện Hướng Hoá " * 5)[:197]
POSITION = ("Phó trưởng phòng kỹ thuật – nghiệp vụ " * 6)[:197]


async def pages(province: Any, path: str, query: dict[str, str]) -> list[str]:
    """Ids of all items, page by page."""
    found: list[str] = []
    while True:
        answer = await province.client.get(path, params=query | {"limit": "1"})
        assert answer.status_code == 200, answer.text
        found += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            return found
        assert len(cursor) <= MAX_CHARACTERS
        query = query | {"cursor": cursor}


@pytest.mark.parametrize("sort", ["full_name", "-full_name,position", "position,-full_name,-changed_at"])
@pytest.mark.parametrize("clock", ["now", "then"])
async def test_names_that_differ_at_their_ends_alone_are_paged_exactly(province: Any, sort: str, clock: str) -> None:
    team = {"code": "T-1", "name": "Tổ 1", "agency_id": (await province.agency())["id"]}
    team_id = (await province.post("/v1/teams", team))["id"]
    for number in (3, 1, 2, 0, 4):
        body = {"full_name": f"{NAME}{number:03}", "position": f"{POSITION}{number % 2:03}", "team_id": team_id}
        await province.post("/v1/team-members", body)
    for sign in "𝒜ấ":
        body = {"full_name": sign * 200, "position": sign * 200, "team_id": team_id}
        await province.post("/v1/team-members", body)
    query = {"sort": sort, "q": "1" if clock == "then" else "", "team_id": team_id}
    if clock == "then":
        log = (await province.client.get("/v1/changes", params={"limit": 1})).json()["items"]
        query |= {"as_of": log[0]["changed_at"], "q": "truong", "valid_on": "2021-05-07"}
    else:
        del query["q"]
    whole = [item["id"] for item in (await province.client.get("/v1/team-members", params=query)).json()["items"]]
    assert len(whole) == (5 if clock == "then" else 7)
    assert await pages(province, "/v1/team-members", query) == whole


async def test_every_sort_of_a_facility_and_every_filter_fit_together(province: Any) -> None:
    unit, agency = await province.unit(name=NAME), await province.agency(name=NAME)
    made = {"unit_id": unit["id"], "managing_agency_id": agency["id"], "name": "Ở" * 200, "beds": 100_000}
    for code in ("K", "L", "M"):
        await province.facility(code=code * 64, **made)
    query = {
        "sort": "-name,-type,status,beds,code,changed_at",
        "q": "o" * 200,
        "type": "school",
        "restricted": "false",
        "unit_id": unit["id"],
        "managing_agency_id": agency["id"],
        "without_focal_point": "true",
        "valid_on": "2021-05-07",
        "status": "active",
        "total": "true",
    }
    whole = (await province.client.get("/v1/facilities", params=query)).json()
    assert (whole["total"], len(whole["items"])) == (3, 3), whole
    assert await pages(province, "/v1/facilities", query) == [item["id"] for item in whole["items"]]


async def test_a_cursor_of_the_release_before_goes_on(province: Any) -> None:
    """It holds the whole key."""
    for code in ("A", "B", "C"):
        await province.agency(code=code, name=f"{NAME}{code}")
    query = {"sort": "name", "limit": "1"}
    whole = [item["id"] for item in (await province.client.get("/v1/agencies?sort=name")).json()["items"]]
    first = (await province.client.get("/v1/agencies", params=query)).json()
    document = json.loads(base64.urlsafe_b64decode(first["next"] + "=="))
    document["k"][0] = order_key(first["items"][0]["name"])
    cursor = base64.urlsafe_b64encode(json.dumps(document, ensure_ascii=False).encode()).decode().rstrip("=")
    second = (await province.client.get("/v1/agencies", params=query | {"cursor": cursor})).json()
    assert [item["id"] for item in second["items"]] == whole[1:2]
