"""The process that parses one workbook: `python -m … MEMORY,CPU`, the bytes on stdin, sheets and rows on stdout.

The parser is compiled code that takes memory as the file says, and a process that has none left dies. This one has
limits, and nothing of the service in it: it imports as little as it can.
"""

import io
import json
import sys
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import batched
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum, load_workbook

from inventory.importing.reading.formula_errors import Errors, find_errors
from vonggac.children.limits import Limits
from vonggac.children.sandbox import confine

ROWS_AT_ONCE = 50
MOST_SHEETS = 200
MOST_CELLS = 20_000_000
"""From the first to the last one, of all sheets: a workbook may name one of its parts many times."""


def main() -> None:
    """Write a JSON document a line: `["sheet", name, hidden]`, `["rows", [[line, cells], …]]`, `["end"]` or
    `["damaged"]`."""
    Limits.parse(sys.argv[1]).apply()
    confine()
    body = sys.stdin.buffer.read()
    try:
        errors = find_errors(body)
        with load_workbook(io.BytesIO(body)) as book:
            _write_sheets(book, errors)
    except (CalamineError, ValueError, OSError, zipfile.BadZipFile, zlib.error):
        _write("damaged")


def _write_sheets(book: CalamineWorkbook, errors: Mapping[str, Errors]) -> None:
    """Without an end where there is too much of it."""
    cells = 0
    for sheet in book.sheets_metadata:
        found = book.get_sheet_by_name(sheet.name)
        cells += found.total_height * found.total_width
        if len(book.sheet_names) > MOST_SHEETS or cells > MOST_CELLS:
            return
        _write("sheet", sheet.name, sheet.visible != SheetVisibleEnum.Visible)
        # Without a start there is no cell.
        rows: list[list[Any]] = found.to_python(skip_empty_area=False) if found.start is not None else []
        for (row, column), error in errors.get(sheet.name, {}).items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
        filled = ([line, cells] for line, cells in enumerate(rows, 1) if any(cell != "" for cell in cells))
        for some in batched(filled, ROWS_AT_ONCE):
            _write("rows", some)
    _write("end")


def _write(*words: object) -> None:
    sys.stdout.write(json.dumps(words, default=_coded) + "\n")


def _coded(cell: object) -> dict[str, Any]:
    """Convert a cell that JSON lacks, as `decoded` reads it."""
    if isinstance(cell, timedelta):
        return {"timedelta": cell.total_seconds()}
    if isinstance(cell, datetime | date | time):
        return {type(cell).__name__: cell.isoformat()}
    raise TypeError(type(cell).__name__)


def decoded(coded: dict[str, Any]) -> timedelta | datetime | date | time:
    """Restore what `_coded` made of a cell."""
    ((kind, value),) = coded.items()
    if kind == "timedelta":
        return timedelta(seconds=value)
    kinds: dict[str, type[datetime | date | time]] = {"datetime": datetime, "date": date, "time": time}
    return kinds[kind].fromisoformat(value)


if __name__ == "__main__":
    main()
