"""An active facility and its focal point in one file (R17)."""

import csv
import io
from typing import Any

import openpyxl
import pytest

DECIDED = {"decision_number": "805/QĐ-UBND", "decision_date": "2020-03-29"}
PERSON = {"focal_point_position": "Hiệu trưởng", "focal_point_phone": "0233 3852 123"}


async def send(province: Any, path: str, body: bytes, **query: Any) -> Any:
    headers = {"content-type": "application/octet-stream"}
    query = {"reason": "mở"} | query
    return await province.client.post(f"/v1/imports/{path}", content=body, headers=headers, params=query)


async def edited(province: Any, **cells: str) -> bytes:
    """The export of the one facility with these cells in its row."""
    exported = (await province.client.get("/v1/exports/facilities.csv")).text
    (row,) = csv.DictReader(io.StringIO(exported))
    written = io.StringIO()
    writer = csv.DictWriter(written, row)
    writer.writeheader()
    writer.writerow({**row, **cells, "revision": ""})
    return written.getvalue().encode()


async def status_of(province: Any, facility: Any) -> tuple[str, bool]:
    read = (await province.client.get(f"/v1/facilities/{facility['id']}")).json()
    return read["status"], read["focal_point_missing"]


async def test_a_row_opens_a_facility_with_the_focal_point_that_it_names(province: Any) -> None:
    facility = await province.facility(code="KCL-01", status="approved", **DECIDED)
    body = await edited(province, status="active", focal_point_name="Trần Văn Mẫu", **PERSON)
    done = await send(province, "facilities", body)
    assert done.status_code == 200, done.text
    assert await status_of(province, facility) == ("active", False)


async def test_a_row_without_a_focal_point_does_not_open_a_facility(province: Any) -> None:
    facility = await province.facility(code="KCL-01", status="approved", **DECIDED)
    refused = await send(province, "facilities", await edited(province, status="active"))
    assert refused.status_code == 422
    assert "focal point" in refused.text
    assert await status_of(province, facility) == ("approved", False)


async def test_a_row_names_the_successor_in_an_active_facility(province: Any) -> None:
    facility = await province.facility(code="KCL-01", status="active")
    for name in ("Trần Văn Mẫu", "Lê Thị An"):
        done = await send(province, "facilities", await edited(province, focal_point_name=name, **PERSON))
        assert done.status_code == 200, done.text
    people = (await province.client.get("/v1/focal-points", params={"facility_id": facility["id"]})).json()["items"]
    assert {person["full_name"] for person in people} == {"Trần Văn Mẫu", "Lê Thị An"}
    assert await status_of(province, facility) == ("active", False)


@pytest.mark.parametrize("named", [True, False])
async def test_a_workbook_opens_a_facility_with_the_focal_point_of_its_own_sheet(province: Any, named: bool) -> None:
    facility = await province.facility(code="KCL-01", status="approved", **DECIDED)
    exported = await province.client.get(f"/v1/exports/facilities/{facility['id']}.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(exported.content))
    sheet = book.worksheets[0]
    sheet.cell(3, [cell.value for cell in sheet[2]].index("status") + 1).value = "đang hoạt động"
    people = book["Cán bộ đầu mối"]
    row = {"facility_code": "KCL-01", "full_name": "Trần Văn Mẫu", "valid_from": "01/05/2021"}
    row |= {"position": "Hiệu trưởng", "phone": "0233 3852 123"}
    for place, cell in enumerate(people[2], 1):
        if named and cell.value in row:
            people.cell(3, place).value = row[str(cell.value)]
    edited = io.BytesIO()
    book.save(edited)
    tried = await send(province, "workbook", edited.getvalue(), dry_run=True)
    assert tried.status_code == (200 if named else 422), tried.text
    if named:
        rows = [(row["sheet"], row["row"]) for row in tried.json()["difference"]]
        assert rows == [("Cơ sở cách ly", 3), ("Cán bộ đầu mối", 3)]
    done = await send(province, "workbook", edited.getvalue())
    assert done.status_code == (200 if named else 422), done.text
    assert await status_of(province, facility) == (("active", False) if named else ("approved", False))


async def refusals(province: Any, cells: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    headers = {"content-type": "text/csv"}
    body = await edited(province, **cells)
    answer = await province.client.post("/v1/imports/facilities", content=body, headers=headers, params=query)
    assert answer.status_code == 422, answer.text
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_row_that_moves_a_facility_where_it_may_not_go_says_where_it_may(province: Any, dry_run: bool) -> None:
    await province.facility(code="KCL-01", status="suspended")
    (error,) = await refusals(province, {"status": "dự kiến"}, dry_run=dry_run, reason="sửa")
    assert (error["field"], error["row"], error["value"]) == ("status", 2, "dự kiến")
    assert error["message"] == "a facility that is suspended cannot become planned; allowed: active, closed"
    assert error["message_vi"] == (
        "đang «tạm dừng», không chuyển thành «dự kiến» được; chỉ chuyển được thành: «đang hoạt động», «đã đóng»"
    )


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_row_hears_what_its_change_of_state_still_needs(province: Any, dry_run: bool) -> None:
    await province.facility(code="KCL-01", status="suspended")
    (error,) = await refusals(province, {"status": "active"}, dry_run=dry_run)
    assert error["message_vi"].endswith("cần: nêu lý do; có cán bộ đầu mối đang phụ trách (R17)")


async def test_a_wrong_change_of_state_stands_beside_the_other_mistakes_of_the_file(province: Any) -> None:
    await province.facility(code="KCL-01", status="suspended")
    found = await refusals(province, {"status": "planned", "latitude": "168", "longitude": "107"})
    assert [error["field"] for error in found] == ["latitude"], "of a row that is no facility nothing else is known"
    await province.facility(code="KCL-02", status="active")
    text = "code,name,type,unit_code,managing_agency_code,status,beds\n"
    facilities = (await province.client.get("/v1/exports/facilities.csv")).text
    units = [line.split(",")[3:5] for line in facilities.splitlines()[1:]]
    (one, of_one), (other, of_other) = units
    text += f"KCL-01,n,school,{one},{of_one},planned,1\nKCL-02,n,school,{other},{of_other},,many\n"
    answer = await send(province, "facilities", text.encode())
    assert [(error["row"], error["field"]) for error in answer.json()["errors"]] == [(2, "status"), (3, "beds")]


async def test_a_row_brings_the_decision_that_its_state_needs(province: Any) -> None:
    facility = await province.facility(code="KCL-01", status="planned")
    done = await send(province, "facilities", await edited(province, status="approved", **DECIDED))
    assert done.status_code == 200, done.text
    assert (await status_of(province, facility))[0] == "approved"
