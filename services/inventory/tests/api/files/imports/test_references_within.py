"""Rows that refer to what the same file brings: a first load needs no order, a dry run sees what the file brings."""

import io
from typing import Any

import pytest
import pytest_asyncio
import xlsxwriter

UNITS = (
    "level,code,name,parent_code\n"
    "commune,19366,Xã Cam An,468\n"
    "district,468,Huyện Cam Lộ,45\n"
    "province,45,Tỉnh Quảng Trị,\n"
)
FACILITY = ["code", "name", "type", "unit_code", "managing_agency_code"]
PERSON = ["facility_code", "full_name", "position", "phone", "valid_from"]
CAMERA = ["code", "name", "facility_code", "url", "destinations"]
DESTINATION = ["code", "name", "role", "url_template"]
SHEETS: dict[str, list[list[str]]] = {
    "Cơ sở cách ly": [FACILITY, ["KCL-1", "Trường", "school", "468", "SYT"]],
    "Cán bộ đầu mối": [PERSON, ["KCL-1", "Trần Văn Mẫu", "Hiệu trưởng", "0233 3852 123", "01/05/2021"]],
    "Trung tâm nhận": [DESTINATION, ["TT-1", "Trung tâm", "national", "rtsp://10.9.0.1/{camera_code}"]],
    "Camera": [CAMERA, ["CAM-1", "Cổng", "KCL-1", "rtsp://10.1.1.1/1", "TT-1"]],
}


def workbook(**changes: list[list[str]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name, rows in (SHEETS | changes).items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


async def send(province: Any, path: str, body: bytes, **query: Any) -> Any:
    headers = {"content-type": "application/octet-stream"}
    return await province.client.post(f"/v1/imports/{path}", content=body, headers=headers, params=query)


@pytest_asyncio.fixture
async def ready(province: Any) -> Any:
    await province.unit(code="468")
    await province.agency(code="SYT")
    return province


async def test_a_file_brings_a_unit_and_what_it_belongs_to_in_any_order(province: Any) -> None:
    tried = await send(province, "units", UNITS.encode(), dry_run=True)
    assert (tried.status_code, tried.json().get("created")) == (200, 3), tried.text
    (parent,) = [each["after"] for each in tried.json()["difference"][1]["changes"] if each["column"] == "parent_code"]
    assert parent == "45"
    done = await send(province, "units", UNITS.encode())
    assert (done.status_code, done.json().get("created")) == (200, 3), done.text
    units = {unit["code"]: unit for unit in (await province.client.get("/v1/units")).json()["items"]}
    assert units["19366"]["parent_id"] == units["468"]["id"]
    assert units["468"]["parent_id"] == units["45"]["id"]
    assert (await send(province, "units", UNITS.encode())).json()["unchanged"] == 3


async def test_a_row_on_record_refers_to_one_that_the_file_brings(province: Any) -> None:
    await province.agency(code="SYT")
    text = "code,name,role,parent_code\nSYT,Sở Y tế,managing,UBND\nUBND,UBND tỉnh,peoples_committee,\n"
    done = await send(province, "agencies", text.encode())
    assert (done.json().get("created"), done.json().get("updated")) == (1, 1), done.text
    agencies = {each["code"]: each for each in (await province.client.get("/v1/agencies")).json()["items"]}
    assert agencies["SYT"]["parent_id"] == agencies["UBND"]["id"]


@pytest.mark.parametrize("dry_run", [False, True])
async def test_rows_that_refer_to_each_other_in_a_circle_are_named(province: Any, dry_run: bool) -> None:
    text = "code,name,role,parent_code\nA,A,managing,B\nB,B,managing,A\nC,C,managing,\n"
    refused = await send(province, "agencies", text.encode(), dry_run=dry_run)
    assert [error["row"] for error in refused.json()["errors"]] == [2, 3]
    assert (await province.client.get("/v1/agencies")).json()["items"] == []


async def test_a_dry_run_of_a_workbook_sees_what_its_other_sheets_bring(ready: Any) -> None:
    tried = await send(ready, "workbook", workbook(), dry_run=True)
    assert (tried.status_code, tried.json().get("created")) == (200, 4), tried.text
    assert (await ready.client.get("/v1/facilities")).json()["items"] == []
    done = await send(ready, "workbook", workbook())
    assert (done.status_code, done.json().get("created")) == (200, 4), done.text
    (camera,) = (await ready.client.get("/v1/cameras")).json()["items"]
    assert len((await ready.client.get(f"/v1/cameras/{camera['id']}")).json()["deliveries"]) == 1


@pytest.mark.parametrize("dry_run", [False, True])
async def test_the_mistake_of_one_sheet_makes_none_of_another(ready: Any, dry_run: bool) -> None:
    wrong = [FACILITY, ["KCL-1", "Trường", "castle", "468", "SYT"]]
    cameras = [CAMERA, SHEETS["Camera"][1], ["CAM 2", "Sân", "KCL-1", "rtsp://10.1.1.2/1", "TT-1"]]
    body = workbook(**{"Cơ sở cách ly": wrong, "Camera": cameras})
    refused = await send(ready, "workbook", body, dry_run=dry_run)
    found = [(error["sheet"], error["row"], error["field"]) for error in refused.json()["errors"]]
    assert found == [("Camera", 3, "code"), ("Cơ sở cách ly", 2, "type")]
