"""What stands beside a row: its mistakes, Vietnamese first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from inventory.importing.cells.text import normal, visible
from inventory.importing.columns import ERRORS, Columns, folded_heading
from inventory.importing.mistakes import Mistake
from inventory.importing.reading.sheet import RawCell
from inventory.importing.reading.table import Table


def by_line(mistakes: Iterable[Mistake], sheet: str) -> Mapping[int, Sequence[Mistake]]:
    """Group the mistakes of one sheet by their line."""
    found: dict[int, list[Mistake]] = defaultdict(list)
    for mistake in mistakes:
        if not mistake.sheet or mistake.sheet == sheet:
            found[mistake.line].append(mistake)
    return found


def sentence(mistake: Mistake, columns: Columns | None) -> str:
    """«Mã cơ sở»: chưa có KCL-9 … / facility_code: KCL-9 is not on record …"""
    heading = columns.heading(mistake.column) if columns is not None else mistake.column
    return f"«{heading}» {mistake.text.vietnamese} / {mistake.column} {mistake.text.english}"


def places_of(table: Table | None, cells: Sequence[RawCell]) -> dict[int, str]:
    """Index of a cell to its column, of the row of headings."""
    if table is None:
        return {}
    written = {heading: name for name, heading in table.headings.items()}
    texts = ((place, visible(normal(str(cell)))) for place, cell in enumerate(cells))
    return {place: written[text] for place, text in texts if text in written}


def is_errors_heading(cell: RawCell, columns: Columns | None) -> bool:
    """Whether the column is the one that an earlier answer added."""
    return columns is not None and columns.by_heading.get(folded_heading(str(cell))) == ERRORS
