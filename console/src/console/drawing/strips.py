"""Strips of time, and the bar of who receives: parts to scale, from left to right. Their figures stand beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

WIDTH = 960.0
_CLASSES = {
    "up": "up",
    "connected": "up",
    "down": "down",
    "not_connected": "down",
    "maintenance": "maintenance",
    "unknown": "unknown-part",
    "out_of_scope": "out",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One state of a strip, from its start to its end."""

    start: datetime
    end: datetime
    state: str
    words: str


def strip(parts: Sequence[Part], start: datetime, end: datetime, label: str) -> Markup:
    """Draw the parts of [start, end) to scale; what is shorter than a pixel is drawn one pixel wide."""
    length = (end - start).total_seconds() or 1.0
    drawn = []
    for part in sorted(parts, key=lambda each: each.state not in {"up", "connected"}):
        x = WIDTH * (part.start - start).total_seconds() / length
        width = max(1.0, WIDTH * (part.end - part.start).total_seconds() / length)
        drawn.append(
            Markup('<rect x="{}" y="0" width="{}" height="20" class="{}"><title>{}</title></rect>').format(
                f"{x:.1f}", f"{width:.1f}", _CLASSES.get(part.state, "unknown-part"), part.words
            )
        )
    return Markup(
        '<svg class="strip" viewBox="0 0 960 20" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(label, Markup().join(drawn))


BAR_WIDTH, BAR_HEIGHT, GAP, LEAST = 1000.0, 34, 4.0, 6.0
ORDER = ("both", "national_only", "provincial_only", "neither", "unknown", "out_of_scope")
_OF_CONNECTIONS = {
    "both": "up",
    "national_only": "half",
    "provincial_only": "half",
    "neither": "down",
    "unknown": "unknown",
    "out_of_scope": "out",
}


def connection_bar(counts: Mapping[str, int], label: str) -> Markup:
    """Who receives, as lengths; a part that exists is never thinner than can be seen."""
    total = sum(counts.get(part, 0) for part in ORDER)
    present = [part for part in ORDER if counts.get(part, 0)]
    room = BAR_WIDTH - GAP * max(0, len(present) - 1)
    wide = {part: max(LEAST, room * counts[part] / total) for part in present}
    scale = room / sum(wide.values()) if wide else 1.0
    x, parts = 0.0, []
    for part in present:
        width = wide[part] * scale
        parts.append(
            f'<rect x="{x:.1f}" y="0" width="{width:.1f}" height="{BAR_HEIGHT}" class="{_OF_CONNECTIONS[part]}"/>'
        )
        x += width + GAP
    return Markup(
        '<svg class="bar" viewBox="0 0 1000 34" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(label, Markup("".join(parts)))  # noqa: S704 - numbers and fixed words alone
