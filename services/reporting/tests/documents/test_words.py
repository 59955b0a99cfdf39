"""The letter says what its figures are of: by days or months, and of which part of the province."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from openpyxl import load_workbook

from reporting.documents.letter.blocks import Grid, Picture, Text
from reporting.documents.letter.connected import DEFINITION
from reporting.documents.letter.content import paper
from reporting.documents.render import rendered
from reporting.documents.verifying.verify import verify
from reporting.domain.segments import Period
from reporting.reports.notes import note_declared_maintenance
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import FilterPart, table_parts
from vonggac.decree.pdf.glyphs import drawable
from vonggac.events.causes import CAUSE_NAMES, Cause

if TYPE_CHECKING:
    from reporting.reports.snapshot.report import Report

DAY = 86_400_000


def test_every_cause_has_a_vietnamese_name() -> None:
    assert set(CAUSE_NAMES) == set(Cause)


@pytest.mark.parametrize(
    ("lengths", "said", "by"),
    [
        ((DAY, DAY), "Trong ngày cuối của kỳ báo cáo có ", "theo ngày"),
        ((5 * DAY, 31 * DAY), "Trong tháng cuối của kỳ báo cáo có ", "theo tháng"),
        ((DAY,), "Trong kỳ báo cáo có ", "theo ngày"),
    ],
)
def test_the_last_step_is_called_what_it_is(report: Report, lengths: tuple[int, ...], said: str, by: str) -> None:
    (row, *_), days, at = report.tables["days"], [], report.header.period.from_ms
    for length in lengths:
        days.append({**row, "from_ms": at, "to_ms": at + length})
        at += length
    body = paper(replace(report, tables={**report.tables, "days": days})).body
    assert any(isinstance(one, Text) and one.text.startswith(said) for one in body)
    first = next(one for one in body if isinstance(one, Picture))
    assert first.words.endswith(by)
    assert f"{by} (%)" in first.svg


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({}, None),
        ({"unit": "999", "type": "hotel"}, "phạm vi: đơn vị hành chính 999, loại hình khách sạn."),
        ({"facility": "KCL-01"}, "phạm vi: cơ sở KCL-01 (Khách sạn cách ly Đông Hà)."),
    ],
)
def test_a_report_of_a_part_says_of_which(report: Report, filters: dict[str, str], said: str | None) -> None:
    header = report.header.model_copy(update={"filters": FilterPart(**filters)})
    texts = [one.text for one in paper(replace(report, header=header)).body if isinstance(one, Text)]
    narrowed = [one for one in texts if "trong phạm vi" in one]
    assert len(narrowed) == (said is not None)
    assert said is None or narrowed[0].endswith(said)
    sheet = load_workbook(BytesIO(rendered(replace(report, header=header), "xlsx"))).worksheets[0]
    scopes = [value for name, value, *_ in sheet.iter_rows(values_only=True) if name == "Phạm vi"]
    assert scopes == ([] if said is None else [said.removeprefix("phạm vi: ").removesuffix(".")])


@pytest.mark.parametrize(
    ("unknown", "said"), [(0, "không có thời gian nào camera phải hoạt động."), (DAY, "đều không rõ.")]
)
def test_a_share_of_nothing_is_not_said(report: Report, unknown: int, said: str) -> None:
    (sums,) = report.tables["totals"]
    nothing = {name: 0 if name.endswith("_ms") else value for name, value in sums.items()}
    lost = {"period_ms": unknown, "unknown_ms": unknown, "compliance_unknown_ms": unknown}
    body = paper(replace(report, tables={**report.tables, "totals": [{**nothing, **lost}]})).body
    texts = [one.text for one in body if isinstance(one, Text)]
    assert any(one.startswith("Trong kỳ không có tỷ lệ hoạt động") and one.endswith(said) for one in texts)
    assert any(one.endswith("không đo được trong kỳ.") for one in texts)
    assert not any(" - " in one or "(-" in one for one in texts)


def test_facilities_whose_names_have_commas_stay_apart_in_the_letter(report: Report) -> None:
    empty = [row for row in report.tables["facilities"] if not row["cameras"]]
    assert len(empty) == 2
    renamed = [
        {**row, "facility_name": f"Sư đoàn {place}, điểm cách ly {place}"} if row in empty else row
        for place, row in enumerate(report.tables["facilities"])
    ]
    body = paper(replace(report, tables={**report.tables, "facilities": renamed})).body
    (said,) = (one.text for one in body if isinstance(one, Text) and "cơ sở chưa có camera (" in one.text)
    names = [row["facility_name"] for row in renamed if "Sư đoàn" in str(row["facility_name"])]
    assert f"({names[0]}; {names[1]})" in said


@pytest.mark.parametrize(
    ("hours", "zone", "said"),
    [(0, "Asia/Ho_Chi_Minh", "10/5/2021"), (17, "Asia/Ho_Chi_Minh", "10/5/2021 17:00"), (0, "UTC", "09/5/2021 17:00")],
)
def test_before_a_day_is_said_of_a_midnight_alone(report: Report, hours: int, zone: str, said: str) -> None:
    """In UTC, or of a deadline at five in the afternoon, the day alone would name another instant."""
    period = report.header.period.model_copy(update={"time_zone": zone})
    due_before = report.header.period.to_ms + hours * DAY // 24
    owed = [
        row if row["due_before_ms"] is None else {**row, "due_before_ms": due_before}
        for row in report.tables["obligations"]
    ]
    header = report.header.model_copy(update={"period": period})
    written = paper(replace(report, header=header, tables={**report.tables, "obligations": owed}))
    (listed,) = written.appendices[0].blocks
    assert isinstance(listed, Grid)
    due = [row[14].split(": ")[0] for row in listed.rows if row[14].startswith("Trước")]
    assert due
    assert {*due} == {f"Trước {said}"}
    duties = next(one for one in written.body if isinstance(one, Grid) and one.columns[0] == "Nghĩa vụ")
    assert {row[2] for row in duties.rows} == {said, "Không có"}
    drawn = [one.svg for one in written.body if isinstance(one, Picture)]
    assert sum(f"Thời hạn: trước {said}<" in one for one in drawn) == 2


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("Khách sạn 酒店", "Khách sạn □□"),
        ("Trạm \U0001f3e5\ufe0f số 1 ✓", "Trạm □ số 1 □"),
        ("ស្វាយ", "□□□□□"),
        ("\ue000\U000f0000\u2028\ufffd\u2060", "□□ □"),
        ("A → B ≥ ½ “x” – Đặng Thị Ỷ", "A → B ≥ ½ “x” – Đặng Thị Ỷ"),
        (unicodedata.normalize("NFD", "Trường Đội Ẩm thực"), unicodedata.normalize("NFD", "Trường Đội Ẩm thực")),
    ],
)
def test_a_name_with_signs_that_no_font_of_ours_has_makes_a_pdf_all_the_same(
    report: Report, name: str, drawn: str
) -> None:
    """A frozen name never changes: one such camera would leave the province without its PDF for good."""
    assert drawable(name) == drawn
    tables = {
        table: [{key: name if key in {"facility_name", "camera_name"} else row[key] for key in row} for row in rows]
        for table, rows in report.tables.items()
    }
    header = report.header.model_copy(update={"tables": table_parts(tables)})
    named = replace(report, header=header, tables=tables)
    found = verify(rendered(named, "pdf"), named)
    assert found.unaltered, found.differences


@pytest.mark.heavy
def test_a_subject_as_long_as_it_may_be_is_in_every_form(report: Report, form: str) -> None:
    """Word takes a title of 255 signs in the properties of a file; a report with more is frozen for good."""
    subject = "Kết quả kết nối " * 18 + "camera 24h/24"
    header = report.header.model_copy(
        update={"letterhead": report.header.letterhead.model_copy(update={"subject": subject[:300]})}
    )
    named = replace(report, header=header)
    assert len(named.header.letterhead.subject) == 300
    assert verify(rendered(named, form), named).unaltered


def grid_of(report: Report, words: str) -> Grid:
    (found,) = (one for one in paper(report).body if isinstance(one, Grid) and words in (one.caption or ""))
    return found


def said(report: Report) -> str:
    return "\n".join(one.text for one in paper(report).body if isinstance(one, Text))


def test_letters_group_overdue_duties_by_who_owes_them(report: Report) -> None:
    grid = grid_of(report, "theo cơ quan chịu trách nhiệm")
    overdue = [row for row in report.tables["obligations"] if row["state"] == "overdue"]
    agencies = {row["responsible_name"] for row in overdue}
    assert {grid.rows[index][1] for index in grid.strong} == agencies
    text = " ".join(cell for row in grid.rows for cell in row)
    for row in overdue:
        assert str(row["facility_name"] or "Toàn tỉnh") in text


def test_letters_name_who_is_responsible_in_each_line_of_duties(report: Report) -> None:
    grid = grid_of(report, "Nghĩa vụ và thời hạn")
    assert grid.columns[3] == "Cơ quan chịu trách nhiệm"
    assert all(row[3] for row in grid.rows)


def test_letters_have_one_definition_of_connected_and_the_others_in_a_table(report: Report) -> None:
    assert said(report).count(DEFINITION) == 1
    grid = grid_of(report, "Các số liệu về kết nối")
    assert "số liệu dùng trong báo cáo" in grid.rows[0][0]
    assert all(row[3] for row in grid.rows), "each figure has its definition"
    assert "cơ sở kết nối cả hai" not in said(report)


def test_letters_explain_zone_rule_and_digest_on_the_last_page_and_not_in_the_text(report: Report) -> None:
    text = said(report)
    assert "Asia/Ho_Chi_Minh" not in text
    assert "quy tắc tính phiên bản" not in text
    last = paper(report).appendices[-1]
    words = "\n".join(one.text for one in last.blocks if isinstance(one, Text))
    assert (last.number, last.title) == ("VII", "Thuyết minh số liệu")
    for one in ("giờ Việt Nam (UTC+7)", f"phiên bản {report.header.rule_version}", report.sha256):
        assert one in words
    assert f"Phụ lục {last.number}" in text


def test_letters_have_a_line_about_declared_maintenance(report: Report) -> None:
    period = Period(report.header.period.from_ms, report.header.period.to_ms)
    row = note_declared_maintenance(period, 2, 5_400_000).to_row()
    text = said(replace(report, tables={**report.tables, "notes": [row]}))
    assert "Có 2 đợt bảo trì được khai báo mà chưa thống nhất trước, tổng cộng 1,5 giờ trong kỳ" in text


def test_letters_without_a_signer_s_name_keep_the_digest_of_their_header() -> None:
    assert "signer_name" not in Letterhead().model_dump()
    assert Letterhead(signer_name="Nguyễn Văn Mẫu").model_dump()["signer_name"] == "Nguyễn Văn Mẫu"
