"""What a scan found is taken into the register by one call, by the rules of every camera."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from vonggac.auth import Role


def source(code: str, url: str, **profile: Any) -> dict[str, Any]:
    return {"code": code, "name": f"HIKVISION DS-2CD {code}", "url": url, "profile": {"token": "p"} | profile}


def scan(*results: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(uuid4()), "state": "done", "total": len(results), "results": list(results)}


def camera_at(address: str, *, serial: str = "", port: int = 80) -> dict[str, Any]:
    code = f"CAM-{address.replace('.', '-')}"
    device = {"manufacturer": "HIKVISION", "model": "DS-2CD", "serial_number": serial or None, "mac": None}
    found = [source(code, f"rtsp://{address}:554/Streaming/Channels/101", codec="h264", width=1920, height=1080)]
    return {"address": address, "port": port, "onvif": True, "device": device, "cameras": found, "profiles": []}


async def accept(province: Any, facility: dict[str, Any], body: dict[str, Any], **more: Any) -> Any:
    return await province.client.post(f"/v1/facilities/{facility['id']}/scanned-cameras", json=body, **more)


async def test_one_call_takes_every_camera_of_a_scan(province: Any) -> None:
    await province.destination(code="TT-QG")
    facility = await province.facility(code="KCL-01")
    found = scan(camera_at("10.20.1.5", serial="S-1"), camera_at("10.20.1.6", serial="S-2"))
    answer = await accept(province, facility, {"scan": found, "username": "admin", "password": "p@ss/w:ord"})
    assert answer.status_code == 201, answer.text
    first, second = answer.json()["created"]
    assert (first["code"], second["code"]) == ("KCL-01-10-20-1-5", "KCL-01-10-20-1-6")
    assert (first["url"], first["has_secret"]) == ("rtsp://10.20.1.5:554/Streaming/Channels/101", True)
    assert (first["vendor"], first["model"]) == ("hikvision", "DS-2CD")
    assert first["expected"] == {
        "codec": "h264", "width": 1920, "height": 1080, "fps": None, "serial": "S-1", "mac": None,
        "onvif_address": "10.20.1.5:80",
    }  # fmt: skip
    assert "p@ss" not in answer.text
    whole = (await province.client.get(f"/v1/cameras/{first['id']}")).json()
    assert len(whole["deliveries"]) == 1


async def test_what_is_on_record_already_is_named_and_stays(province: Any) -> None:
    facility = await province.facility(code="KCL-01")
    await province.camera(facility_id=facility["id"], code="CAM-01", url="rtsp://10.20.1.5/Streaming/Channels/101")
    moved = camera_at("10.20.9.9", serial="S-7")
    await province.camera(facility_id=facility["id"], code="CAM-07", expected={"serial": "S-7"})
    found = scan(camera_at("10.20.1.5"), camera_at("10.20.1.6"), moved)
    answer = (await accept(province, facility, {"scan": found})).json()
    assert [camera["code"] for camera in answer["created"]] == ["KCL-01-10-20-1-6"]
    assert [(each["on_record"], each["by"]) for each in answer["known"]] == [("CAM-01", "url"), ("CAM-07", "serial")]
    again = (await accept(province, facility, {"scan": found})).json()
    assert (again["created"], len(again["known"])) == ([], 3)


async def test_some_are_chosen_by_their_codes(province: Any) -> None:
    facility = await province.facility()
    found = scan(camera_at("10.20.1.5"), camera_at("10.20.1.6"))
    body = {"scan": found, "codes": ["CAM-10-20-1-6"], "prefix": "NHA-A", "destination_ids": []}
    (made,) = (await accept(province, facility, body)).json()["created"]
    assert made["code"] == "NHA-A-10-20-1-6"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"codes": ["CAM-9"]}, "codes"),
        ({"username": "admin"}, "password"),
        ({"scan": scan()}, "scan"),
        ({"scan": scan(camera_at("10.20.1.5") | {"port": 0})}, "scan.results.0.port"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_what_does_not_fit_is_refused_and_nothing_is_stored(
    province: Any, change: dict[str, Any], field: str
) -> None:
    facility = await province.facility()
    answer = await accept(province, facility, {"scan": scan(camera_at("10.20.1.5"))} | change)
    assert answer.status_code == 422
    assert field in answer.text
    assert (await province.client.get("/v1/cameras")).json()["items"] == []


async def test_one_that_is_refused_keeps_all_out(province: Any) -> None:
    facility = await province.facility(code="KCL-01")
    await province.camera(facility_id=facility["id"], code="KCL-01-10-20-1-6")
    found = scan(camera_at("10.20.1.5"), camera_at("10.20.1.6"))
    answer = await accept(province, facility, {"scan": found})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "1.code")
    assert len((await province.client.get("/v1/cameras")).json()["items"]) == 1


async def test_a_login_needs_the_right_to_write_secrets(province: Any, token_for: Callable[[Role], str]) -> None:
    facility = await province.facility()
    headers = {"Authorization": f"Bearer {token_for(Role.READER)}"}
    body = {"scan": scan(camera_at("10.20.1.5")), "username": "admin", "password": "x"}
    assert (await accept(province, facility, body, headers=headers)).status_code == 403
    assert (await accept(province, {"id": str(uuid4())}, body)).status_code == 404
