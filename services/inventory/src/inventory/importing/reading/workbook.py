"""XLSX to sheets of rows. The parser is compiled; what it reads was checked by `zip_guard` before."""

import io
from collections.abc import Iterable

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum, load_workbook

from inventory.importing.mistakes import RefusalError
from inventory.importing.mistakes.collected import FILE, Mistakes
from inventory.importing.reading.sheet import Format, RawCell, RawFile, RawRow, Sheet
from inventory.importing.reading.zip_guard import check_workbook


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
        mistakes.add_phrase(1, FILE, "damaged_workbook")
        return None
    return RawFile(Format.XLSX, sheets)


def _rows(book: CalamineWorkbook, name: str) -> list[RawRow]:
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return []
    rows: Iterable[list[RawCell]] = sheet.to_python(skip_empty_area=False)
    return [RawRow(line, cells) for line, cells in enumerate(rows, 1) if any(cell != "" for cell in cells)]
