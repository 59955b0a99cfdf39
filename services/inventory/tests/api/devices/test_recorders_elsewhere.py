"""A camera plays a recorder of its own facility, or somebody says why: codes are of the whole province, and one typed
wrong is mostly that of another site."""

from typing import Any

import pytest
import pytest_asyncio

CSV = {"content-type": "text/csv"}
REASON = {"reason": "đầu ghi đặt tại khu A, dùng chung"}


@pytest_asyncio.fixture
async def sites(province: Any) -> Any:
    """Two facilities; one has a recorder."""
    province.here = await province.facility(code="KCL-01")
    province.there = await province.facility(code="KCL-02")
    body = {"code": "NVR-2", "name": "Đầu ghi", "facility_id": province.there["id"], "channels": 16}
    province.recorder = await province.post("/v1/recorders", body)
    return province


async def play(sites: Any, way: str, params: dict[str, str]) -> Any:
    """Have a camera of KCL-01 play a channel of the recorder of KCL-02."""
    played = {"recorder_id": sites.recorder["id"], "channel": 3}
    body = {"code": "CAM-01", "name": "Cổng", "url": "rtsp://10.1.1.1/3", "facility_id": sites.here["id"], **played}
    if way == "post":
        return await sites.client.post("/v1/cameras", json=body, params=params)
    if way == "bulk":
        return await sites.client.post("/v1/cameras/bulk", json=[body], params=params)
    if way in {"import", "dry run"}:
        content = "code,name,facility_code,url,recorder_code,channel\nCAM-01,Cổng,KCL-01,rtsp://10.1.1.1/3,NVR-2,3\n"
        params = params | ({"dry_run": "true"} if way == "dry run" else {})
        return await sites.client.post("/v1/imports/cameras", content=content.encode(), headers=CSV, params=params)
    at, given = (sites.here, played) if way == "patch" else (sites.there, {"facility_id": sites.here["id"]})
    start = {"facility_id": at["id"], "url": body["url"]} | (played if way == "move" else {})
    camera = await sites.camera(**start)
    headers = {"If-Match": camera["etag"]}
    return await sites.client.patch(f"/v1/cameras/{camera['id']}", json=given, headers=headers, params=params)


@pytest.mark.parametrize("way", ["post", "bulk", "import", "dry run", "patch", "move"])
async def test_a_recorder_of_another_facility_needs_a_reason(sites: Any, way: str) -> None:
    refused = await play(sites, way, {})
    assert refused.status_code == 422, refused.text
    (error,) = refused.json()["errors"]
    assert error["field"] in {"recorder_id", "0.recorder_id", "recorder_code"}, error
    assert "of another facility" in error["message"], error
    assert "reason" in error["message"]
    if way in {"import", "dry run"}:
        assert "cơ sở khác" in error["message_vi"]


@pytest.mark.parametrize("way", ["post", "bulk", "import", "dry run", "patch", "move"])
async def test_with_a_reason_it_is_taken(sites: Any, way: str) -> None:
    done = await play(sites, way, REASON)
    assert done.status_code in {200, 201}, done.text


async def test_what_is_on_record_so_is_changed_exported_and_imported_without_one(sites: Any) -> None:
    camera = (await play(sites, "post", REASON)).json()
    body, headers = {"name": "Sân", "channel": 4}, {"If-Match": camera["etag"]}
    changed = await sites.client.patch(f"/v1/cameras/{camera['id']}", json=body, headers=headers)
    assert changed.status_code == 200, changed.text
    exported = (await sites.client.get("/v1/exports/cameras.csv")).text
    assert "NVR-2" in exported
    back = await sites.client.post("/v1/imports/cameras", content=exported.encode(), headers=CSV)
    assert (back.status_code, back.json()["unchanged"]) == (200, 1), back.text


@pytest.mark.parametrize("way", ["patch", "import"])
async def test_a_recorder_that_leaves_its_cameras_behind_needs_a_reason(sites: Any, way: str) -> None:
    played = {"facility_id": sites.there["id"], "recorder_id": sites.recorder["id"], "channel": 3}
    camera = await sites.camera(code="CAM-07", **played)

    async def move(params: dict[str, str]) -> Any:
        if way == "import":
            content = "code,name,facility_code,channels\nNVR-2,Đầu ghi,KCL-01,16\n".encode()
            return await sites.client.post("/v1/imports/recorders", content=content, headers=CSV, params=params)
        path = f"/v1/recorders/{sites.recorder['id']}"
        headers = {"If-Match": sites.recorder["etag"]}
        return await sites.client.patch(path, json={"facility_id": sites.here["id"]}, headers=headers, params=params)

    refused = await move({})
    assert refused.status_code == 422, refused.text
    (error,) = refused.json()["errors"]
    assert error["field"] in {"facility_id", "facility_code"}, error
    assert "CAM-07" in error["message"]
    assert way == "patch" or "CAM-07" in error["message_vi"]
    moved = await move(REASON)
    assert moved.status_code == 200, moved.text
    follows = await sites.client.patch(
        f"/v1/cameras/{camera['id']}", json={"facility_id": sites.here["id"]}, headers={"If-Match": camera["etag"]}
    )
    assert follows.status_code == 200, follows.text
