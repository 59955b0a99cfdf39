"""A recorder has the channels that cameras play, whoever changes which of the two, and one record."""

from typing import Any

import pytest

from vonggac.auth import Role


@pytest.mark.parametrize("way", ["patch", "bulk", "import"])
async def test_a_recorder_keeps_the_channels_that_cameras_play(province: Any, way: str) -> None:
    facility = await province.facility(code="KCL-01")
    body = {"code": "NVR-1", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 16}
    recorder = await province.post("/v1/recorders", body)
    played = {"facility_id": facility["id"], "recorder_id": recorder["id"], "channel": 9}
    camera = await province.camera(code="CAM-09", **played)
    one = f"/v1/recorders/{recorder['id']}"
    if way == "patch":
        refused = await province.change(one, json={"channels": 8})
    elif way == "bulk":
        item = {"id": recorder["id"], "etag": recorder["etag"], "channels": 8}
        refused = await province.client.patch("/v1/recorders/bulk", json=[item])
    else:
        content = "code,name,facility_code,channels\nNVR-1,Đầu ghi,KCL-01,8\n".encode()
        refused = await province.client.post(
            "/v1/imports/recorders", content=content, headers={"content-type": "text/csv"}
        )
    assert refused.status_code == 422, refused.text
    assert "CAM-09" in refused.text
    assert (await province.client.get(one)).json()["channels"] == 16
    # The camera can still be changed, and the recorder as far as it is played.
    assert (await province.change(f"/v1/cameras/{camera['id']}", json={"name": "Sân"})).status_code == 200
    assert (await province.change(one, json={"channels": 9})).status_code == 200


DEVICE = {"serial": "DS-7608 NI", "mac": "0a:1b:2c:3d:4e:5f"}
AGAIN = [{"serial": "ds-7608ni"}, {"mac": "0A-1B-2C-3D-4E-5F"}, {"serial": "X", "mac": "0a1b.2c3d.4e5f"}]


async def send_recorder(province: Any, way: str, facility: dict[str, Any], given: dict[str, Any]) -> Any:
    """A second recorder, NVR-2, with what is given."""
    body = {"code": "NVR-2", "name": "Đầu ghi 2", "facility_id": facility["id"], "channels": 16}
    if way == "post":
        return await province.client.post("/v1/recorders", json=body | given)
    if way == "bulk":
        return await province.client.post("/v1/recorders/bulk", json=[body | given])
    if way == "import":
        row = {"code": "NVR-2", "name": "Đầu ghi 2", "facility_code": facility["code"], "channels": "16"} | given
        content = f"{','.join(row)}\n{','.join(row.values())}\n".encode()
        return await province.client.post(
            "/v1/imports/recorders", content=content, headers={"content-type": "text/csv"}
        )
    made = await province.post("/v1/recorders", body)
    return await province.change(f"/v1/recorders/{made['id']}", json=given)


@pytest.mark.parametrize("way", ["post", "bulk", "import", "patch"])
@pytest.mark.parametrize("given", AGAIN)
async def test_one_device_under_two_recorders_is_refused_and_named(
    province: Any, way: str, given: dict[str, str]
) -> None:
    facility = await province.facility(code="KCL-01")
    body = {"code": "NVR-1", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 16}
    first = await province.post("/v1/recorders", body | DEVICE)
    refused = await send_recorder(province, way, facility, given)
    (error,) = refused.json()["errors"]
    assert refused.status_code == (422 if way == "import" else 409), refused.text
    assert error["field"].removeprefix("0.") == ("mac" if "mac" in given else "serial")
    assert "recorder NVR-1 has this" in error["message"]
    if way == "import":
        assert "không hợp lệ" not in error["message_vi"]
    # What is on record can be changed in something else.
    assert (await province.change(f"/v1/recorders/{first['id']}", json={"name": "Tên mới"})).status_code == 200


@pytest.mark.parametrize("way", ["post", "bulk", "import", "patch"])
async def test_with_a_reason_a_recorder_may_be_on_record_twice(province: Any, way: str) -> None:
    facility = await province.facility(code="KCL-01")
    body = {"code": "NVR-1", "name": "Đầu ghi", "facility_id": facility["id"], "channels": 16}
    await province.post("/v1/recorders", body | DEVICE)
    made = await send_recorder(province, way, facility, DEVICE | {"shared_device_reason": "hai đơn vị cùng quản lý"})
    assert made.status_code in {200, 201}, made.text
    [twin] = (await province.client.get("/v1/recorders?code=NVR-2")).json()["items"]
    assert twin["shared_device_reason"] == "hai đơn vị cùng quản lý"
    # The reason stays for as long as the device is shared.
    taken = await province.change(f"/v1/recorders/{twin['id']}", json={"shared_device_reason": None})
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "mac")


async def test_two_rows_of_a_file_are_one_recorder(province: Any) -> None:
    await province.facility(code="KCL-01")
    text = "code,name,facility_code,channels,serial\nNVR-1,A,KCL-01,8,S 1\nNVR-2,B,KCL-01,8,s1\n"
    for query in ({"dry_run": "true"}, {}):
        refused = await province.client.post(
            "/v1/imports/recorders", content=text.encode(), headers={"content-type": "text/csv"}, params=query
        )
        assert [(error["row"], error["field"]) for error in refused.json()["errors"]] == [(3, "serial")], refused.text


async def test_a_recorder_out_of_sight_is_not_named(province: Any, token_for: Any) -> None:
    hidden, own = await province.facility(), await province.facility()
    body = {"name": "Đầu ghi", "channels": 16} | DEVICE
    await province.post("/v1/recorders", body | {"code": "NVR-MAT", "facility_id": hidden["id"]})
    headers = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD, f'facility:{own["id"]}')}"}
    mine = body | {"code": "NVR-2", "facility_id": own["id"]}
    refused = await province.client.post("/v1/recorders", json=mine, headers=headers)
    assert refused.status_code == 409
    assert "NVR-MAT" not in refused.text
