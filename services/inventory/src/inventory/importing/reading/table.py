"""A sheet whose headings are known: rows of named cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inventory.importing.cells.text import normal, unescape_text, unquote_text
from inventory.importing.columns import Columns, Kind
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import FILE, ROW
from inventory.importing.reading.headings import Headings, find_headings
from inventory.importing.reading.sheet import RawCell, Sheet


class Row(NamedTuple):
    """One row; an empty cell is an empty string, a column that the file lacks is not in `cells`."""

    line: int
    cells: Mapping[str, RawCell]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one noun. `headings`: column to its heading as the file writes it."""

    columns: Columns
    present: frozenset[str]
    rows: list[Row]
    sheet: str = ""
    heading_line: int = 1
    headings: Mapping[str, str] = field(default_factory=dict)


def read_table(sheet: Sheet, columns: Columns, mistakes: Mistakes) -> Table:
    """Name the cells. Mistakes of the headings go to `mistakes`; the table then has no rows."""
    headings = find_headings(sheet.rows, columns, mistakes)
    if headings is None:
        return Table(columns, frozenset(), [], sheet.name)
    kinds = {name: columns.by_name[name].kind for name in headings.places.values() if name in columns.by_name}
    rows = [
        row for raw in headings.rest if (row := _name_cells(raw.line, raw.cells, headings, kinds, mistakes)) is not None
    ]
    if not rows and mistakes.count == 0:
        mistakes.add_phrase(headings.line, FILE, "no_rows")
    present = frozenset(headings.places.values())
    return Table(columns, present, rows, sheet.name, headings.line, headings.written)


def _name_cells(
    line: int, cells: Sequence[RawCell], headings: Headings, kinds: Mapping[str, Kind], mistakes: Mistakes
) -> Row | None:
    if len(cells) > headings.width and any(cell != "" and str(cell).strip() for cell in cells[headings.width :]):
        mistakes.add_phrase(line, ROW, "extra_cells", found=len(cells), wanted=headings.width)
        return None
    count = len(cells)
    named: dict[str, RawCell] = {}
    for place, name in headings.places.items():
        cell = cells[place] if place < count else ""
        if isinstance(cell, str):
            cell = unescape_text(unquote_text(normal(cell)), kinds.get(name, Kind.TEXT))
        named[name] = cell
    return Row(line, named) if any(cell != "" for cell in named.values()) else None
