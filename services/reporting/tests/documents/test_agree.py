"""The five forms give the same figures, which add up; both authorities read the same numbers (R13)."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import openpyxl
import polars
import pytest
from docx import Document
from PIL import ImageFont

from reporting.documents.as_csv import as_csv
from reporting.documents.as_json import as_json
from reporting.documents.letter.appendices.proposals import proposal_list
from reporting.documents.letter.blocks import Grid, Heading, Text
from reporting.documents.letter.columns import MEANINGS, TABLE_NAMES
from reporting.documents.letter.content import paper
from reporting.documents.letter.wording import percent
from reporting.documents.render import rendered
from reporting.reports.snapshot.report import COLUMNS, LENGTHS
from vonggac.decree.measures import WIDE_TABLE, WIDE_TEXT_MM
from vonggac.decree.pdf import letter_pdf

pytestmark = pytest.mark.heavy

if TYPE_CHECKING:
    from reporting.reports.snapshot.report import Report

FONTS = Path(letter_pdf.__file__).parent / "fonts"
WORD_S_MARGINS_MM = 3.9
"""Of a cell, left and right."""
PARTS = ("up_ms", "down_ms", "maintenance_ms", "unknown_ms", "out_of_scope_ms")


def total(report: Report) -> dict[str, Any]:
    (row,) = report.tables["totals"]
    return dict(row)


def test_every_row_adds_up_to_its_period(report: Report) -> None:
    for table in ("totals", "units", "agencies", "types", "facilities", "cameras", "days"):
        for row in report.tables[table]:
            assert sum(int(str(row[name])) for name in PARTS) == row["period_ms"], (table, row)


def test_the_facts_of_the_example_add_up_to_its_deliveries(report: Report, made: dict[str, bytes]) -> None:
    whole = polars.read_parquet(made["facts.parquet"])
    assert set(whole["facility_code"]) == {row["facility_code"] for row in report.tables["facilities"]}
    facts = whole.drop_nulls("delivery_id")
    sums = facts.group_by("delivery_id").agg(polars.col("connected_ms").sum()).to_dicts()
    frozen = {row["delivery_id"]: row["connected_ms"] for row in report.tables["deliveries"]}
    assert {row["delivery_id"]: row["connected_ms"] for row in sums} == frozen
    lines = list(csv.DictReader(io.StringIO(made["facts.csv"].decode(), newline="")))
    found = [int(line["connected_ms"]) if line["connected_ms"] else None for line in lines]
    assert found == whole["connected_ms"].to_list()


def test_every_grouping_has_the_same_sums(report: Report) -> None:
    expected = {name: total(report)[name] for name in LENGTHS}
    for table in ("units", "agencies", "types", "facilities", "cameras"):
        sums = {name: sum(int(str(row[name])) for row in report.tables[table]) for name in LENGTHS}
        assert sums == expected, table
    # Days count only who was there: what was out of scope on a day may be left out of it.
    days = {name: sum(int(str(row[name])) for row in report.tables["days"]) for name in LENGTHS}
    left_out = {"period_ms", "out_of_scope_ms"}
    assert {name: days[name] for name in LENGTHS if name not in left_out} == {
        name: expected[name] for name in LENGTHS if name not in left_out
    }


def test_outages_come_to_the_down_time(report: Report) -> None:
    assert sum(int(str(row["length_ms"])) for row in report.tables["outages"]) == total(report)["down_ms"]


def test_json_csv_and_xlsx_agree_to_the_millisecond(report: Report) -> None:
    whole = total(report)
    document = json.loads(as_json(report))
    table = list(csv.DictReader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))
    book = openpyxl.load_workbook(io.BytesIO(rendered(report, "xlsx")), read_only=True)
    columns, *lines = book[TABLE_NAMES["cameras"]].iter_rows(values_only=True)
    sheet = [dict(zip(columns, line, strict=True)) for line in lines]
    for name in LENGTHS:
        assert document["tables"]["totals"][0][name] == whole[name]
        assert sum(int(row[name]) for row in table) == whole[name], name
        assert sum(int(str(row[name])) for row in sheet) == whole[name], name
    assert [row["camera_code"] for row in table if row["camera_id"]] == [row["camera_code"] for row in sheet]


def test_every_facility_is_in_the_csv_with_what_the_register_said(report: Report) -> None:
    table = list(csv.DictReader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))
    rows = {row["facility_id"]: row for row in report.tables["progress"]}
    assert {line["facility_id"] for line in table} == rows.keys()
    assert [line["facility_code"] for line in table if not line["camera_id"]] == ["KCL-12", "KCL-11"]
    for line in table:
        row = rows[line["facility_id"]]
        assert line["cut_off_address"] == row["address"]
        assert line["cut_off_due_state"] == (row["due_state"] or "")
        assert line["cut_off_surveyed"] == str(row["surveyed"]).lower()


def test_the_register_s_sums_are_those_of_its_rows(report: Report) -> None:
    """What the letter, its first appendix and the rows say is one number (R13)."""
    rows = report.tables["progress"]
    surveyed, agreed = (sum(row[name] is True for row in rows) for name in ("surveyed", "plan_agreed"))
    body = [one.text for one in paper(report).body if isinstance(one, Text)]
    assert any(f"{surveyed} cơ sở đã khảo sát, {agreed} cơ sở đã thống nhất phương án" in one for one in body)
    (grid,) = paper(report).appendices[0].blocks
    assert isinstance(grid, Grid)
    assert grid.rows[-1][8:10] == [f"{surveyed}/{len(rows)}", f"{agreed}/{len(rows)}"]
    overdue = [row for row in report.tables["obligations"] if row["state"] == "overdue"]
    assert sum(int(str(row["overdue"])) for row in rows) == len(overdue) > 0


def test_the_letter_shows_those_sums(report: Report, docx: bytes) -> None:
    whole = total(report)
    words = "\n".join(one.text for one in Document(io.BytesIO(docx)).paragraphs)
    measured = whole["up_ms"] + whole["down_ms"]
    assert f"Tỷ lệ hoạt động đo được là {percent(whole['up_ms'], measured)}" in words
    assert f"tổng số {whole['cameras']} camera" in words
    with ZipFile(io.BytesIO(docx)) as archive:
        assert archive.testzip() is None


def test_facilities_without_cameras_are_listed(report: Report) -> None:
    empty = {row["facility_code"] for row in report.tables["facilities"] if row["cameras"] == 0}
    assert empty == {"KCL-11", "KCL-12"}


def test_the_workbook_explains_every_column(report: Report) -> None:
    assert {column for columns in COLUMNS.values() for column in columns} <= MEANINGS.keys()
    book = openpyxl.load_workbook(io.BytesIO(rendered(report, "xlsx")), read_only=True)
    assert book.sheetnames[:5] == ["Thông tin", "Phụ lục I", "Phụ lục II", "Phụ lục III", "Phụ lục IV"]
    assert set(book.sheetnames) >= {TABLE_NAMES[name] for name in report.tables}
    explained = {(row[0], row[1]) for row in book["Giải thích"].iter_rows(min_row=2, values_only=True)}
    assert explained == {(TABLE_NAMES[name], column) for name in report.tables for column in COLUMNS[name]}


def test_the_appendix_of_proposals_has_areas_number_cost_days_funds_and_decision(report: Report) -> None:
    proposals = next(one for one in paper(report).appendices if one.number == "V")
    (grid,) = proposals.blocks
    assert isinstance(grid, Grid)
    approved, submitted, total = grid.rows
    assert approved[2:9] == [
        "DX-KCL-06, số 31/TTr-STTTT ngày 07/5/2021", "nơi tiếp nhận (1)", "1", "12.500.000", "2",
        "Dự phòng ngân sách tỉnh năm 2021", "số 1126/QĐ-UBND ngày 09/5/2021",
    ]  # fmt: skip
    assert submitted[7:] == ["chưa xác định", "chưa có", "Đã trình"]
    assert (
        total[4:6]
        == ["6", "96.500.000"]
        == [
            f"{sum(int(str(row[name])) for row in report.tables['proposals']):,}".replace(",", ".")
            for name in ("proposed_cameras", "estimated_cost_vnd")
        ]
    )


def test_no_word_of_the_appendix_of_proposals_is_wider_than_its_column(report: Report) -> None:
    grid = proposal_list(report)
    assert isinstance(grid, Grid)
    bold, plain = (
        ImageFont.truetype(FONTS / f"LiberationSerif-{one}.ttf", WIDE_TABLE * 100) for one in ("Bold", "Regular")
    )
    for column, width in enumerate(grid.widths):
        room = width / sum(grid.widths) * WIDE_TEXT_MM - WORD_S_MARGINS_MM
        words = [(bold, one) for one in grid.columns[column].split()]
        words += [(plain, one) for row in grid.rows for one in row[column].split()]
        widest = max(font.getlength(one) / 100 * 25.4 / 72 for font, one in words)
        assert widest <= room, (grid.columns[column], widest, room)


def test_security_of_cameras_is_one_figure_in_table_appendix_rows_and_csv(report: Report) -> None:
    rows, findings = report.tables["security"], report.tables["security_findings"]
    content = paper(report)
    (table,) = (one for one in content.body if isinstance(one, Grid) and one.columns[0] == "Nội dung")
    counted = {row[0]: [int(cell) for cell in row[1:]] for row in table.rows}
    assert len(counted) == 7
    assert all(sum(cells) == len(rows) for cells in counted.values()), "each camera stands once in each row"
    assert sum(cells[2] + cells[3] for cells in counted.values()) == len(findings) == 7
    assert counted["Giấy chứng nhận hợp quy"][-1] == len(rows), "what nobody declared or saw is unknown"
    (appendix,) = next(one for one in content.appendices if one.number == "VI").blocks
    assert isinstance(appendix, Grid)
    assert len(appendix.rows) == len(findings)
    assert {row[5] for row in appendix.rows} == {"khai báo", "quan sát"}
    lines = list(csv.DictReader(io.StringIO(as_csv(report).decode("utf-8-sig"), newline="")))
    named = {line["camera_id"]: line["cut_off_items_insecure"] for line in lines if line["camera_id"]}
    assert named == {row["camera_id"]: row["items_insecure"] or "" for row in rows}


def test_a_report_that_was_frozen_without_security_keeps_its_form(report: Report) -> None:
    later = ("proposals", "security", "security_findings")
    before = replace(report, tables={name: rows for name, rows in report.tables.items() if name not in later})
    content = paper(before)
    assert [one.number for one in content.appendices] == ["I", "II", "III", "IV", "V"]
    assert not any(isinstance(one, Heading) and "An toàn" in one.text for one in content.body)
    assert "cut_off_items_insecure" not in as_csv(before).decode().splitlines()[0]


def test_a_further_version_names_each_changed_figure(report: Report, correction: Report) -> None:
    changed = [row for row in correction.tables["changes"] if row["table"] == "totals"]
    named = {row["column"]: (row["before"], row["after"]) for row in changed}
    assert named["unknown_ms"] == (str(total(report)["unknown_ms"]), "0")
    assert correction.header.replaces_sha256 == correction.header.previous_sha256 == report.sha256
    assert (correction.header.version, correction.header.number) == (2, 2)
    words = "\n".join(one.text for one in Document(io.BytesIO(rendered(correction, "docx"))).paragraphs)
    assert "Đây là phiên bản 2 của báo cáo" in words
