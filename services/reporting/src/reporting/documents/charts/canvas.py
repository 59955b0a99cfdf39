"""SVG as text: the one place that knows its syntax. The same arguments give the same bytes.

Every picture has a title and a description for who cannot see it, patterns beside its colours, and prints in grey.
Coordinates are pixels with two places, so that no machine's rounding shows.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

FONT = "Liberation Serif, Times New Roman, serif"
INK, GREY, PALE = "#1a1a1a", "#5c5c5c", "#d9d9d9"


class Style(NamedTuple):
    """How one kind of thing is drawn. `pattern` is the inside of a tile of 8 × 8 over `colour`."""

    colour: str
    pattern: str = ""


_LINE = f'stroke="{INK}" stroke-width="1" fill="none"'
STYLES: Mapping[str, Style] = {
    "up": Style("#8fc4a4"),
    "down": Style("#d1495b", f'<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" {_LINE}/>'),
    "maintenance": Style("#9db8d9", f'<path d="M0 4H8" {_LINE}/>'),
    "unknown": Style("#f2f2f2", f'<circle cx="4" cy="4" r="1.2" fill="{INK}"/>'),
    "out_of_scope": Style("#ffffff", f'<path d="M0 0L8 8M0 8L8 0" stroke="{GREY}" stroke-width="0.5" fill="none"/>'),
    "national": Style("#4c78a8", f'<path d="M4 0V8" {_LINE}/>'),
    "provincial": Style("#e0a030", f'<path d="M0 0L8 8M-2 6L2 10M6 -2L10 2" {_LINE}/>'),
}
"""One style for each word of the reports, the same in every chart."""


def pixels(value: float) -> str:
    """Format a coordinate: two places at most, without a trailing zero."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


class Canvas:
    """A picture that is being drawn. `name` makes its ids unique where several stand in one page."""

    def __init__(self, name: str, width: int, height: int, *, title: str, description: str) -> None:
        self.name, self.width, self.height = name, width, height
        self.title, self.description = title, description
        self._parts: list[str] = []
        self._patterns: dict[str, Style] = {}

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: int = 12,
        anchor: str = "start",
        bold: bool = False,
        colour: str = INK,
    ) -> None:
        """Words; `anchor` is start, middle or end."""
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{pixels(x)}" y="{pixels(y)}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{weight}>'
            f"{escape(text)}</text>"
        )

    def line(
        self, points: Sequence[tuple[float, float]], *, colour: str = INK, width: float = 1, dash: str = ""
    ) -> None:
        """Draw a line through points."""
        path = "L".join(f"{pixels(x)} {pixels(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(f'<path d="M{path}" stroke="{colour}" stroke-width="{pixels(width)}" fill="none"{dashed}/>')

    def box(self, x: float, y: float, width: float, height: float, style: str, *, label: str = "") -> None:
        """Draw a filled rectangle in one of `STYLES`; `label` is shown by a pointer and read aloud."""
        if width <= 0 or height <= 0:
            return
        self._patterns[style] = STYLES[style]
        inside = f"<title>{escape(label)}</title>" if label else ""
        self._parts.append(
            f'<rect x="{pixels(x)}" y="{pixels(y)}" width="{pixels(width)}" height="{pixels(height)}" '
            f'fill="url(#{self.name}-{style})">{inside}</rect>'
        )

    def mark(self, x: float, y: float, shape: str, colour: str) -> None:
        """Draw a point of a line: `square`, `circle` or `triangle`, so that lines differ without colour."""
        match shape:
            case "square":
                path = f"M{pixels(x - 3)} {pixels(y - 3)}h6v6h-6z"
            case "triangle":
                path = f"M{pixels(x)} {pixels(y - 4)}l4 7h-8z"
            case _:
                path = f"M{pixels(x - 3)} {pixels(y)}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z"
        self._parts.append(f'<path d="{path}" fill="{colour}" stroke="{INK}" stroke-width="0.75"/>')

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str]]) -> None:
        """Boxes with words beside them, in a row: pairs of style and text."""
        for style, text in entries:
            self.box(x, y - 10, 16, 12, style)
            self.line([(x, y - 10), (x + 16, y - 10), (x + 16, y + 2), (x, y + 2), (x, y - 10)], width=0.5)
            self.text(x + 21, y, text)
            x += 34 + 6.2 * len(text)

    def svg(self) -> str:
        """Build the picture as a document of its own."""
        tiles = "".join(
            f'<pattern id="{self.name}-{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<rect width="8" height="8" fill="{style.colour}"/>{style.pattern}</pattern>'
            for name, style in sorted(self._patterns.items())
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" font-family={quoteattr(FONT)} role="img" '
            f'aria-labelledby="{self.name}-title {self.name}-desc" lang="vi">'
            f'<title id="{self.name}-title">{escape(self.title)}</title>'
            f'<desc id="{self.name}-desc">{escape(self.description)}</desc>'
            f'<defs>{tiles}</defs><rect width="{self.width}" height="{self.height}" fill="#ffffff"/>'
            f"{''.join(self._parts)}</svg>\n"
        )
