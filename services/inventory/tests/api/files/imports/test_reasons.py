"""A file is no way around the reason: what is switched off, or no longer sent to a centre, says why."""

from typing import Any

import pytest_asyncio

CSV = {"content-type": "text/csv"}
HEADINGS = "code,name,facility_code,url,enabled,destinations\r\n"
ROW = "CAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,{},{}\r\n"


@pytest_asyncio.fixture
async def stocked(province: Any) -> Any:
    await province.destination(code="TT-QG")
    await province.destination(code="IOC", role="provincial")
    facility = await province.facility(code="KCL-01")
    await province.camera(code="CAM-01", name="Hành lang", facility_id=facility["id"], url="rtsp://10.1.1.1/ch1")
    return province


async def send(province: Any, row: str, **params: Any) -> Any:
    return await province.client.post(
        "/v1/imports/cameras", content=(HEADINGS + row).encode(), headers=CSV, params=params
    )


async def test_a_file_that_switches_a_camera_off_says_why(stocked: Any) -> None:
    (camera,) = (await stocked.client.get("/v1/cameras")).json()["items"]
    for params in ({}, {"dry_run": "true"}):
        refused = await send(stocked, ROW.format("không", "TT-QG;IOC"), **params)
        assert refused.status_code == 422, refused.text
        (error,) = refused.json()["errors"]
        assert (error["field"], error["row"]) == ("enabled", 2)
        assert "reason" in error["message"]
        assert "reason" in error["message_vi"]
    by_route = await stocked.client.patch(
        f"/v1/cameras/{camera['id']}", json={"enabled": False}, headers={"If-Match": "*"}
    )
    assert by_route.status_code == 422
    done = await send(stocked, ROW.format("không", "TT-QG;IOC"), reason="sửa điện")
    assert done.status_code == 200, done.text
    (line, *_) = (await stocked.client.get(f"/v1/cameras/{camera['id']}/history")).json()["items"]
    assert (line["after"]["enabled"], line["reason"]) == (False, "sửa điện")
    assert (await send(stocked, ROW.format("có", "TT-QG;IOC"))).status_code == 200


async def test_a_file_that_ends_a_delivery_says_why(stocked: Any) -> None:
    refused = await send(stocked, ROW.format("có", "TT-QG"))
    assert refused.status_code == 422, refused.text
    (error,) = refused.json()["errors"]
    assert (error["field"], error["row"]) == ("destinations", 2)
    assert len((await stocked.client.get("/v1/deliveries")).json()["items"]) == 2
    done = await send(stocked, ROW.format("có", "TT-QG"), reason="trung tâm bảo trì")
    assert done.status_code == 200, done.text
    log = (await stocked.client.get("/v1/changes", params={"noun": "delivery", "action": "removed"})).json()["items"]
    assert [line["reason"] for line in log] == ["trung tâm bảo trì"]
