"""One address or one device under two cameras is refused, unless a reason is given; recorders and their channels."""

from typing import Any

import pytest

DEVICE = {"mac": "0a:1b:2c:3d:4e:5f", "serial": "DS-2CD2143"}


async def try_camera(province: Any, facility: dict[str, Any], **given: Any) -> Any:
    body = {"code": "CAM-99", "name": "Hành lang", "facility_id": facility["id"], "url": "rtsp://10.9.9.9/ch1"}
    return await province.client.post("/v1/cameras", json=body | given)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "RTSP://10.1.1.1:554/ch1/"}, "url"),
        ({"expected": {"mac": DEVICE["mac"]}}, "expected.mac"),
        ({"expected": {"serial": DEVICE["serial"]}}, "expected.serial"),
    ],
)
async def test_a_device_on_record_is_refused_and_named(province: Any, given: dict[str, Any], field: str) -> None:
    facility = await province.facility()
    known = await province.camera(facility_id=facility["id"], url="rtsp://10.1.1.1/ch1", expected=DEVICE)
    answer = await try_camera(province, facility, **given)
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert known["code"] in error["message"]


@pytest.mark.parametrize("by_file", [False, True])
@pytest.mark.parametrize(
    ("known", "given"),
    [
        ({"expected": {"mac": "0011.22aa.bbcc"}}, {"mac": "00-11-22-AA-BB-CC"}),
        ({"expected": {"mac": "00:11:22:aa:bb:cc"}}, {"mac": "00 11 22 aa bb cc"}),
        ({"expected": {"serial": "DS-2CD 2143"}}, {"serial": "ds-2cd2143"}),
        ({"url": "rtsp://cam.example.vn/1"}, {"url": "rtsp://Cam.example.vn.:554//1/"}),
        ({"url": "rtsp://[fd00::1]/1"}, {"url": "rtsp://[FD00:0::1]:554/1"}),
        ({"url": "rtsp://[::ffff:10.1.1.7]/1"}, {"url": "rtsp://10.1.1.7/1"}),
    ],
)
async def test_a_device_is_known_in_another_spelling(
    province: Any, known: dict[str, Any], given: dict[str, str], by_file: bool
) -> None:
    facility = await province.facility(code="KCL-01")
    await province.camera(facility_id=facility["id"], **known)
    ((column, value),) = given.items()
    if by_file:
        row = {"code": "CAM-99", "name": "Sân", "facility_code": "KCL-01", "url": "rtsp://10.9.9.9/ch1"} | given
        text = f"{','.join(row)}\n{','.join(row.values())}\n"
        headers = {"content-type": "text/csv"}
        refused = await province.client.post("/v1/imports/cameras", content=text.encode(), headers=headers)
    else:
        refused = await try_camera(province, facility, **(given if column == "url" else {"expected": given}))
    assert refused.status_code == (422 if by_file else 409), value
    assert refused.json()["errors"][0]["field"].endswith(column)


async def test_two_rows_of_a_file_are_one_device_in_another_spelling(province: Any) -> None:
    await province.facility(code="KCL-01")
    rows = [
        "CAM-1,A,KCL-01,rtsp://10.9.9.1/1,0011.22aa.bbcc,", "CAM-2,B,KCL-01,rtsp://10.9.9.2/1,00-11-22-AA-BB-CC,",
        "CAM-3,C,KCL-01,rtsp://10.9.9.3/1,,DS-1 a", "CAM-4,D,KCL-01,rtsp://10.9.9.4/1,,ds-1A",
        "CAM-5,E,KCL-01,rtsp://cam.vn/1,,", "CAM-6,F,KCL-01,RTSP://CAM.vn:554/1/,,",
    ]  # fmt: skip
    text = "\n".join(["code,name,facility_code,url,mac,serial", *rows])
    headers = {"content-type": "text/csv"}
    refused = await province.client.post("/v1/imports/cameras", content=text.encode(), headers=headers)
    found = [(error["row"], error["field"]) for error in refused.json()["errors"]]
    assert found == [(3, "mac"), (5, "serial"), (7, "url")]


async def test_with_a_reason_it_stands_and_is_flagged(province: Any) -> None:
    facility = await province.facility()
    await province.camera(facility_id=facility["id"], url="rtsp://10.1.1.1/ch1")
    answer = await try_camera(province, facility, url="rtsp://10.1.1.1/ch1", shared_device_reason="hai góc nhìn")
    assert answer.status_code == 201
    assert answer.json()["shared_device_reason"] == "hai góc nhìn"


async def test_a_change_to_something_else_is_not_held_up(province: Any) -> None:
    facility = await province.facility()
    await province.camera(facility_id=facility["id"], url="rtsp://10.1.1.1/ch1")
    twin = (await try_camera(province, facility, url="rtsp://10.1.1.1/ch1", shared_device_reason="hai góc")).json()
    renamed = await province.change(f"/v1/cameras/{twin['id']}", json={"name": "Sân"})
    assert renamed.status_code == 200


@pytest.mark.parametrize("by_file", [False, True])
async def test_the_reason_does_not_go_while_the_device_is_shared(province: Any, by_file: bool) -> None:
    facility = await province.facility(code="KCL-01")
    await province.camera(code="CAM-01", facility_id=facility["id"], url="rtsp://10.1.1.1/ch1")
    twin = (await try_camera(province, facility, url="rtsp://10.1.1.1/ch1", shared_device_reason="hai góc")).json()
    if by_file:
        text = "code,name,facility_code,url,shared_device_reason\nCAM-99,Sân,KCL-01,rtsp://10.1.1.1/ch1,\n"
        headers = {"content-type": "text/csv"}
        refused = await province.client.post("/v1/imports/cameras", content=text.encode(), headers=headers)
    else:
        refused = await province.change(f"/v1/cameras/{twin['id']}", json={"shared_device_reason": None})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422 if by_file else 409, "url")
    assert "CAM-01" in refused.text


@pytest.mark.parametrize("by_file", [False, True])
async def test_a_sub_stream_and_a_channel_are_the_device_too(province: Any, by_file: bool) -> None:
    facility = await province.facility(code="KCL-01")
    body = {"code": "DG-01", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 8}
    recorder = await province.post("/v1/recorders", body)
    played = {"recorder_id": recorder["id"], "channel": 2, "sub_url": "rtsp://10.1.1.1/ch2"}
    await province.camera(code="CAM-01", facility_id=facility["id"], url="rtsp://10.1.1.1/ch1", **played)
    if by_file:
        text = "code,name,facility_code,url,recorder_code,channel\nCAM-98,n,KCL-01,rtsp://10.1.1.1:554/ch2,,\n"
        text += "CAM-99,n,KCL-01,rtsp://10.9.9.9/1,DG-01,2\n"
        headers = {"content-type": "text/csv"}
        refused = await province.client.post("/v1/imports/cameras", content=text.encode(), headers=headers)
        found = [(error["row"], error["field"]) for error in refused.json()["errors"]]
        assert found == [(2, "url"), (3, "channel")]
        return
    refused = await try_camera(province, facility, url="rtsp://10.1.1.1:554/ch2")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "url")
    refused = await try_camera(province, facility, recorder_id=recorder["id"], channel=2)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "channel")
    used = await try_camera(province, facility, url="rtsp://10.9.9.9/1", sub_url="rtsp://10.1.1.1/ch1")
    assert (used.status_code, used.json()["errors"][0]["field"]) == (409, "sub_url")


async def test_a_camera_is_a_channel_that_its_recorder_has(province: Any) -> None:
    facility = await province.facility()
    recorder = await province.post(
        "/v1/recorders", {"code": "DG-01", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 8}
    )
    refused = await try_camera(province, facility, recorder_id=recorder["id"], channel=9)
    assert refused.status_code == 422
    assert "channels 1 to 8" in refused.text
    half = await try_camera(province, facility, channel=2)
    assert half.status_code == 422
    made = await try_camera(province, facility, recorder_id=recorder["id"], channel=2, vendor="dahua")
    assert made.status_code == 201
    held = await province.remove(f"/v1/recorders/{recorder['id']}")
    assert held.status_code == 409
    assert "CAM-99" in held.text


async def test_a_sub_stream_holds_no_credentials(province: Any) -> None:
    facility = await province.facility()
    refused = await try_camera(province, facility, sub_url="rtsp://admin:p4ss@10.9.9.9/ch2")
    assert refused.status_code == 422
    assert "p4ss" not in refused.text
    made = await try_camera(province, facility, sub_url="rtsp://10.9.9.9/ch2")
    assert made.json()["sub_url"] == "rtsp://10.9.9.9/ch2"


@pytest.mark.parametrize("sub_url", ["rtsp://admin:p4ss@10.9.9.9/ch2", "rtsp://10.9.9.9/ch2?password=p4ss", "ftp://x"])
async def test_a_file_brings_no_sub_stream_that_a_request_may_not(province: Any, sub_url: str) -> None:
    await province.facility(code="KCL-01")
    text = f"code,name,facility_code,url,sub_url\nCAM-99,Sân,KCL-01,rtsp://10.9.9.9/ch1,{sub_url}\n"
    headers = {"content-type": "text/csv"}
    refused = await province.client.post("/v1/imports/cameras", content=text.encode(), headers=headers)
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (422, ["sub_url"])
    assert not refused.json()["errors"][0]["message_vi"].startswith("không hợp lệ")
    assert "p4ss" not in refused.text


async def test_a_technician_gives_a_host_and_a_channel(province: Any) -> None:
    query = {"vendor": "kbvision", "host": "10.20.1.5", "channel": 3, "stream": "sub"}
    answer = await province.client.get("/v1/vendors/url", params=query)
    assert answer.json()["url"] == "rtsp://10.20.1.5/cam/realmonitor?channel=3&subtype=1"
    refused = await province.client.get("/v1/vendors/url", params=query | {"vendor": "tplink"})
    assert refused.status_code == 422
    makes = (await province.client.get("/v1/vendors")).json()["items"]
    assert {"hikvision", "dahua", "kbvision", "uniview", "ezviz", "tplink"} <= {one["vendor"] for one in makes}


async def test_a_recorder_has_a_host_without_a_port(province: Any) -> None:
    facility = await province.facility()
    body = {"code": "DG-01", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 8}
    refused = await province.client.post("/v1/recorders", json=body | {"host": "10.1.1.1:8554"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "host")
    assert (await province.post("/v1/recorders", body | {"host": "FD00::1"}))["host"] == "fd00::1"
