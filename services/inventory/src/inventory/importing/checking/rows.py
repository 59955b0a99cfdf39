"""All cells of a table to values, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.importing.checking.cells import Converter, to_text
from inventory.importing.columns import REVISION, Column, Kind
from inventory.importing.mistakes import Mistakes, RefusalError, phrase
from inventory.importing.mistakes.secrets import HIDDEN, credentials_in, may_be_password
from inventory.importing.reading.sheet import RawCell
from inventory.importing.reading.table import Row, Table

_PAIRS = (("latitude", "longitude"),)
_OF_CODES = frozenset({Kind.CODE, Kind.CODES})
_WHAT = {
    Kind.CODE: ("a code", "mã"),
    Kind.DATE: ("a date, e.g. 07/05/2021", "ngày, ví dụ 07/05/2021"),
    Kind.PHONE: ("a phone number", "số điện thoại"),
    Kind.CHOICE: ("a word of the list", "một từ trong danh sách"),
}


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row. `values`: column to value; None for an empty cell, and for one of the columns in `wrong`."""

    line: int
    values: Mapping[str, Any]
    revision: int | None = None
    wrong: frozenset[str] = frozenset()
    """Columns of which a mistake is known."""


def check_cells(table: Table, mistakes: Mistakes) -> list[CheckedRow]:
    """All rows; what is wrong goes to `mistakes` with the cell as it stands in the file."""
    converters = [(name, Converter(column)) for name, column in table.columns.by_name.items() if name in table.present]
    pairs = [pair for pair in _PAIRS if table.present.issuperset(pair)]
    guarded = Guarded(table)
    rows: list[CheckedRow] = []
    for row in table.rows:
        before = mistakes.count
        values = {name: _value(row, name, converter, mistakes) for name, converter in converters}
        revision = _revision(row, mistakes)
        for pair in pairs:
            _check_pair(row, pair, table.columns.by_name, mistakes)
        guarded.hide(mistakes, row.cells, before)
        wrong = frozenset(mistake.column for mistake in mistakes.found[before:])
        rows.append(CheckedRow(row.line, values, revision, wrong))
    return rows


class Guarded:
    """Which cells of a table an answer may not show: a password may stand in any of a table that has logins."""

    def __init__(self, table: Table) -> None:
        columns = [column for column in table.columns.columns if column.name in table.present]
        self.secrets = [column.name for column in columns if column.secret]
        self._addresses = [column.name for column in columns if column.may_hold_secret]
        has_logins = any(column.secret for column in table.columns.columns)
        self._no_words = {column.name for column in columns if has_logins and column.kind not in _OF_CODES}
        """Columns of which a word of letters and digits is no code."""

    def hide(self, mistakes: Mistakes, cells: Mapping[str, Any], since: int = 0) -> None:
        """Have the mistakes of a row, from the `since`-th on, repeat nothing that may be its password."""
        if mistakes.count == since:
            return
        addresses = (cells[name] for name in self._addresses)
        known = credentials_in((to_text(cells[name]) for name in self.secrets if cells[name] is not None), addresses)
        for place, mistake in enumerate(mistakes.found[since:], since):
            value = mistake.value
            alone = {value} if value and mistake.column in self._no_words and may_be_password(value) else set()
            mistakes.found[place] = mistake.without(known | alone)


def shown_value(column: Column, cell: RawCell | None) -> str | None:
    """Convert a cell to what an answer may show of it."""
    if cell is None or cell == "":
        return None
    return HIDDEN if column.secret else to_text(cell)


def _value(row: Row, name: str, converter: Converter, mistakes: Mistakes) -> Any:
    cell = row.cells[name]
    if cell == "":
        if converter.column.required:
            what, what_vi = _WHAT.get(converter.column.kind, ("a value", "giá trị"))
            mistakes.add_phrase(row.line, name, "empty", what=what, what_vi=what_vi)
        return None
    try:
        return converter.convert(cell)
    except RefusalError as refusal:
        mistakes.add(row.line, name, refusal.text, value=shown_value(converter.column, cell))
        return None


def _revision(row: Row, mistakes: Mistakes) -> int | None:
    cell = row.cells.get(REVISION, "")
    if cell == "":
        return None
    text = str(cell).removesuffix(".0").strip('"')
    if text.isdecimal():
        return int(text)
    mistakes.add(row.line, REVISION, phrase("no_revision"), value=cell)
    return None


def _check_pair(row: Row, pair: tuple[str, str], columns: Mapping[str, Column], mistakes: Mistakes) -> None:
    given = [name for name in pair if row.cells[name] != ""]
    if len(given) == 1:
        other = pair[1] if given[0] == pair[0] else pair[0]
        mistakes.add_phrase(row.line, given[0], "needs_pair", other=other, other_vi=columns[other].heading)
