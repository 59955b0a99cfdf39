"""What the survey noted of a camera's device."""

from typing import Any

import pytest
from nats.js.errors import NotFoundError

from vonggac.bus import Bus
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1, ExpectedDevice
from vonggac.testing import eventually

NOTED = {"codec": "h264", "width": 1920, "height": 1080, "fps": 25, "serial": "DS-2CD1", "mac": "0A-1B-2C-3D-4E-5F"}


async def test_what_was_noted_is_shown_and_reaches_the_workers(province: Any, bus: Bus) -> None:
    camera = await province.camera(expected=NOTED)
    assert camera["expected"]["mac"] == "0a:1b:2c:3d:4e:5f"
    assert camera["expected"]["onvif_address"] is None

    async def published() -> ExpectedDevice | None:
        try:
            stored = await bus.js.get_last_msg("INVENTORY", subjects.inventory("camera", camera["id"]))
        except NotFoundError:
            return None
        data = decode(stored.data or b"").data
        return data.expected if isinstance(data, CameraV1) else None

    expected = await eventually(published)
    assert expected is not None
    assert (expected.codec, expected.width, expected.fps, expected.serial) == ("h264", 1920, 25.0, "DS-2CD1")


async def test_it_can_be_noted_later_and_taken_back(province: Any) -> None:
    camera = await province.camera()
    assert camera["expected"] is None
    one = f"/v1/cameras/{camera['id']}"
    noted = (await province.change(one, json={"expected": {"onvif_address": "10.20.1.5:8080"}})).json()
    assert noted["expected"]["onvif_address"] == "10.20.1.5:8080"
    assert noted["revision"] == 2
    kept = (await province.change(one, json={"name": "Cổng"})).json()
    assert kept["expected"] == noted["expected"]
    assert (await province.change(one, json={"expected": None})).json()["expected"] is None


@pytest.mark.parametrize(
    ("expected", "field"),
    [
        ({"mac": "0a:1b:2c"}, "expected.mac"),
        ({"codec": "mjpeg"}, "expected.codec"),
        ({"width": 0}, "expected.width"),
        ({"onvif_address": "http://10.20.1.5/onvif"}, "expected.onvif_address"),
        ({"lens": "2.8 mm"}, "expected.lens"),
    ],
)
async def test_what_cannot_be_is_refused_naming_the_field(province: Any, expected: dict[str, Any], field: str) -> None:
    camera = await province.camera()
    answer = await province.change(f"/v1/cameras/{camera['id']}", json={"expected": expected})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_where_a_cameras_clock_is_set_from_is_on_record(province: Any) -> None:
    camera = await province.camera(time_source="NTP 10.20.1.1")
    one = f"/v1/cameras/{camera['id']}"
    assert camera["time_source"] == "NTP 10.20.1.1"
    changed = (await province.change(one, json={"time_source": None})).json()
    assert changed["time_source"] is None
    then = await province.client.get(one, params={"as_of": camera["changed_at"]})
    assert then.json()["time_source"] == "NTP 10.20.1.1"
    (last, _) = (await province.client.get(f"{one}/history")).json()["items"]
    assert (last["before"]["time_source"], last["after"]["time_source"]) == ("NTP 10.20.1.1", None)
    lines = "code,name,facility_code,url,Nguồn thời gian\r\n"
    facility = (await province.client.get(f"/v1/facilities/{camera['facility_id']}")).json()
    lines += f"{camera['code']},{camera['name']},{facility['code']},{camera['url']},đầu ghi\r\n"
    answer = await province.client.post(
        "/v1/imports/cameras", content=lines.encode(), headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    assert (await province.client.get(one)).json()["time_source"] == "đầu ghi"
    revert = await province.client.post(f"/v1/imports/{answer.json()['id']}/revert")
    assert revert.status_code == 200, revert.text
    assert (await province.client.get(one)).json()["time_source"] is None


async def test_camera_security_is_declared_by_request_and_by_file(province: Any) -> None:
    declared: dict[str, Any] = {
        "default_password_changed": True,
        "cloud_access": False,
        "firmware": "V5.5",
        "firmware_released_on": "2026-01-15",
        "certificate": "QCVN135-0001",
        "certificate_valid_until": "2029-01-14",
    }
    camera = await province.camera(**declared)
    assert {name: camera[name] for name in declared} == declared
    one = f"/v1/cameras/{camera['id']}"
    facility = (await province.client.get(f"/v1/facilities/{camera['facility_id']}")).json()
    lines = "code,name,facility_code,url,Đã đổi mật khẩu mặc định,Truy cập qua đám mây của hãng (P2P)\r\n"
    lines += f"{camera['code']},{camera['name']},{facility['code']},{camera['url']},không,\r\n"
    answer = await province.client.post(
        "/v1/imports/cameras", content=lines.encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    changed = (await province.client.get(one)).json()
    assert (changed["default_password_changed"], changed["certificate"]) == (False, "QCVN135-0001")
    answer = await province.change(one, json={"certificate": None})
    assert answer.status_code == 422
    assert "certificate_valid_until" in answer.text
