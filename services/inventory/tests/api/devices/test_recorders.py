"""A recorder has the channels that cameras play, whoever changes which of the two."""

from typing import Any

import pytest


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
