"""Files that come at once: what each was compared with is no longer all that there is."""

import asyncio
from typing import Any

import httpx

HEADINGS = "code,name,facility_code,url,serial\n"


async def send(province: Any, *rows: str) -> httpx.Response:
    body = (HEADINGS + "\n".join(rows)).encode()
    answer: httpx.Response = await province.client.post(
        "/v1/imports/cameras", content=body, headers={"content-type": "text/csv"}
    )
    return answer


async def test_one_device_does_not_come_under_two_cameras_by_files_at_once(province: Any) -> None:
    await province.facility(code="KCL-1")
    await province.camera(code="C-0")
    ways = [f"C-{number},Cổng,KCL-1,rtsp://10.7.1.1{':554' if number % 2 else ''}/a," for number in range(1, 5)]
    answers = await asyncio.gather(
        *(send(province, way, f"{way[:3]}9,Sân,KCL-1,rtsp://10.7.2.{number}/a,") for number, way in enumerate(ways))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    [stored] = [ways[place][:3] for place, answer in enumerate(answers) if answer.status_code == 200]
    for answer in answers:
        if answer.status_code == 422:
            [error] = answer.json()["errors"]
            assert (error["row"], error["field"]) == (2, "url")
            assert f"camera {stored} has this address" in error["message"]
            assert f"camera {stored} đã có thiết bị này" in error["message_vi"]
    cameras = (await province.client.get("/v1/cameras")).json()["items"]
    assert {each["code"] for each in cameras} == {"C-0", stored, f"{stored}9"}


async def test_a_camera_made_beside_a_file_keeps_its_device(province: Any) -> None:
    """Whoever is first: the other is refused, and nothing of it is stored."""
    facility = await province.facility(code="KCL-1")
    changed = await province.camera(code="C-1", url="rtsp://10.7.1.9/a", facility_id=facility["id"])
    body = {"code": "C-2", "name": "Cổng", "facility_id": facility["id"], "url": "rtsp://10.7.1.1/a"}
    body["expected"] = {"serial": "DS 2CD-1"}
    file, made = await asyncio.gather(
        send(province, "C-1,Cổng,KCL-1,rtsp://10.7.1.3/a,ds2cd-1"), province.client.post("/v1/cameras", json=body)
    )
    assert {file.status_code, made.status_code} in ({200, 409}, {422, 201}), (file.text, made.text)
    present = (await province.client.get(f"/v1/cameras/{changed['id']}")).json()
    assert (present["url"] == "rtsp://10.7.1.3/a") == (file.status_code == 200)


async def test_files_at_once_about_different_devices_are_all_stored(province: Any) -> None:
    await province.facility(code="KCL-1")
    rows = [f"C-{number},Cổng,KCL-1,rtsp://10.7.1.{number}/a,S{number}" for number in range(5)]
    answers = await asyncio.gather(*(send(province, row) for row in rows))
    assert [answer.status_code for answer in answers] == [200] * 5
