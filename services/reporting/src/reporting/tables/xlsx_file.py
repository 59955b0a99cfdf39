"""A table as a workbook: the rows, with instants as local times, and a second sheet that says what each column holds.

A spreadsheet has no time zones: `time_zone` in every row says which one the times are of.
"""

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from reporting.domain.instants import moment
from reporting.tables.arrays import arrays_of
from reporting.tables.csv_file import Dialect
from reporting.tables.stamp import Stamp
from reporting.tables.table import Column, Kind, Rows, Table
from vonggac.http.formulas import escape_formula

MAX_ROWS = 1_048_575
"""Rows that a sheet holds below its headings; what is more goes to a further sheet."""
DICTIONARY = "Từ điển"
_PIECE = 256 * 1024
_DAY_MS = 86_400_000.0
_EPOCH_DAYS = (date(1970, 1, 1) - date(1899, 12, 30)).days
_WIDTHS = {Kind.INSTANT: 24, Kind.TEXT: 18, Kind.DATE: 12, Kind.DURATION: 14, Kind.PERCENT: 12}
_FORMATS = {Kind.INSTANT: "yyyy-mm-dd hh:mm:ss.000", Kind.DATE: "yyyy-mm-dd"}

A3 = 8
"""The number that spreadsheets have for the paper; without one they take the printer's."""
A4_WIDE, A3_WIDE = 200, 300
"""Characters of 11 points that paper across holds in seven points and more: A4 at 70 %, A3 at 67 %."""
SMALLEST = 65
"""Per cent: seven points."""


def print_readably(sheet: Any, characters: int) -> None:
    """Print a sheet whose columns are so wide together; every page has their titles.

    What is too wide for one page goes on beside it, with the numbers of rows and the letters of columns on every page.
    """
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.set_footer("&C&A, &P/&N")
    if characters > A4_WIDE:
        sheet.set_paper(A3)
    if characters <= A3_WIDE:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(SMALLEST)
        sheet.print_across()
        sheet.print_row_col_headers()


class XlsxFile:
    """Writes portions of rows into a temporary file, a row at a time, and gives the workbook at the end."""

    def __init__(self, table: Table, stamp: Stamp, dialect: Dialect = Dialect.RFC4180) -> None:
        self._table, self._stamp, self._excel = table, stamp, dialect is Dialect.EXCEL_VI
        self._folder = tempfile.TemporaryDirectory(prefix="vonggac-table-")
        self._path = Path(self._folder.name) / "book.xlsx"
        options = {"constant_memory": True, "tmpdir": self._folder.name}
        self._book: Any = xlsxwriter.Workbook(str(self._path), options)
        self._book.set_properties(
            {
                "title": table.title_vi,
                "subject": table.title_en,
                "comments": self._about(),
                "created": moment(stamp.generated_at).astimezone(UTC).replace(tzinfo=None),
            }
        )
        self._heading = self._book.add_format({"bold": True, "bg_color": "#D9E1F2", "border": 1})
        self._formats = {kind: self._book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        self._sheets = 0
        self._row = MAX_ROWS + 1
        self._sheet: Any = None

    def begin(self) -> bytes:
        """Nothing leaves before the end."""
        self._next_sheet()
        return b""

    def write(self, rows: Rows) -> bytes:
        """Keep `rows`."""
        if not rows:
            return b""
        columns = [
            _cells(column, array)
            for column, array in zip(self._table.written, arrays_of(self._table, self._stamp, rows), strict=True)
        ]
        for values in zip(*columns, strict=True):
            if self._row > MAX_ROWS:
                self._next_sheet()
            row, writers = self._row, self._writers
            for place, value in enumerate(values):
                if value is not None:
                    write, form = writers[place]
                    write(row, place, value, form)
            self._row = row + 1
        return b""

    def end(self) -> Iterator[bytes]:
        """Yield the whole file, in pieces."""
        self._write_dictionary()
        self._book.close()
        self._book = None
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def close(self) -> None:
        """Remove the temporary files, also where the workbook was cut short."""
        if self._book is not None:
            # What an open workbook leaves to its destructor: its temporary files.
            for sheet in self._book.worksheets():
                sheet.row_data_fh.close()
            self._book.fileclosed = 1
            self._book = None
        self._folder.cleanup()

    def _about(self) -> str:
        stamp = self._stamp
        moments = [stamp.generated_at] if stamp.period is None else [*stamp.period]
        return " – ".join(stamp.local(one).isoformat() for one in moments) + f" ({stamp.time_zone})"

    def _next_sheet(self) -> None:
        self._sheets += 1
        name = self._table.title_vi[:26] + (f" ({self._sheets})" if self._sheets > 1 else "")
        sheet = self._sheet = self._book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        tops = [column.heading if self._excel else column.name for column in self._table.written]
        widths = [
            min(max(len(top) + 2, _WIDTHS.get(column.kind, 10)), 40)
            for top, column in zip(tops, self._table.written, strict=True)
        ]
        for place, width in enumerate(widths):
            # Set before the first row: in constant memory a sheet writes its rows as they come.
            sheet.set_column(place, place, width)
        print_readably(sheet, sum(widths))
        for place, top in enumerate(tops):
            sheet.write_string(0, place, top, self._heading)
        self._row = 1
        self._writers = [
            (_writer(sheet, column.kind), self._formats.get(column.kind)) for column in self._table.written
        ]

    def _write_dictionary(self) -> None:
        sheet = self._book.add_worksheet(DICTIONARY)
        sheet.set_column(0, 1, 34)
        sheet.set_column(2, 3, 10)
        sheet.set_column(4, 4, 90)
        print_readably(sheet, 2 * 34 + 2 * 10 + 90)
        head = ("name", "tiêu đề", "type", "unit", "description")
        rows = [(one.name, one.heading, one.kind.value, one.unit or "", one.description) for one in self._table.written]
        for number, cells in enumerate((head, *rows)):
            for place, text in enumerate(cells):
                sheet.write_string(number, place, text, self._heading if number == 0 else None)


def _writer(sheet: Any, kind: Kind) -> Callable[..., Any]:
    if kind is Kind.TEXT:
        write: Callable[..., Any] = sheet.write_string
    elif kind is Kind.BOOLEAN:
        write = sheet.write_boolean
    else:
        write = sheet.write_number
    return write


def _cells(column: Column, array: Any) -> list[Any]:
    """Values as a spreadsheet keeps them: times as days since the end of 1899."""
    if column.kind is Kind.INSTANT:
        local = pc.cast(pc.cast(pc.local_timestamp(array), pa.int64()), pa.float64())
        array = pc.add(pc.divide(local, _DAY_MS), _EPOCH_DAYS)
    elif column.kind is Kind.DATE:
        array = pc.add(pc.cast(array, pa.int32()), _EPOCH_DAYS)
    values: list[Any] = array.to_pylist()
    if column.kind is Kind.TEXT:
        escaped = {text: None if text is None else escape_formula(text) for text in set(values)}
        return [escaped[text] for text in values]
    return values
