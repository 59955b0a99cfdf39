"""Parses the bytes of a CSV file to rows of named cells."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.importing.cells import unescape
from inventory.importing.mistakes import Mistakes

ROW = "row"
FILE = "file"
SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of file."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file; an empty cell is an empty string, a column the file lacks is not in `cells`."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file with a valid header."""

    present: frozenset[str]
    rows: list[Row]


def read_table(body: bytes, columns: Columns, mistakes: Mistakes) -> Table:
    """Parse UTF-8 (with or without BOM), separated by comma, semicolon or tab; skips blank lines.

    Mistakes of the file and of its header go to `mistakes`; the table then has no rows.
    """
    empty = Table(frozenset(), [])
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        mistakes.add_mistake(line, FILE, "is not UTF-8: in Excel save it as 'CSV UTF-8 (Comma delimited)'")
        return empty
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    records = _numbered(lines, mistakes)
    line, names = next(records, (1, []))
    header = [name.strip().lower() for name in names]
    if not _good_header(line, header, columns, mistakes):
        return empty
    rows = [row for number, cells in records if (row := _row(number, header, cells, mistakes)) is not None]
    if not rows and mistakes.count == 0:
        mistakes.add_mistake(line, FILE, "has a header but no rows: add a line for each thing")
    return Table(frozenset(header), rows)


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _numbered(lines: Iterable[list[str]], mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    """Records that are not blank, each with its first line."""
    reader, begins = iter(lines), 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            mistakes.add_mistake(begins, FILE, f"cannot be parsed from here on ({error}): check the quotation marks")
            return
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = lines.line_num + 1  # type: ignore[attr-defined] # a csv.reader


def _good_header(line: int, header: list[str], columns: Columns, mistakes: Mistakes) -> bool:
    before = mistakes.count
    known = ", ".join(columns.all)
    for name in sorted({name for name in header if header.count(name) > 1}):
        mistakes.add_mistake(line, name or FILE, "is in the header twice: keep one")
    for name in sorted(set(header) - set(columns.all)):
        mistakes.add_mistake(line, name or FILE, f"is no column of this file; there are: {known}")
    for name in columns.required:
        if name not in header:
            mistakes.add_mistake(line, name, f"is missing in the header; needed are: {', '.join(columns.required)}")
    return mistakes.count == before


def _row(line: int, header: list[str], cells: list[str], mistakes: Mistakes) -> Row | None:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        message = f"has {len(cells)} cells, the header {len(header)}: quote a cell that holds the separator"
        mistakes.add_mistake(line, ROW, message)
        return None
    padded = cells + [""] * (len(header) - len(cells))
    return Row(line, {name: unescape(cell.strip()) for name, cell in zip(header, padded, strict=False)})
