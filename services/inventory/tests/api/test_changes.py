"""/v1/changes: every change with who, when, in which request, before and after; /v1/actions: in the words of all
services."""

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


async def list_actions(province: Any, **query: Any) -> list[dict[str, Any]]:
    answer = await province.client.get("/v1/actions", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_an_act_names_who_did_what_to_what(province: Any) -> None:
    agency = await province.agency(name="Sở Y tế")
    await province.change(f"/v1/agencies/{agency['id']}", json={"name": "Sở Y tế tỉnh"}, params={"reason": "Đổi tên"})
    newest, first = await list_actions(province)
    assert (newest["action"], newest["noun"], newest["by"]) == ("changed", "agency", "test-province_lead")
    assert (newest["name"], newest["reason"]) == (f"{agency['code']} · Sở Y tế tỉnh", "Đổi tên")
    assert (first["action"], first["thing_id"], first["reason"]) == ("created", agency["id"], None)


async def test_acts_are_narrowed_by_words_without_accents_and_by_time_and_come_in_pages(province: Any) -> None:
    for name in ("Sở Y tế", "Sở Giao thông", "Sở Y tế Đông Hà"):
        await province.agency(name=name)
    for words, name in (("giao thong", "Sở Giao thông"), ("DONG ha", "Sở Y tế Đông Hà")):
        [found] = await list_actions(province, q=words)
        assert found["name"].endswith(f" · {name}")
    last, *_, first = await list_actions(province)
    assert [one["id"] for one in await list_actions(province, since=last["at"])] == [last["id"]]
    assert last["id"] not in {one["id"] for one in await list_actions(province, until=last["at"])}
    page = (await province.client.get("/v1/actions", params={"limit": 2})).json()
    [other] = (await province.client.get("/v1/actions", params={"limit": 2, "cursor": page["next"]})).json()["items"]
    assert other["id"] == first["id"]


async def test_a_delivery_names_its_camera(province: Any) -> None:
    await province.destination()
    camera = await province.camera()
    [delivery] = [one for one in await list_actions(province) if one["noun"] == "delivery"]
    assert delivery["camera_ids"] == [camera["id"]]
