"""Both clocks: `as_of` is what was on record then, `valid_on` what was in force on a day; neither moves the other."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

PATHS = ("agencies", "units", "facilities", "focal-points", "destinations", "cameras", "deliveries")
BOOKKEEPING = frozenset(
    {"revision", "etag", "created_at", "changed_at", "has_secret", "has_read_back_secret", "deliveries"}
)


async def listed(province: Any, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items, cursor = list[dict[str, Any]](), None
    while True:
        answer = await province.client.get(f"/v1/{path}", params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_as_of_shows_what_was_on_record_before_and_after_each_change(province: Any) -> None:
    made = await province.agency(name="Sở Y tế")
    one = f"/v1/agencies/{made['id']}"
    changed = (await province.change(one, json={"name": "Sở mới"})).json()
    await province.remove(one)
    before = datetime.fromisoformat(made["created_at"]) - timedelta(microseconds=1)
    for at, names in ((made["changed_at"], ["Sở Y tế"]), (changed["changed_at"], ["Sở mới"]), (before.isoformat(), [])):
        assert [agency["name"] for agency in await listed(province, "agencies", as_of=at)] == names
        item = await province.client.get(one, params={"as_of": at})
        assert item.status_code == (200 if names else 404)
        assert not names or item.json()["name"] == names[0]
    assert (await province.client.get(one)).status_code == 410
    assert (await province.client.get(f"/v1/agencies/{uuid4()}")).status_code == 404


async def test_search_and_filters_work_on_the_past_too(province: Any) -> None:
    made = await province.facility(name="Trường Đakrông", beds=40)
    one = f"/v1/facilities/{made['id']}"
    await province.change(one, json={"name": "Trường Cam Lộ"})
    at = made["changed_at"]
    assert [each["id"] for each in await listed(province, "facilities", q="da krong", as_of=at)] == [made["id"]]
    assert await listed(province, "facilities", q="da krong") == []
    assert len(await listed(province, "facilities", q="cam lo", unit_id=made["unit_id"])) == 1


async def test_what_is_valid_on_a_day_depends_on_what_was_on_record(province: Any) -> None:
    unit = await province.unit(code="461", valid_from="2004-01-01", valid_to="2025-06-30")
    one = f"/v1/units/{unit['id']}"
    await province.change(one, json={"valid_to": "2020-12-31"})
    there = [len(await listed(province, "units", valid_on=day)) for day in ("2020-12-31", "2021-05-10")]
    at = unit["changed_at"]
    before = [len(await listed(province, "units", valid_on=day, as_of=at)) for day in ("2020-12-31", "2021-05-10")]
    assert (there, before) == ([1, 0], [1, 1])
    refused = await province.client.get(one, params={"valid_on": "2021-05-10"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_in_force")
    assert (await province.client.get(one, params={"valid_on": "2021-05-10", "as_of": at})).status_code == 200


async def test_an_instant_to_come_is_refused(province: Any) -> None:
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await province.client.get("/v1/agencies", params={"as_of": at})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "as_of")


async def test_the_pages_of_a_list_show_one_instant(province: Any) -> None:
    made = [await province.agency() for _ in range(5)]
    first = (await province.client.get("/v1/agencies", params={"limit": 2})).json()
    await province.remove(f"/v1/agencies/{made[2]['id']}")
    await province.change(f"/v1/agencies/{made[3]['id']}", json={"name": "Đổi sau"})
    await province.agency(code="AG-03-B")
    query = {"limit": 2, "cursor": first["next"]}
    second = (await province.client.get("/v1/agencies", params=query)).json()
    assert [agency["id"] for agency in second["items"]] == [made[2]["id"], made[3]["id"]]
    assert second["items"][1]["name"] == made[3]["name"]


async def test_the_history_of_a_thing_says_who_what_and_why(province: Any) -> None:
    made = await province.facility()
    one = f"/v1/facilities/{made['id']}"
    await province.change(one, json={"status": "closed"}, params={"reason": "hết dịch"})
    await province.remove(one, params={"reason": "nhập trùng"})
    lines = (await province.client.get(f"{one}/history")).json()["items"]
    assert [(line["action"], line["reason"]) for line in lines] == [
        ("removed", "nhập trùng"),
        ("changed", "hết dịch"),
        ("created", None),
    ]
    assert (lines[1]["before"]["status"], lines[1]["after"]["status"]) == ("active", "closed")
    assert {line["changed_by"] for line in lines} == {"test-province_lead"}


async def test_no_secret_is_in_the_past(province: Any) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    one = f"/v1/cameras/{camera['id']}"
    await province.remove(f"{one}/secret")
    then = (await province.client.get(one, params={"as_of": camera["changed_at"]})).json()
    now = (await province.client.get(one)).json()
    assert (then["has_secret"], now["has_secret"]) == (True, False)


class Replay:
    """The register as the change log has it."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.lines = sorted(lines, key=lambda line: line["id"])
        self.instants = sorted({datetime.fromisoformat(line["changed_at"]) for line in lines})

    def state(self, noun: str, at: datetime) -> dict[str, dict[str, Any]]:
        """By id, what was on record at `at`."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.lines:
            if line["noun"] != noun or datetime.fromisoformat(line["changed_at"]) > at:
                continue
            if line["after"] is None:
                del found[line["thing_id"]]
            else:
                found[line["thing_id"]] = line["after"]
        return found


async def edit_at_random(province: Any, dice: random.Random, edits: int) -> None:
    """Make, change and remove agencies, facilities and cameras; some of it is refused."""
    agency, unit = await province.agency(), await province.unit()
    await province.destination(url_template="rtsp://10.9.9.9/{facility_code}/{camera_code}")
    for number in range(edits):
        facilities = await listed(province, "facilities")
        cameras = await listed(province, "cameras")
        match dice.choice(("facility", "camera", "rename", "move", "status", "remove", "secret")):
            case "facility":
                await province.facility(unit_id=unit["id"], managing_agency_id=agency["id"])
            case "camera" if facilities:
                await province.camera(facility_id=dice.choice(facilities)["id"])
            case "rename" if facilities:
                one = f"/v1/facilities/{dice.choice(facilities)['id']}"
                await province.change(one, json={"code": f"KCL-{number}-R", "name": dice.choice(("Trường A", "B"))})
            case "move" if cameras:
                body = {"facility_id": dice.choice(facilities)["id"], "enabled": dice.choice((True, False))}
                await province.change(f"/v1/cameras/{dice.choice(cameras)['id']}", json=body)
            case "status" if facilities:
                status = dice.choice(("active", "suspended", "closed"))
                await province.change(f"/v1/facilities/{dice.choice(facilities)['id']}", json={"status": status})
            case "secret" if cameras:
                login = {"username": "u", "password": "p"}
                await province.put(f"/v1/cameras/{dice.choice(cameras)['id']}/secret", json=login)
            case "remove":
                path, things = dice.choice((("facilities", facilities), ("cameras", cameras)))
                if things:
                    await province.remove(f"/v1/{path}/{dice.choice(things)['id']}")


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_as_of_equals_replaying_the_change_log(province: Any, seed: int) -> None:
    await edit_at_random(province, random.Random(seed), 30)
    replay = Replay(await listed(province, "changes", limit=1000))
    for at in replay.instants:
        for path, noun in (("facilities", "facility"), ("cameras", "camera"), ("deliveries", "delivery")):
            shown = {each["id"]: each for each in await listed(province, path, as_of=at.isoformat(), limit=1000)}
            replayed = replay.state(noun, at)
            assert shown.keys() == replayed.keys(), (at, path)
            for thing_id, fields in shown.items():
                compared = {name: value for name, value in fields.items() if name not in BOOKKEEPING}
                assert {name: replayed[thing_id][name] for name in compared} == compared
