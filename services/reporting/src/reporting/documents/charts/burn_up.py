"""Progress against the deadline: what is connected, day by day, below the line of all that is to be connected."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.axes import LEFT, PLOT, TOP, WIDTH, Scale, day_labels, frame, nice_ceiling, nothing
from reporting.documents.charts.canvas import INK, STYLES, Canvas

_HEIGHT, _BOTTOM = 290, 230
_LINES = (
    ("national", "Trung tâm của Bộ", "square", "5 3"),
    ("provincial", "IOC của tỉnh", "triangle", "2 2"),
    ("both", "Cả hai trung tâm", "circle", ""),
)


MOST_DEADLINES = 3
"""So many are drawn; the words of the picture have all."""


class Point(NamedTuple):
    """One step: its label and end, all that is to be connected, and what was."""

    label: str
    end: int
    whole: int
    national: int
    provincial: int
    both: int


class Due(NamedTuple):
    """A deadline in milliseconds like the ends of steps, and its words."""

    at: int
    label: str


def burn_up(points: Sequence[Point], deadlines: Sequence[Due] = (), *, name: str = "progress") -> str:
    """Draw the picture. A deadline is drawn where it lies among the steps."""
    canvas = Canvas(
        name,
        WIDTH,
        _HEIGHT,
        title="Tiến độ kết nối so với thời hạn / Progress against the deadline",
        description=_description(points, deadlines),
    )
    canvas.text(LEFT, 18, "Số camera đã kết nối so với thời hạn", bold=True, size=13)
    if not points:
        nothing(canvas)
        return canvas.svg()
    top = nice_ceiling(max(max(point.whole for point in points), 1))
    scale = Scale(0, top, _BOTTOM, _BOTTOM - TOP)
    ticks = [(top * quarter // 4, f"{top * quarter // 4:,}".replace(",", ".")) for quarter in range(5)]
    frame(canvas, scale, ticks)
    pitch = PLOT / len(points)
    xs = [LEFT + pitch * (index + 0.5) for index in range(len(points))]
    canvas.line(_stairs(xs, [scale.y(point.whole) for point in points], pitch), width=1.5, dash="8 3 2 3")
    canvas.text(
        xs[-1] + pitch / 2, scale.y(points[-1].whole) - 9, f"Tổng số: {points[-1].whole}", anchor="end", size=11
    )
    for kind, _, shape, dash in _LINES:
        colour = INK if kind == "both" else STYLES[kind].colour
        line = [(x, scale.y(getattr(point, kind))) for x, point in zip(xs, points, strict=True)]
        canvas.line(line, colour=colour, width=2, dash=dash)
        for x, y in line:
            canvas.mark(x, y, shape, colour)
    draw_deadlines(canvas, [point.end for point in points], pitch, deadlines)
    day_labels(canvas, xs, [point.label for point in points], _BOTTOM)
    _legend(canvas)
    return canvas.svg()


def _stairs(xs: Sequence[float], ys: Sequence[float], pitch: float) -> list[tuple[float, float]]:
    return [corner for x, y in zip(xs, ys, strict=True) for corner in ((x - pitch / 2, y), (x + pitch / 2, y))]


def draw_deadlines(canvas: Canvas, ends: Sequence[int], pitch: float, deadlines: Sequence[Due]) -> None:
    """Draw a line between the last step that ends by the deadline and the next; outside the steps only its words."""
    for row, (deadline, label) in enumerate(deadlines[:MOST_DEADLINES]):
        before = sum(end <= deadline for end in ends)
        x = LEFT + pitch * before
        if 0 < before < len(ends):
            canvas.line([(x, TOP - 8), (x, _BOTTOM)], width=1.5, dash="3 3")
        anchor = "end" if before > len(ends) / 2 else "start"
        height = TOP - 12 + 14 * row
        canvas.text(x + (-5 if anchor == "end" else 5), height, label, anchor=anchor, size=11, bold=True)


def _legend(canvas: Canvas) -> None:
    x = float(LEFT)
    for kind, word, shape, dash in _LINES:
        colour = INK if kind == "both" else STYLES[kind].colour
        canvas.line([(x, _HEIGHT - 16), (x + 28, _HEIGHT - 16)], colour=colour, width=2, dash=dash)
        canvas.mark(x + 14, _HEIGHT - 16, shape, colour)
        canvas.text(x + 34, _HEIGHT - 12, word)
        x += 60 + 6.4 * len(word)
    canvas.line([(x, _HEIGHT - 16), (x + 28, _HEIGHT - 16)], width=1.5, dash="8 3 2 3")
    canvas.text(x + 34, _HEIGHT - 12, "Phải kết nối")


def _description(points: Sequence[Point], deadlines: Sequence[Due]) -> str:
    if not points:
        return "Không có số liệu. No figures."
    last = points[-1]
    due = "".join(f"{one.label}. " for one in deadlines)
    return (
        f"{due}Đến {last.label}: {last.both} trên {last.whole} camera kết nối cả hai trung tâm, "
        f"{last.national} kết nối trung tâm của Bộ, {last.provincial} kết nối IOC của tỉnh."
    )
