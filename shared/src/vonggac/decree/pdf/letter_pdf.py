"""A letter, a tờ trình or a report on a site as PDF: the parts of `LetterPage`, set by Typst."""

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from vonggac.decree import measures, symbols
from vonggac.decree.letter_page import list_names, write_agency
from vonggac.decree.measures import BETWEEN_PT, SIGNER, date_line, number_line
from vonggac.decree.pdf.typesetting import typeset
from vonggac.decree.word_page import CENTRE, LEFT, RIGHT, Grid

FONT = "Liberation Serif"
"""It has the widths of Times New Roman, which the decree names."""
SYMBOL = symbols.SYMBOL.replace("[^\\W\\d_]", "\\pL")
"""The regular expressions of Typst know no letter but by its category."""
_ALIGNS = {CENTRE: "centre", LEFT: "left", RIGHT: "right"}
_MEASURES = {
    "font": FONT, "body": measures.BODY, "names": measures.NAMES, "head": measures.HEAD, "table": measures.TABLE,
    "recipients": measures.RECIPIENTS, "recipients_head": measures.RECIPIENTS_HEAD, "between": BETWEEN_PT,
    "top": measures.TOP_MM, "bottom": measures.BOTTOM_MM, "left": measures.LEFT_MM, "right": measures.RIGHT_MM,
    "text": measures.TEXT_MM, "first_line": measures.FIRST_LINE_MM, "left_head": measures.LEFT_HEAD_MM,
    "motto": measures.MOTTO_MM, "tied": measures.TIED_ROWS, "short_table": measures.SHORT_TABLE,
    "long_cell": measures.LONG_CELL, "symbol": symbols.MOST_SIGNS,
}  # fmt: skip


class LetterPdf:
    """A document that is being written. The same content gives the same bytes."""

    def __init__(self, title: str, at: datetime) -> None:
        """`at`: the time in the file's properties; the paper's own date is the clerk's."""
        self._at = at
        self._blocks: list[dict[str, Any]] = []
        self._data: dict[str, Any] = {"title": title, "symbol": SYMBOL, "name": None, "addressees": [], "place": None}

    def head(
        self, *, parent: str | None, issuer: str, symbol: str, subject: str | None = None, place: str | None = None
    ) -> None:
        self._data |= {
            "parent": write_agency(parent) if parent is not None else "",
            "issuer": write_agency(issuer),
            "number_line": number_line(symbol),
            "about": subject,
            "date_line": date_line(place) if place is not None else "",
            "country": measures.COUNTRY,
            "motto": measures.MOTTO,
        }

    def name(self, name: str, subject: str) -> None:
        self._data |= {"name": name, "subject": subject}

    def addressees(self, names: Sequence[str], *, before: float = BETWEEN_PT) -> None:
        self._data |= {"addressees": [f"{name}{end}" for name, end in list_names(names)], "only": names[0]}

    def heading(self, text: str, level: int = 1) -> None:
        self._blocks.append({"kind": "heading", "text": text, "level": level})

    def text(self, text: str, *, keep: bool = False) -> None:
        self._blocks.append({"kind": "text", "text": text, "keep": keep})

    def grid(self, grid: Grid, *, wide: bool = False) -> None:
        self._blocks.append(
            {
                "kind": "grid",
                "columns": grid.columns,
                "widths": grid.widths,
                "rows": grid.rows,
                "aligns": [_ALIGNS[one] for one in grid.aligns or [LEFT] * len(grid.columns)],
                "size": measures.TABLE if grid.size is None else grid.size,
            }
        )

    def closing(
        self, recipients: Sequence[str], signer: Sequence[str] = (SIGNER,), signer_name: str | None = None
    ) -> None:
        self._data |= {
            "recipients": [f"- {name}{end}" for name, end in list_names(recipients)],
            "signer": [line.upper() for line in signer],
            "signer_name": signer_name,
        }

    def saved(self) -> bytes:
        """Return the file."""
        at = self._at
        date = {name: getattr(at, name) for name in ("year", "month", "day", "hour", "minute", "second")}
        template = str(files("vonggac.decree.pdf").joinpath("letter.typ"))
        return typeset(template, {**self._data, "date": date, "measures": _MEASURES, "blocks": self._blocks}, at).pdf
