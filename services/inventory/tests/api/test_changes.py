"""/v1/changes: every change with who, when, in which request, before and after."""

from typing import Any


async def test_each_change_is_on_record(province: Any) -> None:
    agency = await province.agency(name="Sở Y tế")
    one = f"/v1/agencies/{agency['id']}"
    answer = await province.change(one, json={"name": "Sở mới"}, headers={"X-Request-Id": "req-7"})
    assert answer.headers["x-request-id"] == "req-7"
    await province.remove(one)
    log = (await province.client.get("/v1/changes", params={"thing_id": agency["id"]})).json()["items"]
    assert [line["action"] for line in log] == ["removed", "changed", "created"]
    changed = log[1]
    assert (changed["before"]["name"], changed["after"]["name"]) == ("Sở Y tế", "Sở mới")
    assert (changed["changed_by"], changed["request_id"], changed["noun"]) == ("test-province_lead", "req-7", "agency")


async def test_a_refused_change_leaves_no_line(province: Any) -> None:
    first = await province.agency()
    second = await province.agency()
    await province.change(f"/v1/agencies/{second['id']}", json={"code": first["code"]})
    log = (await province.client.get("/v1/changes", params={"thing_id": second["id"]})).json()["items"]
    assert [line["action"] for line in log] == ["created"]


async def test_the_log_is_narrowed_and_paged_newest_first(province: Any) -> None:
    for _ in range(3):
        await province.agency()
    await province.unit()
    query: dict[str, Any] = {"noun": "agency", "action": "created", "limit": 2}
    first = (await province.client.get("/v1/changes", params=query)).json()
    second = (await province.client.get("/v1/changes", params=query | {"cursor": first["next"]})).json()
    ids = [line["id"] for line in first["items"] + second["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), second["next"]) == (3, None)


async def test_a_camera_logs_its_deliveries_too(province: Any) -> None:
    await province.destination()
    camera = await province.camera()
    await province.remove(f"/v1/cameras/{camera['id']}")
    log = (await province.client.get("/v1/changes", params={"noun": "delivery"})).json()["items"]
    assert [line["action"] for line in log] == ["removed", "created"]
    assert log[0]["before"]["camera_id"] == camera["id"]
