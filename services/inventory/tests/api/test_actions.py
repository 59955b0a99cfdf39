"""/v1/actions: the log in the words of all services, narrowed by time and words, for who may read it."""

from typing import Any


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
