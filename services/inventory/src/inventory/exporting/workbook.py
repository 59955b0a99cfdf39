"""Workbooks to fill in or to edit: Vietnamese headings, a hidden row of technical names, drop-down lists."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from inventory.importing.cells.dates import DAY, PROVINCE_TIME
from inventory.importing.cells.text import escape_text
from inventory.importing.checking.cells import LEFT_OUT
from inventory.importing.columns import Column, Columns, Kind

LISTS = "Danh mục"
FILLED_ROWS = 20_000
"""Rows below the headings that have the drop-down lists."""
HEADING_ROW, TECHNICAL_ROW, FIRST_ROW = 0, 1, 2
_TEXTUAL = frozenset(
    {
        Kind.TEXT,
        Kind.CODE,
        Kind.PHONE,
        Kind.CHOICE,
        Kind.CODES,
        Kind.TEXTS,
        Kind.IDENTIFIER,
        Kind.RECORDS,
        Kind.RECORD,
    }
)
LONGEST_CELL = 32_767
"""Characters that a cell of a workbook holds."""


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet. `codes`: column to the codes that its cells may have."""

    columns: Columns
    shown: Sequence[Column]
    rows: Sequence[Mapping[str, Any]] = ()
    codes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def write_workbook(pages: Sequence[Page]) -> bytes:
    """All pages; the lists of codes are on a hidden sheet at the end."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        formats = {
            "heading": book.add_format({"bold": True, "bg_color": "#D9E1F2", "border": 1, "text_wrap": True}),
            "required": book.add_format({"bold": True, "bg_color": "#F8CBAD", "border": 1, "text_wrap": True}),
            "text": book.add_format({"num_format": "@"}),
            "date": book.add_format({"num_format": DAY}),
            "plain": book.add_format({}),
        }
        sheets = [(book.add_worksheet(page.columns.sheet[:31]), page) for page in pages]
        lists = _Lists(book)
        for sheet, page in sheets:
            _write_page(sheet, page, formats, lists)
    return buffer.getvalue()


class _Lists:
    """Long lists for drop-downs, a column each; Excel takes short ones only in the cell's own rule."""

    def __init__(self, book: Any) -> None:
        self._sheet = book.add_worksheet(LISTS)
        self._sheet.hide()
        self._count = 0

    def add(self, values: Sequence[str]) -> str:
        """Write `values` as a list, and return its range."""
        column = self._count
        self._count += 1
        self._sheet.write_column(0, column, values)
        name = xl_col_to_name(column, col_abs=True)
        return f"='{LISTS}'!{name}$1:{name}${len(values)}"


def _write_page(sheet: Any, page: Page, formats: Mapping[str, Any], lists: _Lists) -> None:
    sheet.set_row(TECHNICAL_ROW, None, None, {"hidden": True})
    sheet.freeze_panes(FIRST_ROW, 1)
    last = max(FILLED_ROWS, len(page.rows)) + FIRST_ROW
    for place, column in enumerate(page.shown):
        width = min(max(len(column.heading) + 2, 12), 40)
        kind = "text" if column.kind in _TEXTUAL else "date" if column.kind is Kind.DATE else "plain"
        sheet.set_column(place, place, width, formats[kind])
        sheet.write_string(HEADING_ROW, place, column.heading, formats["required" if column.required else "heading"])
        sheet.write_string(TECHNICAL_ROW, place, column.name)
        if column.example or column.required:
            note = ("Bắt buộc. " if column.required else "") + (f"Ví dụ: {column.example}" if column.example else "")
            sheet.write_comment(HEADING_ROW, place, note.strip())
        if values := _offered(column, page.codes):
            rule = {
                "validate": "list",
                "source": lists.add(values),
                "show_error": not column.suggestions,
                "error_type": "warning",
                "error_title": "Không có trong danh sách",
                "error_message": "Chọn một giá trị trong danh sách.",
            }
            sheet.data_validation(FIRST_ROW, place, last, place, rule)
    for number, row in enumerate(page.rows, FIRST_ROW):
        for place, column in enumerate(page.shown):
            _write_value(sheet, number, place, row.get(column.name), column, formats)


def _offered(column: Column, codes: Mapping[str, Sequence[str]]) -> list[str]:
    if column.kind is Kind.CHOICE:
        return list(column.choices.values())
    if column.kind is Kind.YES_NO:
        return ["có", "không"]
    return list(column.suggestions) or list(codes.get(column.name, ()))


def _write_value(sheet: Any, row: int, place: int, value: Any, column: Column, formats: Mapping[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_string(row, place, "có" if value else "không")
    elif isinstance(value, int | float):
        if float(f"{value:.16G}") == value:
            sheet.write_number(row, place, value)
        else:
            # A cell keeps sixteen digits: as a number it would come back as another one.
            sheet.write_string(row, place, repr(value), formats["text"])
    elif isinstance(value, datetime):
        sheet.write_string(row, place, value.astimezone(PROVINCE_TIME).isoformat(), formats["text"])
    elif isinstance(value, date):
        sheet.write_datetime(row, place, value, formats["date"])
    else:
        text = column.choices.get(str(value), str(value))
        if column.kind in {Kind.RECORDS, Kind.RECORD} and len(text) > LONGEST_CELL:
            text = LEFT_OUT
        # A spreadsheet that reads the cell again, or saves it as CSV, must not run it either.
        sheet.write_string(row, place, escape_text(text, column.kind), formats["text"])
