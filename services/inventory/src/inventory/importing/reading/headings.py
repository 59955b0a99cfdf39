"""Finds the row of headings, and which column of the file is which column of the noun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from inventory.domain.text import legacy_of
from inventory.importing.cells.text import normal, visible
from inventory.importing.columns import NOT_READ, REVISION, Columns, folded_heading
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.collected import FILE
from inventory.importing.mistakes.secrets import hide_secrets
from inventory.importing.reading.sheet import RawCell, RawRow

SEARCHED_ROWS = 20
MOST_COLUMNS = 300
"""With a heading, in one sheet: a noun has some forty, and people add their own."""
_LONGEST_HEADING = 80
"""Compared with the known ones where it is none of them."""
_SHOWN = 40
_CLEAR = 2
"""So many known headings make a row the row of headings."""


@dataclass(frozen=True, slots=True)
class Headings:
    """`places`: index of a cell to the column's name. `rest`: the rows below the headings."""

    line: int
    places: Mapping[int, str]
    written: Mapping[str, str]
    """Column to its heading as the file writes it."""
    width: int
    rest: Sequence[RawRow]


def find_headings(rows: Sequence[RawRow], columns: Columns, mistakes: Mistakes) -> Headings | None:
    """Find the headings; None when they have mistakes. Technical names below Vietnamese ones win over them."""
    if not rows:
        mistakes.add_phrase(1, FILE, "empty_file")
        return None
    at = _heading_row(rows, columns)
    texts = _texts(rows[at].cells)
    if len(texts) > MOST_COLUMNS:
        mistakes.add_phrase(rows[at].line, FILE, "too_many_columns", found=len(texts), most=MOST_COLUMNS)
        return None
    named = {place: columns.by_heading.get(folded_heading(text)) for place, text in texts.items()}
    below = at + 1
    if below < len(rows) and (technical := _technical(rows[below].cells, columns)):
        named |= technical
        texts = {place: texts.get(place, name) for place, name in named.items() if name} | texts
        below += 1
    before = mistakes.count
    line, rest = rows[at].line, rows[below:]
    legacy = next((found for place, text in texts.items() if not named.get(place) and (found := legacy_of(text))), None)
    if legacy is not None:
        mistakes.add_phrase(line, FILE, f"legacy_{legacy}")
        return None
    places = _checked(line, texts, named, columns, mistakes)
    width = max(texts, default=-1) + 1
    for place in _unnamed(rest, texts):
        mistakes.add_phrase(line, FILE, "unnamed_column", number=place + 1)
    if mistakes.count > before:
        return None
    return Headings(line, places, {name: texts[place] for place, name in places.items()}, width, rest)


def _heading_row(rows: Sequence[RawRow], columns: Columns) -> int:
    """Find the first row with two known headings; else the first one."""
    for number, row in enumerate(rows[:SEARCHED_ROWS]):
        texts = _texts(row.cells)
        known = {name for text in texts.values() if (name := columns.by_heading.get(folded_heading(text)))}
        if len(known) >= min(_CLEAR, len(columns.columns)):
            return number
    return 0


def _texts(cells: Sequence[RawCell]) -> dict[int, str]:
    texts = ((place, visible(normal(str(cell)))) for place, cell in enumerate(cells))
    return {place: text for place, text in texts if text}


def is_technical(cells: Sequence[RawCell], columns: Columns) -> bool:
    """Whether a row below the headings holds the technical names of its columns."""
    return bool(_technical(cells, columns))


def _technical(cells: Sequence[RawCell], columns: Columns) -> dict[int, str | None]:
    texts = _texts(cells)
    names = {place: text for place, text in texts.items() if text in columns.by_name or text == REVISION}
    return dict(names) if len(names) >= _CLEAR and len(names) == len(texts) else {}


def _checked(
    line: int, texts: Mapping[int, str], named: Mapping[int, str | None], columns: Columns, mistakes: Mistakes
) -> dict[int, str]:
    places: dict[int, str] = {}
    for place, text in texts.items():
        name = named.get(place)
        if name is None:
            _add_unknown(line, text, columns, mistakes)
        elif name in places.values():
            mistakes.add_phrase(line, name, "twice_heading", value=text)
        elif name not in NOT_READ:
            places[place] = name
    for name in columns.required:
        if name not in places.values():
            needed = ", ".join(columns.required)
            needed_vi = ", ".join(columns.heading(each) for each in columns.required)
            mistakes.add_phrase(line, name, "missing_heading", needed=needed, needed_vi=needed_vi)
    return places


def _add_unknown(line: int, text: str, columns: Columns, mistakes: Mistakes) -> None:
    near = get_close_matches(folded_heading(text[:_LONGEST_HEADING]), columns.by_heading, n=1, cutoff=0.75)
    name = columns.by_heading[near[0]] if near else ""
    mistakes.add_phrase(
        line,
        hide_secrets(text)[:_SHOWN],
        "unknown_heading",
        value=text,
        near=f"; did you mean {name}?" if near else "",
        near_vi=f"; có phải là «{columns.heading(name)}»?" if near else "",
        known=", ".join(columns.by_name),
        known_vi=", ".join(column.heading for column in columns.columns),
    )


def _unnamed(rows: Sequence[RawRow], texts: Mapping[int, str]) -> list[int]:
    """Columns without a heading in which some row has a cell; a row may not be wider than the headings either."""
    gaps = [place for place in range(max(texts, default=-1) + 1) if place not in texts]
    filled: set[int] = set()
    for row in rows if gaps else ():
        for place in gaps:
            # Rows end where they end: all of them together are read once.
            if place >= len(row.cells):
                break
            if place not in filled and str(row.cells[place]).strip():
                filled.add(place)
    return sorted(filled)[:MOST_COLUMNS]
