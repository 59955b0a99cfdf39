"""What of a sheet may not go back: secrets, under whatever heading they stand."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from inventory.domain.devices.addresses import may_hold_stream_key
from inventory.importing.checking.cells import to_text
from inventory.importing.columns import Columns, folded_heading
from inventory.importing.mistakes import Mistake
from inventory.importing.mistakes.secrets import HIDDEN, credentials_in, hide_secrets, repeats
from inventory.importing.reading.headings import SEARCHED_ROWS
from inventory.importing.reading.sheet import RawCell, RawRow

_SECRET = re.compile(r"mat ?khau|pass ?w|pwd|tai ?khoan|user ?name|dang nhap|log ?in|secret")
"""In the folded heading of a column that no noun has: a name or password, misspelt or in other words."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_HEADING = 40


class Cells:
    """The cells of a sheet as they may go back.

    Headings with a mistake make no table, and a sheet of no noun has none: their secrets are hidden all the same.
    """

    def __init__(
        self,
        rows: Sequence[RawRow],
        columns: Columns | None,
        heading: int,
        places: Mapping[int, str],
        mistakes: Iterable[Mistake],
    ) -> None:
        """`heading`: line of the headings; `places`: index of a cell to its column."""
        self._columns, self._heading, self._places = columns, heading, places
        self._secret_below = dict(_secret_headings(rows, columns))
        self._hidden = {(each.line, each.column) for each in mistakes if each.value == HIDDEN}

    def hide_secrets(self, line: int, cells: Sequence[RawCell]) -> list[RawCell]:
        """Copy the cells of a row, HIDDEN in place of some."""
        names = self._places if line > self._heading else {}
        known = self._find_login(cells, names)
        return [self._cell(line, place, cell, names.get(place), known) for place, cell in enumerate(cells)]

    def _cell(self, line: int, place: int, cell: RawCell, name: str | None, known: Collection[str]) -> RawCell:
        if cell == "":
            return cell
        if line > self._secret_below.get(place, line) or (line, name) in self._hidden:
            return HIDDEN
        kept = _without_secret(cell, name, self._columns)
        return HIDDEN if known and repeats(to_text(kept), known) else kept

    def _find_login(self, cells: Sequence[RawCell], names: Mapping[int, str]) -> frozenset[str]:
        """Find the login of a row."""
        by_name = self._columns.by_name if self._columns is not None else {}
        of = {place: by_name[name] for place, name in names.items() if name in by_name and place < len(cells)}
        secrets = [to_text(cells[place]) for place, column in of.items() if column.secret]
        return credentials_in(secrets, [cells[place] for place, column in of.items() if column.may_hold_secret])


def _secret_headings(rows: Sequence[RawRow], columns: Columns | None) -> Iterator[tuple[int, int]]:
    """Index of each cell that heads secrets, with its line, or with that of the technical names below it."""
    for number, (line, cells) in enumerate(rows[:SEARCHED_ROWS]):
        texts = {place: folded_heading(str(cell)) for place, cell in enumerate(cells) if str(cell).strip()}
        found = [place for place, text in texts.items() if _means_a_secret(text, columns)]
        # The name of a list stands alone in its row.
        if found and len(texts) > 1:
            below = rows[number + 1] if number + 1 < len(rows) else None
            last = below.line if below is not None and _are_names(below.cells) else line
            yield from ((place, last) for place in found)
            return


def _are_names(cells: Sequence[RawCell]) -> bool:
    """Whether a row holds technical names and nothing else."""
    texts = [str(cell).strip() for cell in cells if str(cell).strip()]
    return len(texts) > 1 and all(_NAME.fullmatch(text) for text in texts)


def _means_a_secret(text: str, columns: Columns | None) -> bool:
    name = columns.by_heading.get(text) if columns is not None else None
    if columns is not None and name in columns.by_name:
        return columns.by_name[name].secret
    return len(text) <= _LONGEST_HEADING and _SECRET.search(text) is not None


def _without_secret(cell: RawCell, name: str | None, columns: Columns | None) -> RawCell:
    column = columns.by_name.get(name) if columns is not None and name is not None else None
    if column is not None and column.secret:
        return HIDDEN if cell != "" else ""
    if not isinstance(cell, str):
        return cell
    hidden = hide_secrets(cell)
    if column is None or not column.may_hold_secret:
        return hidden
    is_plain = hidden == cell and all(hide_secrets(part) == part for part in cell.split("/"))
    return cell if is_plain and not may_hold_stream_key(cell) else HIDDEN
