"""Files of every noun: out, edited by another spreadsheet, in again; marked files, templates, dry runs, taking back."""

import asyncio
import csv
import io
import json
import shutil
import subprocess
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import pytest_asyncio

from inventory.importing.derived import columns_of
from inventory.nouns.registry import NOUNS
from vonggac.testing import eventually

FOLDER = Path(__file__).parents[2] / "fixtures" / "imports"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STOCKED = [noun for noun in NOUNS if noun.name in {
    "agency", "unit", "facility", "focal_point", "destination", "camera", "delivery",
}]  # fmt: skip
"""Nouns of which `stocked` has records."""


@pytest_asyncio.fixture
async def stocked(province: Any) -> Any:
    """At least one record of every noun, with what spreadsheets like to spoil."""
    unit = await province.unit(code="0461", name="=1+1")
    agency = await province.agency(code="SYT", name="Sở Y tế")
    facility = await province.facility(
        code="KCL-01",
        name="@Trường Cam An",
        unit_id=unit["id"],
        managing_agency_id=agency["id"],
        latitude=16.8163,
        longitude=107.1,
        decision_date="2021-05-07",
        restricted=True,
    )
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    await province.post("/v1/focal-points", person | {"phone": "0912345678", "valid_from": "2021-05-01"})
    await province.destination(code="TT-QG")
    await province.camera(code="CAM-01", facility_id=facility["id"], url="rtsp://10.1.1.1/1", area="corridor")
    return province


async def send(province: Any, path: str, body: bytes, **query: Any) -> Any:
    kind = XLSX if body[:2] == b"PK" else "text/csv"
    headers = {"content-type": kind}
    return await province.client.post(f"/v1/imports/{path}", content=body, headers=headers, params=query)


async def test_an_edited_export_is_stored_once(stocked: Any) -> None:
    """That every noun comes back, and what was edited alone is changed, test_round_trips.py shows."""
    exported = await stocked.client.get("/v1/exports/facilities.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(exported.content))
    sheet = book.worksheets[0]
    sheet.cell(3, [cell.value for cell in sheet[2]].index("name") + 1).value = "Tên mới"
    edited = io.BytesIO()
    book.save(edited)
    done = await send(stocked, "facilities", edited.getvalue(), reason="sửa")
    assert (done.status_code, done.json()["updated"]) == (200, 1), done.text
    again = await send(stocked, "facilities", edited.getvalue(), reason="sửa")
    assert again.status_code == 422
    assert again.json()["errors"][0]["field"] == "revision"


@pytest.mark.parametrize("style", ["rfc4180", "excel-vi"])
async def test_no_cell_of_an_export_is_a_formula(stocked: Any, style: str) -> None:
    exported = await stocked.client.get("/v1/exports/facilities.csv", params={"format": style})
    assert "@Trường Cam An" in exported.text
    assert not any(cell.startswith(("=", "@")) for line in exported.text.splitlines() for cell in line.split(","))


QUESTIONS = [
    {"key": "SO-CAMERA", "text": "Bao nhiêu camera, kể cả «hỏng»?", "required": True},
    {"key": "DUONG-TRUYEN", "text": '=HYPERLINK("x");', "required": False},
]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
async def test_records_of_several_fields_go_out_and_in(stocked: Any, ending: str) -> None:
    (facility,) = (await stocked.client.get("/v1/facilities")).json()["items"]
    body = {"code": "YC-01", "name": "Thông tin ban đầu", "facility_id": facility["id"], "questions": QUESTIONS}
    made = await stocked.post("/v1/information-requests", body)
    exported = await stocked.client.get(f"/v1/exports/information-requests.{ending}")
    again = await send(stocked, "information-requests", exported.content)
    assert again.status_code == 200, again.text
    assert (again.json()["unchanged"], again.json()["rows"]) == (1, 1)
    asked = json.dumps([*QUESTIONS, {"key": "DIEN", "text": "Có điện dự phòng?"}], ensure_ascii=False)
    text = io.StringIO()
    csv.writer(text).writerows([("code", "name", "facility_code", "questions"), ("YC-01", "x", "KCL-01", asked),
                                ("YC-02", "y", "KCL-01", asked)])  # fmt: skip
    tried = (await send(stocked, "information-requests", text.getvalue().encode(), dry_run=True)).json()
    assert (tried["created"], tried["updated"]) == (1, 1)
    done = await send(stocked, "information-requests", text.getvalue().encode())
    assert done.status_code == 200, done.text
    shown = (await stocked.client.get(f"/v1/information-requests/{made['id']}")).json()
    assert [question["key"] for question in shown["questions"]] == ["SO-CAMERA", "DUONG-TRUYEN", "DIEN"]


OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice Calc (apt: libreoffice-calc)")


async def saved_as(source: Path, *endings: str) -> bytes:
    """What LibreOffice makes of a file when it is saved in these formats, one after the other."""
    profile = f"-env:UserInstallation=file://{source.parent}/profile"
    for number, ending in enumerate(endings):
        folder = source.parent / str(number)
        command = [OFFICE or "", profile, "--headless", "--convert-to", ending, "--outdir", str(folder), str(source)]
        done = await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=100)
        if b"source file could not be loaded" in done.stderr:
            pytest.skip("LibreOffice is installed here without Calc")
        source = folder / f"{source.stem}.{ending}"
    return source.read_bytes()


@needs_office
@pytest.mark.slow
@pytest.mark.parametrize("endings", [("xlsx",), ("ods", "xlsx"), ("ods", "csv")], ids=" ".join)
async def test_libreoffice_saves_an_export_that_comes_back(
    stocked: Any, tmp_path: Path, endings: tuple[str, ...]
) -> None:
    source = tmp_path / "facilities.xlsx"
    source.write_bytes((await stocked.client.get("/v1/exports/facilities.xlsx")).content)
    answer = await send(stocked, "facilities", await saved_as(source, *endings), dry_run=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["difference"] == []
    assert answer.json()["unchanged"] == answer.json()["rows"] > 0


@needs_office
@pytest.mark.slow
@pytest.mark.parametrize("endings", [("xlsx",), ("csv",), ("ods", "xlsx"), ("ods", "csv")], ids=" ".join)
async def test_libreoffice_saves_a_filled_template_that_is_taken(
    stocked: Any, tmp_path: Path, endings: tuple[str, ...]
) -> None:
    body = (await stocked.client.get("/v1/templates/facilities.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    sheet = book.worksheets[0]
    places = {cell.value: place for place, cell in enumerate(sheet[2], 1)}
    (facility,) = (await stocked.client.get("/v1/facilities")).json()["items"]
    unit = (await stocked.client.get(f"/v1/units/{facility['unit_id']}")).json()
    agency = (await stocked.client.get(f"/v1/agencies/{facility['managing_agency_id']}")).json()
    row = {
        "code": "KCL-0099",
        "name": "Trường Tiểu học «Đông Hà», cơ sở 2",
        "type": "trường học",
        "unit_code": unit["code"],
        "managing_agency_code": agency["code"],
        "decision_number": "805/QĐ-UBND",
        "decision_date": date(2020, 3, 29),
        "latitude": 16.8163,
        "longitude": 107.1003,
        "restricted": "không",
        "focal_point_name": "Trần Văn Mẫu",
        "focal_point_position": "Hiệu trưởng",
        "focal_point_phone": "0233 3852 123",
    }
    for name, value in row.items():
        sheet.cell(3, places[name]).value = value
    source = tmp_path / "facilities.xlsx"
    book.save(source)
    answer = await send(stocked, "facilities", await saved_as(source, *endings))
    assert (answer.status_code, answer.json().get("created")) == (200, 1), answer.text
    (made,) = (await stocked.client.get("/v1/facilities", params={"code": "KCL-0099"})).json()["items"]
    wanted = {"name": row["name"], "decision_date": "2020-03-29", "latitude": 16.8163, "longitude": 107.1003}
    assert {name: made[name] for name in wanted} == wanted
    (person,) = (await stocked.client.get("/v1/focal-points", params={"facility_id": made["id"]})).json()["items"]
    assert person["phone"] == "0233 3852 123"


@pytest.mark.parametrize("noun", STOCKED, ids=lambda noun: noun.path)
async def test_a_template_has_headings_lists_and_technical_names(stocked: Any, noun: Any) -> None:
    body = (await stocked.client.get(f"/v1/templates/{noun.path}.xlsx")).content
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    columns = columns_of(noun).columns
    assert [cell.value for cell in sheet[1]] == [column.heading for column in columns]
    assert [cell.value for cell in sheet[2]] == [column.name for column in columns]
    assert sheet.row_dimensions[2].hidden
    known = {noun.name for noun in STOCKED}
    # Kind `codes` takes several in one cell: a list offers one.
    with_choices = {column.name for column in columns if column.choices and column.kind != "codes"}
    lists = with_choices | {
        column.name for column in columns if column.kind == "yes_no" or column.reference in known or column.suggestions
    }
    assert len(sheet.data_validations.dataValidation) == len(lists)


@pytest.mark.parametrize("noun", ["cameras", "recorders"])
async def test_a_template_offers_where_a_clock_is_set_from_and_takes_another(stocked: Any, noun: str) -> None:
    body = (await stocked.client.get(f"/v1/templates/{noun}.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    sheet = book.worksheets[0]
    (cell,) = [cell for cell in sheet[2] if cell.value == "time_source"]
    assert sheet.cell(1, cell.column).value == "Nguồn thời gian"
    (rule,) = [each for each in sheet.data_validations.dataValidation if f"{cell.column_letter}3" in each.sqref]
    assert (rule.type, bool(rule.showErrorMessage)) == ("list", False)
    offered = [
        each.value for row in book["Danh mục"][rule.formula1.rpartition("!")[2].replace("$", "")] for each in row
    ]
    assert "máy chủ NTP" in offered


async def test_a_filled_template_is_taken(stocked: Any) -> None:
    body = (await stocked.client.get("/v1/templates/agencies.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    sheet = book.worksheets[0]
    row = {"code": "BCH", "name": "Bộ Chỉ huy", "role": "cơ quan quản lý", "valid_from": "01/05/2021"}
    for place, cell in enumerate(sheet[2], 1):
        sheet.cell(3, place).value = row.get(str(cell.value))
    filled = io.BytesIO()
    book.save(filled)
    answer = await send(stocked, "agencies", filled.getvalue())
    assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text


async def test_a_failed_import_leaves_nothing(stocked: Any) -> None:
    async def on_record() -> list[Any]:
        return [(await stocked.client.get(f"/v1/{noun.path}")).json()["items"] for noun in STOCKED]

    before = await on_record()
    for name, wanted in json.loads((FOLDER / "expected.json").read_text("utf-8")).items():
        answer = await send(stocked, wanted["noun"], (FOLDER / name).read_bytes())
        assert answer.status_code == 422, name
        assert all(error["message_vi"] for error in answer.json()["errors"]), name
        assert "bi-mat" not in answer.text, name
    assert await on_record() == before


CAMERAS = (
    "code,name,facility_code,url,username,password\r\n"
    "CAM-02,Sân,KCL-01,rtsp://10.1.1.2/1,admin,bi-mat-cu\r\n"
    "CAM-03,Sân,KCL-99,rtsp://u:bi-mat-cu@10.1.1.3/1,,\r\n"
).encode()


async def test_mistakes_come_back_in_the_file_without_secrets(stocked: Any) -> None:
    answer = await send(stocked, "cameras", CAMERAS, answer="file")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/csv; charset=utf-8")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].endswith(",Lỗi")
    assert "***" in lines[1]
    assert "KCL-99" in lines[2].rpartition(",")[2] or "chưa có KCL-99" in lines[2]
    assert "bi-mat-cu" not in answer.text
    corrected = answer.content.replace(b"KCL-99", b"KCL-01")
    again = (await send(stocked, "cameras", corrected)).json()
    assert {(error["row"], error["field"]) for error in again["errors"]} >= {(2, "password")}


@pytest.mark.parametrize(
    "headings",
    [
        "code,name,facility_code,url,username,Mật khẩu ,channel",
        "code,name,facility_code,url,Ten dang nhap,mật khẩu,channel",
        "code,name,facility_code,url,username,password,unknown",
        "code,name,facility_code,url,username,password,password",
        "code,name,facility_code,url,username,pass word,channel",
        "code,name,facility_code,url,username,Mật khẩu xem,channel",
        "DANH SÁCH CAMERA,,,,,,\ncode,name,facility_code,url,username,password,unknown",
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_no_secret_comes_back_under_whatever_heading(stocked: Any, headings: str, kind: str) -> None:
    text = f"{headings}\nC-9,Cổng,KCL-01,rtsp://10.1.1.9/1,admin,bi-mat-cu,x\n"
    text = unicodedata.normalize("NFD", text)
    body = text.encode()
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for line in text.splitlines():
            book.worksheets[0].append(line.split(","))
        saved = io.BytesIO()
        book.save(saved)
        body = saved.getvalue()
    answer = await send(stocked, "cameras", body, answer="file")
    assert answer.status_code == 422
    shown = [answer.text]
    if kind == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
        shown = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row]
    assert not any("bi-mat-cu" in each for each in shown)
    assert any("C-9" in each for each in shown)


async def test_of_a_workbook_without_a_sheet_of_the_noun_no_secret_comes_back(stocked: Any) -> None:
    book = openpyxl.Workbook()
    for title in ("Một", "Hai"):
        sheet = book.create_sheet(title)
        sheet.append(["Thiết bị", "Mật khẩu"])
        sheet.append(["C-9", "bi-mat-cu"])
    saved = io.BytesIO()
    book.save(saved)
    answer = await send(stocked, "cameras", saved.getvalue(), answer="file")
    back = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = [cell for sheet in back.worksheets for row in sheet.iter_rows(values_only=True) for cell in row]
    assert cells.count("***") == 2
    assert "bi-mat-cu" not in cells


async def test_a_marked_workbook_hides_what_was_hidden(stocked: Any) -> None:
    body = (await stocked.client.get("/v1/exports/cameras.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    names = [cell.value for cell in book.worksheets[0][2]]
    book.worksheets[0].cell(3, names.index("facility_code") + 1).value = "KCL-99"
    spoiled = io.BytesIO()
    book.save(spoiled)
    answer = await send(stocked, "cameras", spoiled.getvalue(), answer="file")
    back = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert [sheet.sheet_state for sheet in back.worksheets] == [sheet.sheet_state for sheet in book.worksheets]
    assert [back.worksheets[0].row_dimensions[line].hidden for line in (1, 2, 3)] == [False, True, False]
    assert [cell.value for cell in back.worksheets[0][2]][: len(names)] == names


async def test_mistakes_come_back_in_a_workbook_marked_and_commented(stocked: Any) -> None:
    body = (await stocked.client.get("/v1/exports/cameras.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(body))
    names = [cell.value for cell in book.worksheets[0][2]]
    place = names.index("facility_code") + 1
    book.worksheets[0].cell(3, place).value = "KCL-99"
    spoiled = io.BytesIO()
    book.save(spoiled)
    answer = await send(stocked, "cameras", spoiled.getvalue(), answer="file")
    assert (answer.status_code, answer.headers["content-type"]) == (422, XLSX)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    comment = sheet.cell(3, place).comment
    assert comment is not None
    assert "KCL-99" in comment.text
    assert sheet.cell(3, place).fill.bgColor.rgb or sheet.cell(3, place).fill.fgColor.rgb == "FFFFC7CE"
    assert any("KCL-99" in str(cell.value) for cell in sheet[3] if cell.column != place)


NEW = (
    "code,name,facility_code,url\r\nCAM-01,Tên mới,KCL-01,rtsp://10.1.1.1/1\r\nCAM-02,Sân,KCL-01,rtsp://10.1.1.2/1\r\n"
)


async def test_an_import_is_listed_and_taken_back(stocked: Any) -> None:
    done = (await send(stocked, "cameras", NEW.encode())).json()
    (listed,) = (await stocked.client.get("/v1/imports")).json()["items"]
    assert (listed["id"], listed["state"], listed["created"], listed["updated"]) == (done["id"], "done", 1, 1)
    back = (await stocked.client.post(f"/v1/imports/{done['id']}/revert")).json()
    assert (back["removed"], back["restored"], back["left"]) == (1, 1, [])
    cameras = (await stocked.client.get("/v1/cameras")).json()["items"]
    assert [(camera["code"], camera["name"]) for camera in cameras] == [("CAM-01", "Hành lang")]
    assert (await stocked.client.post(f"/v1/imports/{done['id']}/revert")).status_code == 409


async def test_what_somebody_touched_since_stays_and_is_named(stocked: Any) -> None:
    done = (await send(stocked, "cameras", NEW.encode())).json()
    cameras = {each["code"]: each["id"] for each in (await stocked.client.get("/v1/cameras")).json()["items"]}
    await stocked.change(f"/v1/cameras/{cameras['CAM-02']}", json={"name": "Sân sau"})
    back = (await stocked.client.post(f"/v1/imports/{done['id']}/revert")).json()
    assert [left["key"] for left in back["left"]] == ["CAM-02"]
    cameras = {each["code"]: each["name"] for each in (await stocked.client.get("/v1/cameras")).json()["items"]}
    assert cameras == {"CAM-01": "Hành lang", "CAM-02": "Sân sau"}


async def test_an_import_in_the_background_is_followed_by_its_id(stocked: Any) -> None:
    headers = {"content-type": "text/csv", "prefer": "respond-async"}
    answer = await stocked.client.post("/v1/imports/cameras", content=NEW.encode(), headers=headers)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/imports/{answer.json()['id']}"
    assert answer.json()["state"] in {"running", "done"}

    async def is_done() -> bool:
        return bool((await stocked.client.get(answer.headers["location"])).json()["state"] == "done")

    await eventually(is_done)


async def test_one_workbook_of_a_facility_goes_out_and_in(stocked: Any) -> None:
    (facility,) = (await stocked.client.get("/v1/facilities")).json()["items"]
    exported = await stocked.client.get(f"/v1/exports/facilities/{facility['id']}.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(exported.content))
    assert book.worksheets[0].title == "Cơ sở cách ly"
    answer = await send(stocked, "workbook", exported.content)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unchanged"] == answer.json()["rows"] == 3
