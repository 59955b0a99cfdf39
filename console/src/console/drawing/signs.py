"""The pair sign: two squares, left the Ministry, right the province. It says which centre lacks, in grey print too.

Full: receives. Crossed: does not. Dotted with "?": nobody knows. Dash: the plan has none.
"""

from collections.abc import Iterator

from markupsafe import Markup, escape

FULL, CROSSED, UNKNOWN, NONE = "full", "crossed", "unknown", "none"
OF_CONNECTION = {
    "both": (FULL, FULL),
    "national_only": (FULL, CROSSED),
    "provincial_only": (CROSSED, FULL),
    "neither": (CROSSED, CROSSED),
    "unknown": (UNKNOWN, UNKNOWN),
    "none": (NONE, NONE),
}
SIZE, GAP = 20.0, 3.6


def half_of(connected: bool | None, deliveries: int) -> str:
    """Choose the square of one role: `deliveries` of the plan, and whether its centre receives; None: nobody knows."""
    if not deliveries:
        return NONE
    return UNKNOWN if connected is None else FULL if connected else CROSSED


def pair(left: str, right: str, label: str) -> Markup:
    """Draw the sign as a picture with its meaning for who does not see it."""
    parts = "".join((*_square(left, 1, 1, SIZE), *_square(right, 1 + SIZE + GAP, 1, SIZE)))
    return Markup('<svg class="sign" viewBox="0 0 48 22" role="img" aria-label="{}">{}</svg>').format(
        label,
        Markup(parts),  # noqa: S704 - numbers and fixed words alone
    )


def pair_within(left: str, right: str, x: float, y: float, size: float, label: str) -> Markup:
    """Draw the sign inside another picture, its upper left corner at (x, y)."""
    gap = size * GAP / SIZE
    parts = "".join((*_square(left, x, y, size), *_square(right, x + size + gap, y, size)))
    return Markup('<g role="img" aria-label="{}">{}</g>').format(escape(label), Markup(parts))  # noqa: S704 - as above


def _square(half: str, x: float, y: float, size: float) -> Iterator[str]:
    if half == NONE:
        yield f'<path d="M{x:g} {y + size / 2:g}h{size:g}" class="none"/>'
        return
    if half == UNKNOWN:
        yield (
            f'<rect x="{x + 1:g}" y="{y + 1:g}" width="{size - 2:g}" height="{size - 2:g}" class="unknown" '
            f'stroke-dasharray="{size / 5:g}"/><text x="{x + size / 2:g}" y="{y + size * 0.78:g}" class="q" '
            f'font-size="{size * 0.8:g}" text-anchor="middle" aria-hidden="true">?</text>'
        )
        return
    yield f'<rect x="{x:g}" y="{y:g}" width="{size:g}" height="{size:g}" class="{"up" if half == FULL else "down"}"/>'
    if half == CROSSED:
        a, b = size * 0.22, size * 0.78
        yield (
            f'<path d="M{x + a:g} {y + a:g}L{x + b:g} {y + b:g}M{x + b:g} {y + a:g}L{x + a:g} {y + b:g}" '
            f'class="cross" stroke-width="{size * 0.14:g}"/>'
        )
