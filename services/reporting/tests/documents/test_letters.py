"""The letter of a report: who owes what, one meaning of connected, and a last page that an official reads."""

from dataclasses import replace

from reporting.documents.letter.blocks import Grid, Text
from reporting.documents.letter.connected import DEFINITION
from reporting.documents.letter.content import paper
from reporting.domain.segments import Period
from reporting.reports.notes import note_declared_maintenance
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.report import Report


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
    assert (last.number, last.title) == ("V", "Thuyết minh số liệu")
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
