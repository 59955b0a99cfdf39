"""Files as they come: encodings, separators, rows above the headings, each mistake with its line."""

import csv
import io
import re
import time
import zipfile
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from inventory.importing.cells.text import ErrorCell, check_encoding, normal
from inventory.importing.columns import Column, Columns, Kind
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.texts import RefusalError, Text
from inventory.importing.reading.file import read_file
from inventory.importing.reading.table import Table, read_table
from vonggac.http import ProblemError
from vonggac.http.formulas import escape_formula

COLUMNS = Columns(
    "thing",
    "vật",
    (
        Column(name="code", heading="Mã vật", kind=Kind.CODE, required=True),
        Column(name="name", heading="Tên vật", required=True),
        Column(name="note", heading="Ghi chú"),
    ),
)


def read(body: bytes, mistakes: Mistakes | None = None) -> Table:
    found = mistakes if mistakes is not None else Mistakes()
    raw = read_file(body, found, COLUMNS.by_heading)
    assert raw is not None, found.found
    table = read_table(raw.sheets[0], COLUMNS, found)
    if mistakes is None:
        found.raise_if_any()
    return table


def workbook(rows: list[list[Any]], *, hidden: int | None = None) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if hidden is not None:
            sheet.set_row(hidden, None, None, {"hidden": True})
    return buffer.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"code,name\r\nA,x\r\n",
        b"\xef\xbb\xbfcode;name\r\nA;x\r\n",
        b"\n Code \tNAME\nA\tx\n\n",
        b'"code";"name"\r\n"A";"x"',
        b"code,name,note\nA,x\n",
        b"sep=;\r\ncode;name\r\nA;x\r\n",
        b'code,name\n="A","=""x"""\n',
        "code;name\r\nA;x\r\n".encode("utf-16"),
        b"\xfe\xff" + "code\tname\r\nA\tx\r\n".encode("utf-16-be"),
        "Mã vật;Tên vật\r\nA;x\r\n".encode(),
        "MA\u0303 VA\u0323\u0302T *;TE\u0302N VA\u0323\u0302t\r\nA;x\r\n".encode(),
        "DANH SÁCH VẬT NĂM 2021;;;\r\n;;;\r\nMã vật;Tên vật;;\r\nA;x;;\r\n".encode(),
        b"code,name,,\r\nA,x,,\r\n",
        "code\u200b,\ufeffname\r\nA,\u00a0x\r\n".encode(),
        pytest.param(workbook([["code", "name"], ["A", "x"]]), marks=pytest.mark.server),
        pytest.param(
            workbook([["Mã vật", "Tên vật"], ["code", "name"], ["A", "x"]], hidden=1), marks=pytest.mark.server
        ),
        pytest.param(
            workbook([["Danh sách"], [], ["", "Mã vật", "Tên vật"], ["", "A", "x"]]), marks=pytest.mark.server
        ),
    ],
)
def test_every_usual_shape_is_read(body: bytes) -> None:
    (row,) = read(body).rows
    assert (row.cells["code"], row.cells["name"]) == ("A", "x")


def test_a_row_knows_the_line_it_begins_on_after_cells_of_several_lines() -> None:
    assert [row.line for row in read(b'code,name\nA,"x\ny"\n\nB,z\n').rows] == [2, 5]
    assert [row.line for row in read(b"sep=,\ncode,name\nA,x\n").rows] == [3]


@pytest.mark.server
def test_a_row_of_a_workbook_knows_its_number() -> None:
    assert [row.line for row in read(workbook([[], ["code", "name"], [], ["A", "x"]])).rows] == [4]


@pytest.mark.server
@pytest.mark.parametrize("prefix", ["", "x:"])
def test_a_formula_that_failed_is_found_under_any_prefix_of_its_names(prefix: str) -> None:
    """Some programs write `<x:c>` for `<c>`."""
    body, changed = workbook([["Mã vật", "Tên vật", "Ghi chú"], ["v-1", "=NA()", ""]]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as given, zipfile.ZipFile(changed, "w") as written:
        for name in given.namelist():
            part = given.read(name).decode()
            if name.startswith("xl/worksheets/sheet"):
                part = part.replace("<v>0</v>", "<v>#N/A</v>").replace('r="B2"', 'r="B2" t="e"')
                part = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", part)
                part = part.replace("xmlns=", f"xmlns{':x' if prefix else ''}=")
            written.writestr(name, part)
    [row] = read(changed.getvalue()).rows
    assert isinstance(row.cells["name"], ErrorCell)


@pytest.mark.server
def test_a_formula_is_read_as_what_it_gave() -> None:
    """An empty text is one; programs that calculate nothing leave no value at all."""
    body = workbook([["Mã vật", "Tên vật", "Ghi chú"], ["v-1", "=1", "=2"], ["v-2", "=3", "=4"]])
    values = (b"<v>7</v>", b"<v></v>", b"<v/>", b"")
    with zipfile.ZipFile(io.BytesIO(body)) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    part = parts["xl/worksheets/sheet1.xml"]
    for value in values:
        part = part.replace(b"</f><v>0</v>", b"</f>" + value, 1)
    part = part.replace(b'<c r="C2"', b'<c r="C2" t="str"')
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as written:
        for name, content in (parts | {"xl/worksheets/sheet1.xml": part}).items():
            written.writestr(name, content)
    first, second = read(changed.getvalue()).rows
    assert (first.cells["name"], first.cells["note"]) == (7.0, "")
    assert [type(second.cells[name]) for name in ("name", "note")] == [ErrorCell, ErrorCell]


@pytest.mark.parametrize("heading", ["STT", "TT", "Số TT", "Số thứ tự", "No."])
def test_the_numbers_of_the_rows_are_not_read(heading: str) -> None:
    (row,) = read(f"{heading},code,name\n1,A,x\n2,,\n".encode()).rows
    assert set(row.cells) == {"code", "name"}


def test_the_column_of_an_earlier_answer_is_not_read() -> None:
    (row,) = read("code,name,Lỗi\nA,x,«Mã» sai\n".encode()).rows
    assert set(row.cells) == {"code", "name"}


def test_a_missing_column_is_named() -> None:
    mistakes = Mistakes()
    read(b"code\nA\n", mistakes)
    assert [(mistake.line, mistake.column) for mistake in mistakes.found] == [(1, "name")]


def test_mistakes_beyond_a_thousand_are_counted() -> None:
    mistakes = Mistakes()
    for line in range(1500):
        mistakes.add(line, "code", Text("wrong", "sai"))
    with pytest.raises(ProblemError, match="1500 mistakes; the first 1000") as refused:
        mistakes.raise_if_any()
    assert len(refused.value.problem.errors) == 1000


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n\ufeff")).map(normal)


@given(st.lists(st.tuples(CELL.filter(bool), CELL), min_size=1), st.sampled_from(",;\t"))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]], separator: str) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerow(["code", "name"])
    writer.writerows([escape_formula(code), escape_formula(name)] for code, name in rows)
    table = read(buffer.getvalue().encode())
    assert [(row.cells["code"], row.cells["name"]) for row in table.rows] == rows


@pytest.mark.parametrize("separator", [",", ";"])
def test_headings_without_end_are_refused_at_once(separator: str) -> None:
    """125 KiB of names cost 3.2 s once: each was compared with each."""
    names = separator.join(f"cot_{number}" for number in range(20_000))
    began = time.process_time()
    mistakes = Mistakes()
    assert read(f"code{separator}name{separator}{names}\r\nA{separator}b\r\n".encode(), mistakes).rows == []
    assert time.process_time() - began < 1
    [found] = mistakes.found
    assert "20002 columns" in found.text.english


def test_a_file_that_is_all_gaps_is_read_in_the_time_of_its_cells() -> None:
    head = "code" + "," * 20_000 + "name"
    rows = "".join(f"A{number},\r\n" for number in range(20_000))
    began = time.process_time()
    mistakes = Mistakes()
    assert len(read(f"{head}\r\n{rows}".encode(), mistakes).rows) == 20_000
    assert time.process_time() - began < 2


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\U000e0041", "\u3164"])
def test_a_cell_with_a_sign_that_nobody_sees_is_refused(sign: str) -> None:
    with pytest.raises(RefusalError, match=f"{ord(sign):04X}"):
        check_encoding(f"Cổng {sign}chính")


def test_a_file_of_blank_lines_weighs_no_more_than_it_has() -> None:
    raw = read_file(b"code,name\nA,x\n" + b"\n" * 50_000, Mistakes(), COLUMNS.by_heading)
    assert raw is not None
    assert (len(raw.sheets[0].rows), len(raw.sheets[0].blank_lines)) == (2, 10_000)
