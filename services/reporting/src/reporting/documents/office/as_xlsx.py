"""The report as XLSX: what people read first, then every table as it was frozen, then what its columns mean."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import xlsxwriter

from reporting.documents.letter.blocks import Grid, Paper
from reporting.documents.letter.columns import TABLE_NAMES, meanings_of
from reporting.documents.letter.content import paper
from reporting.documents.letter.figures import rows_of, scope_of, zone_of
from reporting.documents.letter.progress import as_of
from reporting.documents.letter.wording import point_in_time
from reporting.documents.office.archive import REPORT_PART, custom_xml, unpacked
from reporting.domain.instants import moment
from reporting.reports.snapshot.report import COLUMNS, Report
from reporting.tables.xlsx_file import print_readably
from vonggac.decree.archive import packed
from vonggac.http.formulas import escape_formula

_RELATIONS = "xl/_rels/workbook.xml.rels"
_CUSTOM = (
    b'<Relationship Id="rIdReport" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml" '
    b'Target="../customXml/vonggac-report.xml"/></Relationships>'
)
_MAX_WIDTH = 60
PRINTED = 200
"""Characters that a sheet for people is wide at most: A4 holds 140, so it is printed in seven tenths of its size."""
_NARROWEST = 8


def as_xlsx(report: Report) -> bytes:
    """Write the workbook: numbers as numbers, milliseconds as integers; in sheets for people text as in the letter."""
    out, content = io.BytesIO(), paper(report)
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties(
        {
            "title": content.title,
            "author": report.header.letterhead.issuer,
            "created": moment(report.header.frozen_at_ms).replace(tzinfo=None),
            "comments": f"SHA-256 {report.sha256}",
        }
    )
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
    # A report of an earlier rule keeps its bytes.
    wrapped = book.add_format({"text_wrap": True, "valign": "top"}) if report.has_register else None
    _about(book, report, content, bold, wrapped)
    for one in content.appendices:
        for block in one.blocks:
            if isinstance(block, Grid):
                _grid(book, f"Phụ lục {one.number}", block, bold, wrapped)
    for name in COLUMNS:
        if name in report.tables:
            _table(book, report, name, bold)
    _meanings(book, report, bold, wrapped)
    book.close()
    return _with_report(out.getvalue(), report)


def _with_report(content: bytes, report: Report) -> bytes:
    """Put the report into the workbook, whose bytes are then free of the clock."""
    parts = unpacked(content)
    parts[_RELATIONS] = parts[_RELATIONS].replace(b"</Relationships>", _CUSTOM)
    parts[REPORT_PART] = custom_xml(report.compact())
    return packed(parts)


def _about(book: Any, report: Report, content: Paper, bold: Any, wrapped: Any) -> None:
    sheet = book.add_worksheet("Thông tin")
    for index, (name, value) in enumerate(_facts(report, content)):
        sheet.write_string(index, 0, name, bold)
        sheet.write_string(index, 1, escape_formula(value), wrapped)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    sheet.set_landscape()
    if report.has_register:
        sheet.fit_to_pages(1, 0)


def _facts(report: Report, content: Paper) -> Iterator[tuple[str, str]]:
    header, zone = report.header, zone_of(report)
    yield "Báo cáo", header.letterhead.subject
    yield "Cơ quan báo cáo", header.letterhead.issuer
    yield "Kính gửi", "; ".join(header.letterhead.addressees)
    yield "Từ", point_in_time(header.period.from_ms, zone)
    yield "Đến trước", point_in_time(header.period.to_ms, zone)
    yield "Múi giờ", header.period.time_zone
    if narrowed := scope_of(report):
        yield "Phạm vi", narrowed
    yield "Chốt số liệu", point_in_time(header.cut_off_ms, zone)
    if report.has_register:
        yield "Theo sổ theo dõi tại", point_in_time(as_of(report), zone)
    yield "Người lập", header.author_in_words
    yield "Phê duyệt", content.status
    yield "Quy tắc tính", f"phiên bản {header.rule_version}"
    yield "Phiên bản", str(header.version)
    if header.reason is not None:
        yield "Lý do có phiên bản này", header.reason
    for line in content.foot.lines:
        yield "", line
    yield "Đơn vị thời gian", "mili giây (cột có tên kết thúc bằng _ms); thời điểm: mili giây từ 01/01/1970 UTC"


def _grid(book: Any, name: str, grid: Grid, bold: Any, wrapped: Any) -> None:
    sheet = book.add_worksheet(name)
    for column, title in enumerate(grid.columns):
        sheet.write_string(0, column, title, bold)
    for index, row in enumerate(grid.rows, start=1):
        for column, value in enumerate(row):
            # A dash alone is no formula.
            shown = value if value == "-" and wrapped is not None else escape_formula(value)
            sheet.write_string(index, column, shown, bold if index - 1 in grid.strong else wrapped)
    _widths(sheet, grid.columns, grid.rows, printed=wrapped is not None)
    sheet.freeze_panes(1, 0)
    _print_on_one_width(sheet)


def _table(book: Any, report: Report, name: str, bold: Any) -> None:
    sheet = book.add_worksheet(TABLE_NAMES[name])
    rows, columns = rows_of(report, name), report.columns_of(name)
    for column, title in enumerate(columns):
        sheet.write_string(0, column, title, bold)
        for index, row in enumerate(rows, start=1):
            value = row.get(title)
            if isinstance(value, bool):
                sheet.write_boolean(index, column, value)
            elif isinstance(value, int):
                sheet.write_number(index, column, value)
            elif value is not None:
                sheet.write_string(index, column, escape_formula(value))
    texts = [[str(row.get(title) or "") for title in columns] for row in rows[:50]]
    width = _widths(sheet, columns, texts)
    sheet.freeze_panes(1, 0)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    if report.has_register:
        print_readably(sheet, width)


def _print_on_one_width(sheet: Any) -> None:
    """All columns of a row on one page, below their titles."""
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)


def _meanings(book: Any, report: Report, bold: Any, wrapped: Any) -> None:
    sheet = book.add_worksheet("Giải thích")
    for column, title in enumerate(("Bảng", "Cột", "Ý nghĩa", "Meaning")):
        sheet.write_string(0, column, title, bold)
    meanings = meanings_of(report)
    lines = [
        (TABLE_NAMES[name], column, *meanings[column])
        for name in COLUMNS
        if name in report.tables
        for column in report.columns_of(name)
    ]
    for index, line in enumerate(lines, start=1):
        for column, value in enumerate(line):
            sheet.write_string(index, column, value, wrapped)
    _widths(sheet, ("", "", "", ""), lines)
    if report.has_register:
        _print_on_one_width(sheet)


def _widths(sheet: Any, titles: Sequence[str], rows: Sequence[Sequence[str]], *, printed: bool = False) -> int:
    """As wide as their texts, within bounds; returns the sum. `printed`: the widest get narrower until the sheet fits a
    page."""
    widest = [max([len(title), *(len(row[column]) for row in rows)]) for column, title in enumerate(titles)]
    most = _MAX_WIDTH
    while printed and most > _NARROWEST and sum(min(max(one, 6) + 2, most) for one in widest) > PRINTED:
        most -= 1
    widths = [min(max(one, 6) + 2, most) for one in widest]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    return sum(widths)
