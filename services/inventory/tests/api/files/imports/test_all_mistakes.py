"""Every mistake of a file is in one answer: of cells, of rules, of what the database refuses, of codes out of sight."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
import xlsxwriter

from vonggac.auth import Role
from vonggac.bus import Bus

either = pytest.mark.parametrize("dry_run", [False, True])
"""A dry run refuses what the import would refuse."""


async def send(client: Any, path: str, body: bytes, **query: Any) -> Any:
    headers = {"content-type": "application/octet-stream"}
    return await client.post(f"/v1/imports/{path}", content=body, headers=headers, params=query)


def named(answer: Any) -> list[tuple[int, str]]:
    assert answer.status_code == 422, answer.text
    return [(error["row"], error["field"]) for error in answer.json()["errors"]]


@pytest_asyncio.fixture
async def ready(province: Any) -> Any:
    """One province with an operator until the end of 2025, an agency that is no operator, and one that is."""
    unit = await province.unit(code="45", level="province")
    operator = await province.agency(code="VT", role="operator")
    await province.agency(code="SYT")
    period = {"valid_from": "2021-01-01", "valid_to": "2025-12-31"}
    await province.post("/v1/operator-assignments", {"unit_id": unit["id"], "agency_id": operator["id"], **period})
    return province


ASSIGNMENTS = (
    "unit_code,agency_code,valid_from,valid_to\n"
    "45,VT,2021-05-01,2021-06-30\n"
    "45,VT,2026-01-01,2026-12-31\n"
    "45,SYT,2027-01-01,2027-12-31\n"
    "45,VT,2026-06-01,2026-06-30\n"
    "45,VT,2028-01-01,2028-12-31\n"
)


@either
async def test_each_row_that_the_database_refuses_is_named_beside_those_that_a_rule_refuses(
    ready: Any, dry_run: bool
) -> None:
    answer = await send(ready.client, "operator-assignments", ASSIGNMENTS.encode(), dry_run=dry_run)
    assert named(answer) == [(2, "valid_from"), (4, "agency_code"), (5, "valid_from")]
    listed = await ready.client.get("/v1/operator-assignments", params={"total": "true"})
    assert listed.json()["total"] == 1


@either
async def test_wrong_cells_and_refused_rows_are_in_one_answer(ready: Any, dry_run: bool) -> None:
    body = ASSIGNMENTS + "45,VT,soon,2029-12-31\n46,VT,2030-01-01,2030-12-31\n"
    answer = await send(ready.client, "operator-assignments", body.encode(), dry_run=dry_run)
    assert named(answer) == [
        (2, "valid_from"), (4, "agency_code"), (5, "valid_from"), (7, "valid_from"), (8, "unit_code"),
    ]  # fmt: skip


async def test_of_a_row_that_refers_to_a_wrong_one_only_the_wrong_one_is_named(province: Any) -> None:
    units = (
        "level,code,name,parent_code,valid_from,valid_to\n"
        "province,45,Tỉnh Quảng Trị,,2021-01-01,2020-01-01\n"
        "district,468,Huyện Cam Lộ,45,,\n"
    )
    answer = await send(province.client, "units", units.encode())
    assert named(answer) == [(2, "valid_to")]


@either
async def test_all_sheets_of_a_workbook_are_tried(ready: Any, dry_run: bool) -> None:
    await ready.unit(code="468")
    sheets = {
        "Phân công đơn vị vận hành": [line.split(",") for line in ASSIGNMENTS.splitlines()],
        "Cơ sở cách ly": [
            ["code", "name", "type", "unit_code", "managing_agency_code"],
            ["KCL-1", "Trường", "palace", "468", "SYT"],
        ],
        "Camera": [
            ["code", "name", "facility_code", "url", "area"],
            ["CAM-1", "Cổng", "KCL-1", "rtsp://10.1.1.1/1", "moon"],
        ],
    }
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    answer = await send(ready.client, "workbook", buffer.getvalue(), dry_run=dry_run)
    fields = {(error["sheet"], error["row"], error["field"]) for error in answer.json()["errors"]}
    assert fields == {
        ("Phân công đơn vị vận hành", 2, "valid_from"), ("Phân công đơn vị vận hành", 4, "agency_code"),
        ("Phân công đơn vị vận hành", 5, "valid_from"), ("Cơ sở cách ly", 2, "type"), ("Camera", 2, "area"),
    }, answer.text  # fmt: skip


CAMERAS = (
    "code,name,facility_code,url,area\n"
    "CAM-1,Cổng,KCL-1,rtsp://10.1.1.1/1,gate\n"
    "CAM-2,Sân,KCL-1,rtsp://10.1.1.2/1,moon\n"
    "CAM-3,Sân,KCL-1,rtsp://10.1.1.3/1,yard\n"
    "CAM-4,Sân,KCL-1,rtsp://10.1.1.4/1,yard\n"
)


async def test_codes_that_others_have_out_of_sight_are_named_each_in_its_row(
    province: Any, token_for: Callable[..., str], bus: Bus
) -> None:
    unit = await province.unit()
    await province.facility(code="KCL-1", unit_id=unit["id"])
    for code in ("CAM-1", "CAM-3"):
        await province.camera(code=code)
    token = token_for(Role.PROVINCE_LEAD, f"unit:{unit['id']}")
    province.client.headers["Authorization"] = f"Bearer {token}"
    for dry_run in (True, False):
        answer = await send(province.client, "cameras", CAMERAS.encode(), dry_run=dry_run)
        assert named(answer) == [(2, "code"), (3, "area"), (4, "code")]


@pytest.mark.parametrize("before", [1, 400])
async def test_a_nul_is_a_mistake_of_its_line_and_no_other_encoding(province: Any, before: int) -> None:
    rows = [f"A-{number},Sở Y tế,managing" for number in range(before)]
    body = "\n".join(["code,name,role", *rows, "B-1,S\0,managing", ""]).encode()
    answer = await province.client.post("/v1/imports/agencies", content=body, headers={"content-type": "text/csv"})
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["row"], error["field"], error["value"]) == (before + 2, "name", "S␀")
    assert "control character" in error["message"]
    assert (await province.client.get("/v1/imports")).json()["items"][0]["state"] == "refused"


async def test_a_code_that_is_not_on_record_is_that_mistake_alone(province: Any) -> None:
    """No rule says of it what it says of an empty cell."""
    await province.facility()
    body = "code,name,facility_code,url,recorder_code,channel\nC-1,Cổng,KCL-01,rtsp://10.1.1.1/1,NVR-9,1\n"
    assert named(await send(province.client, "cameras", body.encode())) == [(2, "recorder_code")]


async def test_a_nul_in_a_code_is_a_mistake_of_its_line_beside_the_others(province: Any) -> None:
    body = "code,name,role\nA\0-1,Sở Y tế,managing\nA-2,Sở,palace\n".encode()
    for query in ({}, {"dry_run": "true"}):
        answer = await province.client.post(
            "/v1/imports/agencies", content=body, headers={"content-type": "text/csv"}, params=query
        )
        assert answer.status_code == 422, answer.text
        assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [(2, "code"), (3, "role")]


async def test_a_file_that_ends_in_a_quotation_has_that_mistake_alone(province: Any) -> None:
    body = 'code,name,role\nA-1,"Sở Y tế,managing\n'
    for query in ({}, {"dry_run": "true"}):
        answer = await province.client.post(
            "/v1/imports/agencies", content=body.encode(), headers={"content-type": "text/csv"}, params=query
        )
        assert [(error["row"], error["message"][:16]) for error in answer.json()["errors"]] == [(2, "cannot be parsed")]


async def test_a_nul_in_a_heading_is_refused_as_any_unknown_one(province: Any) -> None:
    body = "code,name,role,no\0te\nA-1,Sở Y tế,managing,x\n".encode()
    answer = await province.client.post("/v1/imports/agencies", content=body, headers={"content-type": "text/csv"})
    assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [(1, "no␀te")], answer.text
