"""/v1/imports and /v1/exports: all or nothing, every mistake with its line, out and in again without change."""

from typing import Any

import pytest
import pytest_asyncio

CSV = {"content-type": "text/csv"}
FACILITIES = (
    "code,name,type,district_code,managing_agency_code,focal_point_name,focal_point_position,focal_point_phone\r\n"
    "KCL-01,Trường Tiểu học Cam An,school,468,SYT,Trần Văn Mẫu,Hiệu trưởng,0233 3852 123\r\n"
    "KCL-02,Khách sạn Lao Bảo,hotel,465,SYT,,,\r\n"
)
CAMERAS = (
    "code,name,facility_code,url,username,password,area,destinations,probe_interval_s\r\n"
    "CAM-01,Hành lang,KCL-01,rtsp://10.1.1.1/ch1,admin,p@ss;word,corridor,,20\r\n"
    "CAM-02,Cổng,KCL-01,rtsp://u:w@10.1.1.2/ch1,,,gate,TT-QG,\r\n"
    "CAM-03,Sân,KCL-02,rtsp://10.1.1.3/ch1,,,,none,\r\n"
)


@pytest_asyncio.fixture
async def ready(province: Any) -> Any:
    await province.district(code="468")
    await province.district(code="465")
    await province.agency(code="SYT")
    await province.destination(code="TT-QG")
    await province.destination(code="IOC", role="provincial")
    return province


async def send(province: Any, kind: str, text: str, **query: Any) -> Any:
    return await province.client.post(f"/v1/imports/{kind}", content=text.encode(), headers=CSV, params=query)


@pytest_asyncio.fixture
async def loaded(ready: Any) -> Any:
    for kind, text in (("facilities", FACILITIES), ("cameras", CAMERAS)):
        answer = await send(ready, kind, text)
        assert answer.status_code == 200, answer.text
    return ready


async def test_import_creates_then_finds_nothing_to_change(ready: Any) -> None:
    first = (await send(ready, "facilities", FACILITIES)).json()
    again = (await send(ready, "facilities", FACILITIES)).json()
    assert (first["created"], first["updated"], first["unchanged"]) == (2, 0, 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 2)


async def test_empty_destinations_means_all_enabled_and_none_means_none(loaded: Any) -> None:
    cameras = (await loaded.client.get("/v1/cameras")).json()["items"]
    counts = {}
    for camera in cameras:
        whole = (await loaded.client.get(f"/v1/cameras/{camera['id']}")).json()
        counts[camera["code"]] = len(whole["deliveries"])
    assert counts == {"CAM-01": 2, "CAM-02": 1, "CAM-03": 0}


@pytest.mark.parametrize("shape", ["rfc4180", "excel-vi"])
@pytest.mark.parametrize("kind", ["facilities", "cameras"])
async def test_an_export_comes_back_without_change(loaded: Any, kind: str, shape: str) -> None:
    exported = await loaded.client.get(f"/v1/exports/{kind}.csv", params={"format": shape})
    answer = await send(loaded, kind, exported.text)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unchanged"] == answer.json()["rows"] > 0
