"""A workbook with marked cells, a comment on each, and the column «Lỗi»."""

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import xlsxwriter

from inventory.importing.cells.dates import DAY
from inventory.importing.columns import ERRORS, HEADINGS
from inventory.importing.job import Upload
from inventory.importing.marking.secrets import Cells
from inventory.importing.marking.sentences import by_line, is_errors_heading, places_of, sentence
from inventory.importing.mistakes import Mistake
from inventory.importing.reading.headings import is_technical
from inventory.importing.reading.sheet import RawCell, Sheet
from inventory.importing.reading.table import Table

COMMENTED = 2000
"""Comments in one workbook: beyond it the column «Lỗi» alone says what is wrong."""


def marked_workbook(upload: Upload) -> bytes:
    """All sheets as they were sent, formulas as text."""
    assert upload.raw is not None
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        formats = {
            "wrong": book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"}),
            "day": book.add_format({"num_format": DAY}),
            "instant": book.add_format({"num_format": f"{DAY} hh:mm"}),
            "text": book.add_format({"num_format": "@"}),
        }
        left = COMMENTED
        for sheet in upload.raw.sheets:
            table = next((each for each in upload.tables if each.sheet == sheet.name), None)
            mistakes = [each for each in upload.mistakes if each.sheet in {None, sheet.name}]
            left = _write(book, formats, sheet, table, mistakes, left)
    return buffer.getvalue()


def _write(
    book: Any, formats: dict[str, Any], sheet: Sheet, table: Table | None, mistakes: Sequence[Mistake], left: int
) -> int:
    page = book.add_worksheet(sheet.name[:31])
    columns = table.columns if table is not None else None
    heading = table.heading_line if table is not None else 1
    top = next((row.cells for row in sheet.rows if row.line == heading), ())
    places = places_of(table, top)
    at = {name: place for place, name in places.items()}
    dropped = {place for place, cell in enumerate(top) if is_errors_heading(cell, columns)}
    last = min(dropped, default=max((len(row.cells) for row in sheet.rows), default=0))
    found = by_line(mistakes, sheet.name)
    going_back = Cells(sheet.rows, columns, heading, places, mistakes)
    if sheet.hidden:
        page.hide()
    for line, cells in sheet.rows:
        if line == heading + 1 and columns is not None and is_technical(cells, columns):
            page.set_row(line - 1, None, None, {"hidden": True})
        wrong = {at.get(mistake.column) for mistake in found.get(line, ())}
        for place, cell in enumerate(going_back.hide_secrets(line, cells)):
            if place not in dropped:
                _write_cell(page, line - 1, place, cell, formats, marked=place in wrong)
        if line == heading and (table is not None or found):
            page.write_string(line - 1, last, HEADINGS[ERRORS])
        if here := found.get(line):
            note = "\n".join(sentence(mistake, columns) for mistake in here)
            page.write_string(line - 1, last if line != heading else last + 1, note, formats["wrong"])
            for mistake in here:
                if mistake.column in at and left > 0:
                    page.write_comment(line - 1, at[mistake.column], sentence(mistake, columns))
                    left -= 1
    return left


def _write_cell(page: Any, row: int, place: int, cell: RawCell, formats: dict[str, Any], *, marked: bool) -> None:
    wrong = formats["wrong"] if marked else None
    if isinstance(cell, bool):
        page.write_boolean(row, place, cell, wrong)
    elif isinstance(cell, int | float):
        page.write_number(row, place, cell, wrong)
    elif isinstance(cell, datetime):
        page.write_datetime(row, place, cell, wrong or formats["instant"])
    elif isinstance(cell, date):
        page.write_datetime(row, place, cell, wrong or formats["day"])
    elif isinstance(cell, time | timedelta):
        page.write_string(row, place, str(cell), wrong)
    elif cell == "":
        page.write_blank(row, place, None, wrong or formats["text"])
    else:
        page.write_string(row, place, cell, wrong or formats["text"])
