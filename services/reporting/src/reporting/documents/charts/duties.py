"""What facilities owe against its deadline: how many had done it, day by day, below the line of all that owe it."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.axes import LEFT, PLOT, TOP, WIDTH, Scale, day_labels, frame, nice_ceiling, nothing
from reporting.documents.charts.burn_up import Due, draw_deadlines
from reporting.documents.charts.canvas import STYLES, Canvas

_HEIGHT, _BOTTOM = 290, 230
_LINES = (("national", "square", "5 3"), ("provincial", "triangle", "2 2"))
"""Of each line: the colour of a style, a mark and dashes, so that they differ without colour."""


class DutyLine(NamedTuple):
    """One kind of obligation: its words, how many facilities owe it, and how many had done it by the end of each
    step."""

    words: str
    owing: int
    done: Sequence[int]


class Steps(NamedTuple):
    """The steps of the period: labels and ends."""

    labels: Sequence[str]
    ends: Sequence[int]


def duties(steps: Steps, lines: Sequence[DutyLine], deadlines: Sequence[Due]) -> str:
    """Draw the picture. At most two lines."""
    canvas = Canvas(
        "obligations",
        WIDTH,
        _HEIGHT,
        title="Nghĩa vụ của các cơ sở so với thời hạn / Obligations against the deadline",
        description=_description(lines, deadlines),
    )
    canvas.text(LEFT, 18, "Số cơ sở đã hoàn thành so với thời hạn", bold=True, size=13)
    if not steps.ends or not lines:
        nothing(canvas)
        return canvas.svg()
    most = max(one.owing for one in lines)
    top = nice_ceiling(max(most, 1))
    scale = Scale(0, top, _BOTTOM, _BOTTOM - TOP)
    parts = sorted({top * quarter // 4 for quarter in range(5)})
    frame(canvas, scale, [(part, f"{part:,}".replace(",", ".")) for part in parts])
    pitch = PLOT / len(steps.ends)
    xs = [LEFT + pitch * (index + 0.5) for index in range(len(steps.ends))]
    for owing in sorted({one.owing for one in lines}):
        canvas.line([(LEFT, scale.y(owing)), (LEFT + PLOT, scale.y(owing))], width=1.5, dash="8 3 2 3")
    for one, (style, shape, dash) in zip(lines, _LINES, strict=False):
        points = [(x, scale.y(done)) for x, done in zip(xs, one.done, strict=True)]
        canvas.line(points, colour=STYLES[style].colour, width=2, dash=dash)
        for x, y in points:
            canvas.mark(x, y, shape, STYLES[style].colour)
    draw_deadlines(canvas, steps.ends, pitch, deadlines)
    day_labels(canvas, xs, steps.labels, _BOTTOM)
    _legend(canvas, lines)
    return canvas.svg()


def _legend(canvas: Canvas, lines: Sequence[DutyLine]) -> None:
    x = float(LEFT)
    for one, (style, shape, dash) in zip(lines, _LINES, strict=False):
        colour, words = STYLES[style].colour, f"{one.words}: {one.done[-1]}/{one.owing}"
        canvas.line([(x, _HEIGHT - 16), (x + 28, _HEIGHT - 16)], colour=colour, width=2, dash=dash)
        canvas.mark(x + 14, _HEIGHT - 16, shape, colour)
        canvas.text(x + 34, _HEIGHT - 12, words)
        x += 60 + 6.4 * len(words)
    canvas.line([(x, _HEIGHT - 16), (x + 28, _HEIGHT - 16)], width=1.5, dash="8 3 2 3")
    canvas.text(x + 34, _HEIGHT - 12, "Phải hoàn thành")


def _description(lines: Sequence[DutyLine], deadlines: Sequence[Due]) -> str:
    if not lines or not lines[0].done:
        return "Không có số liệu. No figures."
    due = "".join(f"{one.label}. " for one in deadlines)
    return due + "; ".join(f"{one.words}: {one.done[-1]} trên {one.owing} cơ sở" for one in lines) + "."
