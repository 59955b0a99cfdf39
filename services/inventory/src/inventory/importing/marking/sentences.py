"""What stands beside a row: its mistakes, Vietnamese first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from inventory.importing.checking.cells import HIDDEN
from inventory.importing.columns import ERRORS, Columns
from inventory.importing.mistakes import Mistake
from inventory.importing.reading.sheet import RawCell
from inventory.importing.reading.table import Table
from vonggac.telemetry import redact


def by_line(mistakes: Iterable[Mistake], sheet: str) -> Mapping[int, Sequence[Mistake]]:
    """The mistakes of one sheet by their line."""
    found: dict[int, list[Mistake]] = defaultdict(list)
    for mistake in mistakes:
        if not mistake.sheet or mistake.sheet == sheet:
            found[mistake.line].append(mistake)
    return found


def sentence(mistake: Mistake, columns: Columns | None) -> str:
    """«Mã cơ sở»: chưa có KCL-9 … / facility_code: KCL-9 is not on record …"""
    heading = columns.heading(mistake.column) if columns is not None else mistake.column
    return f"«{heading}» {mistake.text.vietnamese} / {mistake.column} {mistake.text.english}"


def without_secret(cell: RawCell, name: str | None, columns: Columns | None) -> RawCell:
    """A cell as it may go back."""
    if columns is None or name is None or name not in columns.by_name:
        return redact(cell) if isinstance(cell, str) else cell
    column = columns.by_name[name]
    if column.secret:
        return HIDDEN if cell != "" else ""
    if isinstance(cell, str) and "://" in cell and redact(cell) != cell:
        return HIDDEN if column.may_hold_secret else redact(cell)
    return cell


def places_of(table: Table | None, cells: Sequence[RawCell]) -> dict[int, str]:
    """Index of a cell to its column, of the row of headings."""
    if table is None:
        return {}
    written = {heading: name for name, heading in table.headings.items()}
    return {place: written[str(cell)] for place, cell in enumerate(cells) if str(cell) in written}


def is_errors_heading(cell: RawCell, columns: Columns | None) -> bool:
    """Whether the column is the one that an earlier answer added."""
    from inventory.importing.columns import folded_heading

    return columns is not None and columns.by_heading.get(folded_heading(str(cell))) == ERRORS
