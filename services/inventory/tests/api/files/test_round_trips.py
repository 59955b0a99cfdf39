"""Export, edit, import: for every noun, in every format, with every field filled."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from inventory.importing.checking.cells import LEFT_OUT
from inventory.importing.derived import columns_of
from inventory.importing.overrides import OVERRIDES, Overrides
from inventory.nouns.noun import Noun
from inventory.nouns.registry import NOUNS, noun_named

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
every_noun = pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.path)
NOT_ON_RECORD = {"destination": {"connect_all_cameras", "path_is_no_secret"}}
"""Fields of a request that no record has."""
ELSEWHERE = {"camera": {"destination_ids"}, "survey": {"attachments"}}
"""Fields with columns of their own, and what comes with a submission alone."""
EDITED = {
    "operator_assignment": "document", "focal_point": "position", "coverage": "blind_spots", "delivery": "valid_to",
    "team_member": "position", "directive": "subject", "visit": "escort", "inspection": "note",
    "maintenance_window": "purpose", "blocked_reason": "text", "survey": "place", "connection_plan": "note",
    "plan_exception": "why", "installation_proposal": "note", "approval_rule": "why",
}  # fmt: skip
"""The column that is edited, where it is not `name`; journal entries are never changed."""


@every_noun
def test_every_field_has_its_column(noun: Noun) -> None:
    columns = columns_of(noun).columns
    there = {column.path[0] for column in columns if column.path}
    absent = NOT_ON_RECORD.get(noun.name, set()) | ELSEWHERE.get(noun.name, set())
    assert set(noun.fields.model_fields) - there == absent
    assert absent <= set(OVERRIDES.get(noun.name, Overrides()).hidden)
    assert set(columns_of(noun).key) <= {column.name for column in columns}
    assert max(len(column.path) for column in columns) <= 2, "deeper records stand in one cell"


async def send(filled: Any, noun: Noun, body: bytes, **query: Any) -> Any:
    kind = "application/octet-stream" if body[:2] == b"PK" else "text/csv"
    headers = {"content-type": kind}
    return await filled.client.post(f"/v1/imports/{noun.path}", content=body, headers=headers, params=query)


async def each_noun(check: Callable[[Noun], Awaitable[None]], *left_out: str) -> None:
    """Check every noun on one filled register, and name all that fail."""
    wrong: dict[str, str] = {}
    for noun in NOUNS:
        try:
            if noun.name not in left_out:
                await check(noun)
        except (AssertionError, ValueError) as error:
            wrong[noun.path] = str(error)[:2000]
    assert not wrong


async def test_an_export_of_every_noun_comes_back(filled: Any) -> None:
    async def comes_back(noun: Noun) -> None:
        before = (await filled.client.get(f"/v1/{noun.path}")).json()["items"]
        assert len(before) >= 2
        used: set[str] = set()
        for path in (f"{noun.path}.csv", f"{noun.path}.csv?format=excel-vi", f"{noun.path}.xlsx"):
            exported = await filled.client.get(f"/v1/exports/{path}")
            assert exported.status_code == 200, exported.text
            tried = await send(filled, noun, exported.content, dry_run=True)
            assert (tried.status_code, tried.json().get("difference")) == (200, []), (path, tried.text)
            stored = await send(filled, noun, exported.content)
            assert (stored.status_code, stored.json().get("unchanged")) == (200, len(before)), (path, stored.text)
            if path == f"{noun.path}.csv":
                rows = list(csv.DictReader(io.StringIO(exported.text)))
                used = {name for row in rows for name, cell in row.items() if cell}
        columns = columns_of(noun).select(lambda column: not column.secret)
        assert used >= {column.name for column in columns} - EMPTY.get(noun.name, set())
        assert (await filled.client.get(f"/v1/{noun.path}")).json()["items"] == before

    await each_noun(comes_back)


TEXTS_LIKE_SOMETHING_ELSE = (
    "***", "Cổng ***@chính", "x=***y", "'***", "1E+5", "1,5E+10", "#N/A", "'#N/A", "=1+1", '="0461"', "'", "none",
    "không", "TRUE", "12/5", "007", "[…]", "{}", "sep=;", 'a;"b"|c', "Tổng cộng", "_x0041_", "-",
)  # fmt: skip


async def test_a_text_that_a_file_would_take_for_something_else_comes_back(province: Any) -> None:
    unit, agency = await province.unit(), await province.agency()
    for text in TEXTS_LIKE_SOMETHING_ELSE:
        await province.facility(name=text, address=text, unit_id=unit["id"], managing_agency_id=agency["id"])
    facility = (await province.client.get("/v1/facilities")).json()["items"][0]
    person = {"facility_id": facility["id"], "full_name": "***", "position": "1E+5", "phone": "233 3852 123"}
    await province.post("/v1/focal-points", person | {"valid_from": "2021-05-01"})
    for name in ("facility", "focal_point"):
        noun = noun_named(name)
        for file in ("csv", "csv?format=excel-vi", "xlsx"):
            exported = (await province.client.get(f"/v1/exports/{noun.path}.{file}")).content
            tried = await send(province, noun, exported, dry_run=True)
            assert (tried.status_code, tried.json().get("difference")) == (200, []), (file, tried.text)


async def test_records_that_their_key_does_not_tell_apart_come_back_each_as_itself(province: Any) -> None:
    facility = await province.facility()
    body = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "phone": "0912345678"}
    for position in ("Hiệu trưởng", "Hiệu phó"):
        await province.post("/v1/focal-points", body | {"position": position, "valid_from": "2021-05-01"})
    said = {"about_noun": "facility", "about_id": facility["id"], "text": "Đã gọi điện, không ai nghe máy"}
    for _ in range(3):
        await province.post("/v1/journal-entries", said)
    for path in ("focal-points", "journal-entries"):
        noun = next(noun for noun in NOUNS if noun.path == path)
        for suffix in ("csv", "xlsx"):
            exported = (await province.client.get(f"/v1/exports/{path}.{suffix}")).content
            stored = await send(province, noun, exported)
            assert (stored.status_code, stored.json().get("unchanged")) == (200, 3 if "j" in path else 2), stored.text
    person = noun_named("focal_point")
    exported = (await province.client.get("/v1/exports/focal-points.csv")).content
    edited = exported.replace("Hiệu phó".encode(), "Phó hiệu trưởng".encode())
    (row,) = (await send(province, person, edited, dry_run=True)).json()["difference"]
    assert [(each["before"], each["after"]) for each in row["changes"]] == [("Hiệu phó", "Phó hiệu trưởng")]
    lines = exported.decode().splitlines()
    third = await send(province, person, "\r\n".join([*lines, lines[-1]]).encode())
    assert [(error["row"], error["field"]) for error in third.json()["errors"]] == [(4, "facility_code")]


async def test_the_workbook_of_a_facility_comes_back_with_all_that_belongs_to_it(filled: Any) -> None:
    path = f"/v1/exports/facilities/{filled.ids['facility']}.xlsx"
    exported = (await filled.client.get(path)).content
    answer = await filled.client.post("/v1/imports/workbook", content=exported, headers={"content-type": XLSX})
    assert answer.status_code == 200, answer.text
    assert (
        answer.json()["unchanged"]
        == answer.json()["rows"]
        > len(openpyxl.load_workbook(io.BytesIO(exported)).worksheets)
    )


EMPTY = {
    "camera": {"tls_ca_pem"}, "destination": {"tls_ca_pem"},
    "delivery": {"valid_from", "valid_to"},
}  # fmt: skip
"""A certificate or its fingerprint; a delivery that was made with its camera."""


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
async def test_an_edited_export_changes_what_was_edited_alone(filled: Any, kind: str) -> None:
    async def edit(noun: Noun) -> None:
        await edit_one(filled, noun, EDITED.get(noun.name, "name"), kind)

    await each_noun(edit, "journal_entry")


def edited(exported: bytes, column: str, value: str) -> bytes:
    """An export with another value in the column of its first row."""
    if exported[:2] != b"PK":
        rows = list(csv.DictReader(io.StringIO(exported.decode("utf-8-sig"))))
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows([{**rows[0], column: value}, *rows[1:]])
        return text.getvalue().encode()
    book = openpyxl.load_workbook(io.BytesIO(exported))
    sheet = book.worksheets[0]
    sheet.cell(3, [cell.value for cell in sheet[2]].index(column) + 1).value = value
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


async def edit_one(filled: Any, noun: Noun, column: str, kind: str) -> None:
    """And both clocks show the records as they were before, and as they are in force on a day."""

    async def on_record(**clock: str) -> dict[str, Any]:
        items = (await filled.client.get(f"/v1/{noun.path}", params=clock)).json()["items"]
        return {item["id"]: item for item in items}

    before, forced = await on_record(), await on_record(valid_on="2031-06-01")
    exported = (await filled.client.get(f"/v1/exports/{noun.path}.{kind}")).content
    body = edited(exported, column, "31/12/2030" if column == "valid_to" else "Sửa: «đã đổi»")
    tried = await send(filled, noun, body, dry_run=True, reason="sửa")
    assert tried.status_code == 200, (noun.path, tried.text)
    (row,) = tried.json()["difference"]
    assert [change["column"] for change in row["changes"]] == [column], noun.path
    done = await send(filled, noun, body, reason="sửa")
    assert (done.status_code, done.json().get("updated")) == (200, 1), (noun.path, done.text)
    after = await on_record()
    ((old, new),) = [(before[key], item) for key, item in after.items() if before.get(key) != item]
    assert {name for name in new if new[name] != old[name]} <= {column, "revision", "changed_at", "etag"}, noun.path
    then = datetime.fromisoformat(new["changed_at"]) - timedelta(microseconds=1)
    assert await on_record(as_of=then.isoformat()) == before, noun.path
    left = {new["id"]} if column == "valid_to" else set()
    assert (await on_record(valid_on="2031-06-01")).keys() == forced.keys() - left, noun.path
    assert (await on_record(valid_on="2031-06-01", as_of=then.isoformat())) == forced, noun.path


async def test_a_record_longer_than_a_cell_stays_as_it_is(province: Any) -> None:
    facility = await province.facility()
    system = {"kind": "ip", "cameras": [{"code": f"C-{n}", "condition": "tốt " * 50} for n in range(200)]}
    body = {"code": "KS-1", "facility_id": facility["id"], "form": {"system": system}}
    made = await province.post("/v1/surveys", body)
    exported = await province.client.get("/v1/exports/surveys.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(exported.content))
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[2]]
    assert sheet.cell(3, names.index("form") + 1).value == LEFT_OUT
    sheet.cell(3, names.index("place") + 1).value = "Cam An"
    edited = io.BytesIO()
    book.save(edited)
    done = await send(province, noun_named("survey"), edited.getvalue())
    assert (done.status_code, done.json().get("updated")) == (200, 1), done.text
    after = (await province.client.get(f"/v1/surveys/{made['id']}")).json()
    assert (after["place"], after["form"]) == ("Cam An", made["form"])
    for name, value in {"code": "KS-2", "revision": None}.items():
        sheet.cell(3, names.index(name) + 1).value = value
    edited = io.BytesIO()
    book.save(edited)
    refused = await send(province, noun_named("survey"), edited.getvalue())
    assert [error["field"] for error in refused.json()["errors"]] == ["form"], "of a new one there is nothing to keep"


async def test_a_plan_is_found_by_the_code_that_the_register_gave_it(province: Any) -> None:
    facility = await province.facility(code="KCL-01")
    await province.post("/v1/connection-plans", {"facility_id": facility["id"]})
    text = "code,facility_code,note\nKCL-01-PA1,KCL-01,sửa\n,KCL-01,bản sau\n"
    done = await send(province, noun_named("connection_plan"), text.encode())
    assert (done.status_code, done.json().get("created"), done.json().get("updated")) == (200, 1, 1), done.text
    plans = (await province.client.get("/v1/connection-plans")).json()["items"]
    assert {plan["code"]: plan["note"] for plan in plans} == {"KCL-01-PA1": "sửa", "KCL-01-PA2": "bản sau"}
    refused = await send(province, noun_named("connection_plan"), b"code,facility_code\nKCL-01-PA9,KCL-01\n")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code")


async def test_a_visit_is_planned_as_officials_write_the_time(province: Any) -> None:
    await province.facility(code="KCL-01")
    agency = await province.agency(role="operator")
    await province.post("/v1/teams", {"code": "T-1", "name": "Tổ 1", "agency_id": agency["id"]})
    head = "facility_code,team_code,purpose,planned_from,planned_to,zones,protection"
    row = "KCL-01,T-1,survey,08/05/2021 8:00,08/05/2021 11h30,Khu A; Sân sau,mask gloves"
    done = await send(province, noun_named("visit"), f"{head}\n{row}\n".encode())
    assert (done.status_code, done.json().get("created")) == (200, 1), done.text
    (visit,) = (await province.client.get("/v1/visits")).json()["items"]
    assert visit["planned_to"] == "2021-05-08T04:30:00Z"
    assert (visit["zones"], visit["protection"]) == (["Khu A", "Sân sau"], ["mask", "gloves"])


LIKE_AN_ERROR = ("#N/A", "'#N/A", "''#REF!", "#REF!", "#N/A; x", "#1")


@pytest.mark.parametrize("path", ["journal-entries.csv", "journal-entries.csv?format=excel-vi", "journal-entries.xlsx"])
async def test_a_text_like_the_error_of_a_formula_comes_back(province: Any, path: str) -> None:
    facility = await province.facility()
    for text in LIKE_AN_ERROR:
        body = {"about_noun": "facility", "about_id": facility["id"], "text": text}
        await province.post("/v1/journal-entries", body)
    exported = await province.client.get(f"/v1/exports/{path}")
    assert not any(cell in {"#N/A", "#REF!"} for line in exported.text.splitlines() for cell in line.split(","))
    stored = await send(province, noun_named("journal_entry"), exported.content)
    assert (stored.status_code, stored.json().get("unchanged")) == (200, len(LIKE_AN_ERROR)), stored.text


async def test_a_cell_whose_formula_failed_is_no_empty_cell(province: Any) -> None:
    facility = await province.facility(code="KCL-01", address="Thôn 1")
    exported = (await province.client.get("/v1/exports/facilities.xlsx")).content
    book = openpyxl.load_workbook(io.BytesIO(exported))
    sheet = book.worksheets[0]
    place = [cell.value for cell in sheet[2]].index("address") + 1
    sheet.cell(3, place).value = "#N/A"
    assert sheet.cell(3, place).data_type == "e"
    edited = io.BytesIO()
    book.save(edited)
    refused = await send(province, noun_named("facility"), edited.getvalue())
    (error,) = refused.json()["errors"]
    assert (error["field"], error["row"], error["value"]) == ("address", 3, "#N/A")
    assert (await province.client.get(f"/v1/facilities/{facility['id']}")).json()["address"] == "Thôn 1"


async def test_a_number_of_seventeen_digits_comes_back_as_itself(province: Any) -> None:
    facility = await province.facility(latitude=16.744560000000003, longitude=107.12345678901235)
    for suffix in ("xlsx", "csv"):
        exported = (await province.client.get(f"/v1/exports/facilities.{suffix}")).content
        stored = await send(province, noun_named("facility"), exported)
        assert (stored.status_code, stored.json().get("unchanged")) == (200, 1), stored.text
    assert (await province.client.get(f"/v1/facilities/{facility['id']}")).json()["revision"] == facility["revision"]


@pytest.mark.parametrize("code", ["none", "Khong", "NONE"])
async def test_a_word_for_an_empty_list_is_no_code_of_what_a_list_names(province: Any, code: str) -> None:
    """A file that lists it would list nothing: a camera lost its centre, and an obligation was about everybody."""
    unit, agency = await province.unit(), await province.agency()
    facility = {"code": code, "name": "n", "type": "school", "unit_id": unit["id"], "managing_agency_id": agency["id"]}
    centre = {"code": code, "name": "n", "role": "national", "url_template": "rtsp://10.9.0.1/{camera_code}"}
    for path, body in (("facilities", facility), ("destinations", centre)):
        refused = await province.client.post(f"/v1/{path}", json=body)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "code"), refused.text
