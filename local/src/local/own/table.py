"""A user's CSV file: comma or semicolon, UTF-8; every mistake has its line, column, value and what would be right."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.apis.inventory import RefusedError
from vonggac.telemetry import redact

MAX_SHOWN = 50
MAX_VALUE = 60
_PADDING = re.compile(r"(?<![0-9])0+(?=[0-9])")
HIDDEN = frozenset({"username", "password"})
"""Columns whose values are never printed."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """`column` empty: the whole line; `line` 0: the whole file."""

    text: str
    line: int = 0
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        value = redact(self.value).replace("\n", " ").replace("\r", " ")
        shown = f"'{value[:MAX_VALUE]}{'…' if len(value) > MAX_VALUE else ''}'"
        place = [f"line {self.line}"] if self.line else []
        place += [f"column {self.column}"] if self.column else []
        place += [shown] if self.value and self.column not in HIDDEN else []
        return f"{', '.join(place)}: {self.text}" if place else self.text


class FileError(Exception):
    """The file cannot be used."""

    def __init__(self, path: Path, mistakes: Sequence[Mistake]) -> None:
        super().__init__(f"{path}: {len(mistakes)} mistakes")
        self.path, self.mistakes = path, mistakes

    def lines(self) -> list[str]:
        """List the lines to print: at most MAX_SHOWN mistakes."""
        more = len(self.mistakes) - MAX_SHOWN
        return [f"{self.path}: {mistake}" for mistake in self.mistakes[:MAX_SHOWN]] + (
            [f"{self.path}: and {more} more"] if more > 0 else []
        )


@dataclass(frozen=True, slots=True)
class Columns:
    """`aliases`: other headings, to the column's name."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    aliases: Mapping[str, str]

    @property
    def known(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `line` is the line of the file that it begins in, `cells` has every column, stripped."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def wrong(self, column: str, text: str) -> Mistake:
        return Mistake(text, self.line, column, self[column])


def read_rows(path: Path, columns: Columns) -> tuple[list[Row], list[Mistake]]:
    """Read the rows, and the mistakes of their form. Raises FileError where no row can be read."""
    table = _table(path, columns)
    begins, headings = table[0]
    header = [columns.aliases.get(heading.strip().lower(), heading.strip().lower()) for heading in headings]
    _check_header(path, begins, header, columns)
    rows, mistakes = [], list[Mistake]()
    for line, cells in table[1:]:
        if len(cells) != len(header):
            hint = (
                "is one missing?" if len(cells) < len(header) else "a comma inside one needs quotation marks around it"
            )
            mistakes.append(Mistake(f"has {len(cells)} cells, the header has {len(header)}: {hint}", line))
            continue
        row = Row(line, {column: cell.strip() for column, cell in zip(header, cells, strict=True)})
        mistakes += [row.wrong(name, "is empty") for name in columns.required if not row[name]]
        mistakes += [row.wrong(name, "must be on one line") for name in header if len(row[name].splitlines()) > 1]
        rows.append(row)
    if not rows and not mistakes:
        raise FileError(path, [Mistake("has no rows: add one below the header")])
    return rows, mistakes


def doubled(rows: Iterable[Row]) -> list[Mistake]:
    """Find a mistake for each code that an earlier row has, or almost: inventory takes both for one."""
    seen: dict[str, Row] = {}
    mistakes = []
    for row in rows:
        first = seen.setdefault(_folded(row["code"]), row)
        if row["code"] and first is not row:
            this = "this code" if first["code"] == row["code"] else f"{first['code']}, almost this code,"
            mistakes.append(row.wrong("code", f"line {first.line} has {this} already: each needs its own"))
    return mistakes


def _folded(code: str) -> str:
    """As inventory compares codes: no case, no leading zeros of a number."""
    return _PADDING.sub("", code.lower())


def refused_rows(path: Path, lines: Sequence[int], refusal: RefusedError) -> FileError:
    """Inventory's refusal of an import, with the lines of the user's file: `lines` of the imported rows, in order."""
    mistakes = []
    for error in refusal.errors:
        # Inventory counts the lines of the import: the header, then one line for each row.
        index = (error.get("row") or 0) - 2
        line = lines[index] if 0 <= index < len(lines) else 0
        mistakes.append(Mistake(str(error["message"]), line, str(error["field"]), str(error.get("value") or "")))
    return FileError(path, mistakes or [Mistake(str(refusal))])


def _table(path: Path, columns: Columns) -> list[tuple[int, list[str]]]:
    text = _text(path)
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    table: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                table.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        mistake = Mistake(f"{error}: a quotation mark is not closed, or text follows it", begins)
        raise FileError(path, [mistake]) from None
    if not table:
        raise FileError(path, [Mistake(f"is empty: its first line must be {','.join(columns.required)}")])
    return table


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise FileError(path, [Mistake(f"cannot be read: {error.strerror or error}")]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        byte = error.object[error.start]
        raise FileError(path, [Mistake(f"is not UTF-8 (byte 0x{byte:02x}): save it as 'CSV UTF-8'", line)]) from None


def _check_header(path: Path, line: int, header: list[str], columns: Columns) -> None:
    mistakes = [Mistake(f"column {name} is missing", line) for name in columns.required if name not in header]
    mistakes += [
        Mistake(f"is no column: there are {', '.join(columns.known)}", line, value=name or "(empty)")
        for name in header
        if name not in columns.known
    ]
    mistakes += [Mistake(f"column {name} is there twice", line) for name in columns.known if header.count(name) > 1]
    if mistakes:
        raise FileError(path, mistakes)
