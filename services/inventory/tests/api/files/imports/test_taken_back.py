"""An import is taken back: cameras all at once, deliveries too, and what a rule forbids now stays and is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

CSV = {"content-type": "text/csv"}
CAMERAS = (
    "code,name,facility_code,url,area,destinations,probe_interval_s,codec\r\n"
    "CAM-01,Hành lang,KCL-01,rtsp://admin:p@10.1.1.1/ch1,corridor,TT-QG;IOC,20,h264\r\n"
    "CAM-02,Cổng,KCL-01,rtsp://10.1.1.2/ch1,gate,TT-QG,30,h264\r\n"
    "CAM-03,Sân,KCL-01,rtsp://10.1.1.3/ch1,,none,30,\r\n"
)


@pytest_asyncio.fixture
async def stocked(province: Any) -> Any:
    await province.destination(code="TT-QG")
    await province.destination(code="IOC", role="provincial")
    await province.facility(code="KCL-01")
    await send(province, CAMERAS)
    return province


async def send(province: Any, text: str, noun: str = "cameras") -> str:
    params = {"reason": "nhập danh sách"}
    answer = await province.client.post(f"/v1/imports/{noun}", content=text.encode(), headers=CSV, params=params)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def take_back(province: Any, import_id: str) -> Any:
    answer = await province.client.post(f"/v1/imports/{import_id}/revert")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def register(province: Any) -> dict[str, Any]:
    """Every camera by its code with its deliveries, without what a change raises."""
    found = {}
    for item in (await province.client.get("/v1/cameras")).json()["items"]:
        whole = (await province.client.get(f"/v1/cameras/{item['id']}")).json()
        left_out = {"revision", "etag", "changed_at", "secret_changed_at"}
        found[item["code"]] = {name: value for name, value in whole.items() if name not in left_out}
    return found


async def test_plain_and_ruled_fields_return_in_every_camera(stocked: Any) -> None:
    before = await register(stocked)
    done = await send(
        stocked,
        "code,name,facility_code,url,area,probe_interval_s,codec\r\n"
        "CAM-01,Tên mới,KCL-01,rtsp://10.1.1.1/ch1,yard,60,h265\r\n"
        "CAM-02,Tên mới,KCL-01,rtsp://10.1.1.9/ch2,,60,h264\r\n"
        "CAM-03,Tên mới,KCL-01,rtsp://10.1.1.3/ch1,yard,15,\r\n",
    )
    assert await register(stocked) != before
    assert await take_back(stocked, done) == {"removed": 0, "restored": 3, "left": []}
    assert await register(stocked) == before


async def test_each_camera_is_published_once_and_its_history_says_why(stocked: Any) -> None:
    (camera,) = (await stocked.client.get("/v1/cameras", params={"code": "CAM-03"})).json()["items"]
    done = await send(
        stocked, "code,name,facility_code,url,probe_interval_s\r\nCAM-03,Mới,KCL-01,rtsp://10.1.1.3/ch1,60\r\n"
    )
    await take_back(stocked, done)
    after = (await stocked.client.get(f"/v1/cameras/{camera['id']}")).json()
    assert (after["name"], after["probe_timeout_s"], after["revision"]) == ("Sân", 10, camera["revision"] + 2)
    history = (await stocked.client.get(f"/v1/cameras/{camera['id']}/history")).json()["items"]
    assert (history[0]["before"]["name"], history[0]["after"]["name"]) == ("Mới", "Sân")
    assert done in history[0]["reason"]
    found = await stocked.client.get("/v1/cameras", params={"q": "moi"})
    assert found.json()["items"] == []


async def test_connections_that_a_file_cut_or_made_return(stocked: Any) -> None:
    before = await register(stocked)
    done = await send(
        stocked,
        "code,name,facility_code,url,destinations\r\n"
        "CAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,IOC\r\n"
        "CAM-02,Cổng,KCL-01,rtsp://10.1.1.2/ch1,TT-QG;IOC\r\n",
    )
    between = await register(stocked)
    assert [len(between[code]["deliveries"]) for code in ("CAM-01", "CAM-02")] == [1, 2]
    back = await take_back(stocked, done)
    assert (back["removed"], back["left"]) == (1, [])
    assert await register(stocked) == before


async def test_a_camera_whose_device_another_one_has_now_stays_and_is_named(stocked: Any) -> None:
    done = await send(
        stocked,
        "code,name,facility_code,url\r\n"
        "CAM-02,Cổng,KCL-01,rtsp://10.1.1.9/ch1\r\nCAM-03,Mới,KCL-01,rtsp://10.1.1.3/ch1\r\n",
    )
    facility = (await register(stocked))["CAM-01"]["facility_id"]
    await stocked.camera(facility_id=facility, code="CAM-04", url="rtsp://10.1.1.2/ch1")
    back = await take_back(stocked, done)
    assert [(left["key"], "CAM-04" in left["reason"]) for left in back["left"]] == [("CAM-02", True)]
    after = await register(stocked)
    assert (after["CAM-02"]["url"], after["CAM-03"]["name"]) == ("rtsp://10.1.1.9/ch1", "Sân")


async def test_a_delivery_that_somebody_touched_stays_and_is_named(stocked: Any) -> None:
    done = await send(
        stocked, "code,name,facility_code,url,destinations\r\nCAM-03,Mới,KCL-01,rtsp://10.1.1.3/ch1,TT-QG;IOC\r\n"
    )
    first, second = (await register(stocked))["CAM-03"]["deliveries"]
    await stocked.change(f"/v1/deliveries/{first['id']}", json={"enabled": False})
    back = await take_back(stocked, done)
    assert [(left["noun"], left["id"]) for left in back["left"]] == [("delivery", first["id"])]
    after = (await register(stocked))["CAM-03"]
    assert (after["name"], [each["id"] for each in after["deliveries"]]) == ("Sân", [first["id"]])
    assert second["id"] != first["id"]


async def test_a_delivery_that_a_file_cut_has_its_period_again(stocked: Any) -> None:
    (first, _) = (await register(stocked))["CAM-01"]["deliveries"]
    one = f"/v1/deliveries/{first['id']}"
    period = {"valid_from": "2021-05-10", "valid_to": "2021-12-31"}
    assert (await stocked.change(one, json=period | {"enabled": False})).status_code == 200
    before = (await stocked.client.get(one)).json()
    done = await send(
        stocked, "code,name,facility_code,url,destinations\r\nCAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,none\r\n"
    )
    assert (await take_back(stocked, done))["left"] == []
    after = (await stocked.client.get(one)).json()
    names = ("id", "camera_id", "destination_id", "enabled", "url", "valid_from", "valid_to")
    assert [after[name] for name in names] == [before[name] for name in names]


async def test_a_camera_that_maintenance_is_agreed_for_stays_and_the_others_go(stocked: Any) -> None:
    done = await send(
        stocked,
        "code,name,facility_code,url\r\n"
        "CAM-11,Cổng,KCL-01,rtsp://10.1.1.11/ch1\r\nCAM-12,Sân,KCL-01,rtsp://10.1.1.12/ch1\r\n",
    )
    (camera,) = (await stocked.client.get("/v1/cameras", params={"code": "CAM-11"})).json()["items"]
    soon = datetime.now(UTC) + timedelta(days=1)
    window = {"starts_at": soon.isoformat(), "ends_at": (soon + timedelta(hours=1)).isoformat(), "purpose": "Thay"}
    await stocked.post("/v1/maintenance-windows", window | {"camera_id": camera["id"]})
    back = await take_back(stocked, done)
    assert [(left["noun"], left["key"]) for left in back["left"]] == [("camera", "CAM-11")]
    assert "maintenance" in back["left"][0]["reason"]
    found = await register(stocked)
    assert ("CAM-11" in found, "CAM-12" in found) == (True, False)
    assert len(found["CAM-11"]["deliveries"]) == 2


async def test_a_journal_entry_of_a_file_is_neither_changed_nor_taken_back(stocked: Any) -> None:
    facility = (await register(stocked))["CAM-01"]["facility_id"]
    row = f"facility,{facility},Đã gọi điện"
    done = await send(stocked, f"about_noun,about_id,text\r\n{row}\r\n", "journal-entries")
    dated = f"about_noun,about_id,text,valid_to\r\n{row},2021-05-10\r\n"
    changed = await stocked.client.post(
        "/v1/imports/journal-entries", content=dated.encode(), headers=CSV, params={"reason": "sửa"}
    )
    assert (changed.status_code, changed.json()["errors"][0]["row"]) == (422, 2), changed.text
    back = await take_back(stocked, done)
    assert (back["removed"], [left["noun"] for left in back["left"]]) == (0, ["journal_entry"])
    (entry,) = (await stocked.client.get("/v1/journal-entries")).json()["items"]
    assert (entry["text"], entry["valid_to"], entry["revision"]) == ("Đã gọi điện", None, 1)
