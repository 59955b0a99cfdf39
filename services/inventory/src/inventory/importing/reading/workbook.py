"""XLSX to sheets of rows. The parser is compiled; what it reads was checked by `zip_guard` before."""

import io
from collections.abc import Iterable

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum, load_workbook

from inventory.importing.mistakes import RefusalError, refuse
from inventory.importing.mistakes.collected import FILE, Mistakes
from inventory.importing.reading.sheet import Format, RawCell, RawFile, RawRow, Sheet
from inventory.importing.reading.zip_guard import check_workbook

MOST_ROWS = 100_000
MOST_COLUMNS = 300


def read_workbook(body: bytes, mistakes: Mistakes) -> RawFile | None:
    """All sheets. None when the file is refused."""
    try:
        check_workbook(body)
        with load_workbook(io.BytesIO(body)) as book:
            hidden = {each.name for each in book.sheets_metadata if each.visible != SheetVisibleEnum.Visible}
            sheets = [Sheet(name, _rows(book, name), name in hidden) for name in book.sheet_names]
    except RefusalError as refusal:
        mistakes.add(1, FILE, refusal.text)
        return None
    except (CalamineError, ValueError, OSError):
        mistakes.say(1, FILE, "damaged_workbook")
        return None
    return RawFile(Format.XLSX, sheets)


def _rows(book: CalamineWorkbook, name: str) -> list[RawRow]:
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return []
    if sheet.height > MOST_ROWS:
        refuse("too_many_rows", most=MOST_ROWS)
    above, left = sheet.start
    padding: list[RawCell] = [""] * left
    return [
        RawRow(line, padding + cells[:MOST_COLUMNS] if left else cells[:MOST_COLUMNS])
        for line, cells in enumerate(_each(sheet.iter_rows()), above + 1)
        if any(cell != "" for cell in cells)
    ]


def _each(rows: Iterable[list[RawCell]]) -> Iterable[list[RawCell]]:
    return rows
