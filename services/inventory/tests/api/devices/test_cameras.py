"""/v1/cameras, their deliveries and destinations."""

from typing import Any
from uuid import uuid4

import pytest


async def deliveries_of(province: Any, camera: dict[str, Any]) -> list[dict[str, Any]]:
    whole = (await province.client.get(f"/v1/cameras/{camera['id']}")).json()
    deliveries: list[dict[str, Any]] = whole["deliveries"]
    return deliveries


async def test_a_new_camera_goes_to_every_enabled_destination(province: Any) -> None:
    first = await province.destination()
    second = await province.destination(role="provincial")
    await province.destination(enabled=False)
    camera = await province.camera()
    assert {delivery["destination_id"] for delivery in camera["deliveries"]} == {first["id"], second["id"]}
    assert all(delivery["url"].endswith(f"/{camera['code']}") for delivery in camera["deliveries"])


async def test_a_new_camera_goes_only_where_it_is_said_to(province: Any) -> None:
    wanted = await province.destination()
    await province.destination()
    camera = await province.camera(destination_ids=[wanted["id"]])
    assert [delivery["destination_id"] for delivery in camera["deliveries"]] == [wanted["id"]]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"facility_id": str(uuid4())}, "facility_id"),
        ({"destination_ids": [str(uuid4())]}, "destination_ids"),
        ({"url": "http://10.1.1.1/"}, "url"),
        ({"url": "rtsp://10.1.1.1/password=x"}, "url"),
        ({"area": "bathroom"}, "area"),
        ({"probe_interval_s": 4}, "probe_interval_s"),
    ],
)
async def test_a_wrong_camera_is_refused_naming_the_field(province: Any, given: dict[str, Any], field: str) -> None:
    facility = await province.facility()
    body = {"code": "C", "name": "n", "url": "rtsp://10.1.1.1/1", "facility_id": facility["id"]}
    answer = await province.client.post("/v1/cameras", json=body | given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await province.client.get("/v1/cameras")).json()["items"] == []


async def test_a_shorter_interval_takes_the_timeout_with_it(province: Any) -> None:
    camera = await province.camera()
    one = f"/v1/cameras/{camera['id']}"
    assert camera["probe_timeout_s"] == 10
    assert (await province.change(one, json={"probe_interval_s": 8})).json()["probe_timeout_s"] == 4
    refused = await province.change(one, json={"probe_timeout_s": 8})
    assert refused.status_code == 422
    assert "less than probe_interval_s" in refused.text


async def test_a_destination_can_take_every_camera_there_is(province: Any) -> None:
    cameras = [await province.camera() for _ in range(3)]
    late = await province.destination(connect_all_cameras=True)
    for camera in cameras:
        assert [delivery["destination_id"] for delivery in await deliveries_of(province, camera)] == [late["id"]]


async def test_a_new_template_moves_every_delivery(province: Any) -> None:
    destination = await province.destination()
    camera = await province.camera()
    one = f"/v1/destinations/{destination['id']}"
    await province.change(one, json={"url_template": "rtsp://10.9.9.9/{facility_code}/{camera_id}"})
    (delivery,) = await deliveries_of(province, camera)
    assert delivery["url"].endswith(f"/{camera['id']}")
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json()["revision"] == 2


async def test_two_destinations_never_publish_to_one_address(province: Any) -> None:
    template = "rtsp://10.9.9.9/{camera_code}"
    await province.destination(url_template=template)
    await province.destination(url_template=template)
    facility = await province.facility()
    body = {"code": "C", "name": "n", "url": "rtsp://10.1.1.1/1", "facility_id": facility["id"]}
    answer = await province.client.post("/v1/cameras", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "url_template")
    assert (await province.client.get("/v1/cameras")).json()["items"] == []


async def test_codes_that_meet_in_an_address_are_refused(province: Any) -> None:
    await province.destination(url_template="rtsp://10.9.9.9/{facility_code}-{camera_code}")
    first = await province.facility(code="A")
    second = await province.facility(code="A-B")
    await province.camera(facility_id=first["id"], code="B-C")
    body = {"code": "C", "name": "n", "url": "rtsp://10.1.1.1/1", "facility_id": second["id"]}
    assert (await province.client.post("/v1/cameras", json=body)).status_code == 409


async def test_cameras_may_swap_their_codes_by_way_of_a_third(province: Any) -> None:
    await province.destination()
    first, second = await province.camera(code="A"), await province.camera(code="B")
    for camera, code in ((first, "X"), (second, "A"), (first, "B")):
        answer = await province.change(f"/v1/cameras/{camera['id']}", json={"code": code})
        assert answer.status_code == 200
    (delivery,) = await deliveries_of(province, first)
    assert delivery["url"].endswith("/B")


async def test_a_delivery_exists_once(province: Any) -> None:
    destination = await province.destination()
    camera = await province.camera()
    body = {"camera_id": camera["id"], "destination_id": destination["id"]}
    answer = await province.client.post("/v1/deliveries", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "destination_id")


async def test_a_destination_in_use_stays_unless_it_is_disconnected(province: Any) -> None:
    destination = await province.destination()
    camera = await province.camera()
    one = f"/v1/destinations/{destination['id']}"
    refused = await province.remove(one)
    assert refused.status_code == 409
    assert camera["code"] in refused.json()["detail"]
    assert (await province.remove(one, params={"disconnect_all_cameras": "true"})).status_code == 204
    assert await deliveries_of(province, camera) == []


async def test_cameras_are_found_by_facility_unit_destination_and_area(province: Any) -> None:
    facility = await province.facility()
    destination = await province.destination()
    wanted = await province.camera(facility_id=facility["id"], area="gate")
    await province.camera(destination_ids=[])
    filters = (
        {"facility_id": facility["id"]},
        {"unit_id": facility["unit_id"]},
        {"destination_id": destination["id"]},
        {"area": "gate"},
        {"code": wanted["code"]},
    )
    for query in filters:
        found = (await province.client.get("/v1/cameras", params=query)).json()["items"]
        assert [camera["id"] for camera in found] == [wanted["id"]], query


async def test_a_technician_gives_make_and_host_in_place_of_a_url(province: Any) -> None:
    facility = await province.facility()
    recorder = {"code": "NVR-1", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 8}
    made = await province.post("/v1/recorders", recorder)
    here: dict[str, Any] = {"facility_id": facility["id"], "vendor": "hikvision", "url": "10.20.1.5"}
    alone = await province.camera(**here, sub_url="10.20.1.5")
    assert alone["url"] == "rtsp://10.20.1.5/Streaming/Channels/101"
    assert alone["sub_url"] == "rtsp://10.20.1.5/Streaming/Channels/102"
    third = await province.camera(**here, recorder_id=made["id"], channel=3)
    assert third["url"] == "rtsp://10.20.1.5/Streaming/Channels/301"
    moved = await province.change(f"/v1/cameras/{third['id']}", json={"url": "10.20.1.9:8554"})
    assert moved.json()["url"] == "rtsp://10.20.1.9:8554/Streaming/Channels/301"
    for given, word in (
        ({"vendor": None}, "scheme"),
        ({"vendor": "tplink", "recorder_id": made["id"], "channel": 4}, "channel"),
    ):
        body = {"code": "X", "name": "X", **here} | given
        refused = await province.client.post("/v1/cameras", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url"), refused.text
        assert word in refused.json()["errors"][0]["message"]


async def test_a_file_gives_make_and_host_in_place_of_a_url(province: Any) -> None:
    facility = await province.facility(code="KCL-01")
    await province.post(
        "/v1/recorders", {"code": "NVR-1", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 8}
    )
    heading = "Mã camera;Tên camera;Mã cơ sở;Địa chỉ luồng;Địa chỉ luồng phụ;Hãng;Mã đầu ghi;Kênh\r\n"
    rows = ("C1;Cổng;KCL-01;10.20.1.5;10.20.1.5;dahua;NVR-1;2", "C2;Sân;KCL-01;10.20.1.6;;tplink;;")
    headers = {"content-type": "text/csv"}
    answer = await province.client.post(
        "/v1/imports/cameras", content=(heading + "\r\n".join(rows)).encode(), headers=headers
    )
    assert answer.status_code == 200, answer.text
    found = (await province.client.get("/v1/cameras", params={"sort": "code"})).json()["items"]
    assert [(one["url"], one["sub_url"]) for one in found] == [
        (
            "rtsp://10.20.1.5/cam/realmonitor?channel=2&subtype=0",
            "rtsp://10.20.1.5/cam/realmonitor?channel=2&subtype=1",
        ),
        ("rtsp://10.20.1.6/stream1", None),
    ]
    moved = "code,name,facility_code,url\r\nC1,Cổng,KCL-01,10.20.1.9\r\nC2,Sân,KCL-01,10.20.1.8\r\n"
    for dry_run in ("true", "false"):
        again = await province.client.post(
            "/v1/imports/cameras", content=moved.encode(), headers=headers, params={"dry_run": dry_run}
        )
        assert (again.status_code, again.json().get("updated")) == (200, 2), again.text
    found = (await province.client.get("/v1/cameras", params={"sort": "code"})).json()["items"]
    assert [one["url"] for one in found] == [
        "rtsp://10.20.1.9/cam/realmonitor?channel=2&subtype=0", "rtsp://10.20.1.8/stream1",
    ]  # fmt: skip
    no_longer = f"{heading}C1;Cổng;KCL-01;10.20.1.5;;;NVR-1;2"
    refused = await province.client.post("/v1/imports/cameras", content=no_longer.encode(), headers=headers)
    assert [(error["field"], refused.status_code) for error in refused.json()["errors"]] == [("url", 422)]
    wrong = heading + "C3;Cổng;KCL-01;10.20.1.7;;tplink;NVR-1;4"
    refused = await province.client.post("/v1/imports/cameras", content=wrong.encode(), headers=headers)
    (mistake,) = refused.json()["errors"]
    assert (refused.status_code, mistake["field"]) == (422, "url"), refused.text
    assert "chỉ có một kênh" in mistake["message_vi"]
