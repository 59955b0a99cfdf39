"""The frame of a chart over time: grid, labels of percent or counts, labels of days."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.canvas import GREY, INK, PALE, Canvas

WIDTH, LEFT, RIGHT, TOP = 720, 56, 20, 44
PLOT = WIDTH - LEFT - RIGHT
_MAX_LABELS = 12


class Scale(NamedTuple):
    """Values from `low` to `high` over a height in pixels from `bottom` upwards."""

    low: float
    high: float
    bottom: float
    height: float

    def y(self, value: float) -> float:
        """Compute the coordinate of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0
        return self.bottom - share * self.height


def nice_ceiling(value: int) -> int:
    """Find the next of 1, 2, 4, 5, 8, 10 and their tens that is not below: a top that divides well by four or five."""
    top = 1
    while True:
        for step in (1, 2, 4, 5, 8):
            if top * step >= value:
                return top * step
        top *= 10


def frame(canvas: Canvas, scale: Scale, ticks: Sequence[tuple[float, str]]) -> None:
    """Horizontal grid lines with their labels, then both axes."""
    for value, label in ticks:
        y = scale.y(value)
        canvas.line([(LEFT, y), (LEFT + PLOT, y)], colour=PALE, width=0.75)
        canvas.text(LEFT - 6, y + 4, label, anchor="end", size=11)
    canvas.line([(LEFT, scale.bottom - scale.height), (LEFT, scale.bottom), (LEFT + PLOT, scale.bottom)], width=1)


def day_labels(canvas: Canvas, centres: Sequence[float], labels: Sequence[str], bottom: float) -> None:
    """Labels below the axis, as many as fit."""
    every = -(-len(labels) // _MAX_LABELS)
    for index, (x, label) in enumerate(zip(centres, labels, strict=True)):
        if index % every == 0:
            canvas.line([(x, bottom), (x, bottom + 4)], colour=INK)
            canvas.text(x, bottom + 17, label, anchor="middle", size=11)


def nothing(canvas: Canvas) -> None:
    """Write the words that stand where there are no figures."""
    canvas.text(WIDTH / 2, canvas.height / 2, "Không có số liệu", anchor="middle", size=14, colour=GREY)
