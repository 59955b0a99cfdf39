"""Availability over time: a stacked bar for each day, with the measured percentage and the target."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.axes import LEFT, PLOT, TOP, WIDTH, Scale, day_labels, frame, nothing
from reporting.documents.charts.canvas import Canvas

_HEIGHT, _BOTTOM = 290, 230
_PARTS = (
    ("up", "Hoạt động"),
    ("down", "Mất"),
    ("unknown", "Không rõ"),
    ("maintenance", "Bảo trì"),
    ("out_of_scope", "Ngoài phạm vi"),
)


class Parts(NamedTuple):
    """The five parts of a step of time, in milliseconds; `label` is its day or month."""

    label: str
    up: int
    down: int
    unknown: int
    maintenance: int
    out_of_scope: int


def availability(steps: Sequence[Parts], *, target_ppm: int, step: str = "ngày", name: str = "availability") -> str:
    """Draw the picture: what was not measured as such, never as a gap or as zero. `step`: what each is long."""
    canvas = Canvas(
        name,
        WIDTH,
        _HEIGHT,
        title="Tỷ lệ hoạt động theo thời gian / Availability over time",
        description=_description(steps),
    )
    canvas.text(LEFT, 18, f"Tỷ lệ thời gian của các camera theo {step} (%)", bold=True, size=13)
    if not steps:
        nothing(canvas)
        return canvas.svg()
    scale = Scale(0, 100, _BOTTOM, _BOTTOM - TOP)
    frame(canvas, scale, [(value, str(value)) for value in (0, 25, 50, 75, 100)])
    pitch = PLOT / len(steps)
    width = min(pitch * 0.72, 44)
    centres = [LEFT + pitch * (index + 0.5) for index in range(len(steps))]
    for x, parts in zip(centres, steps, strict=True):
        _bar(canvas, scale, x - width / 2, width, parts)
        measured = parts.up + parts.down
        if measured and pitch >= 34:
            text = _percent(parts.up, measured)
            canvas.text(x, TOP - 6, text, anchor="middle", size=10)
    target = scale.y(target_ppm / 10_000)
    canvas.line([(LEFT, target), (LEFT + PLOT, target)], width=1.25, dash="6 3")
    day_labels(canvas, centres, [parts.label for parts in steps], _BOTTOM)
    canvas.legend(LEFT, _HEIGHT - 24, _PARTS)
    canvas.text(
        LEFT,
        _HEIGHT - 6,
        f"Nét đứt: mục tiêu {_number(target_ppm)}%. Số trên cột: tỷ lệ đo được, hoạt động trên (hoạt động + mất).",
        size=11,
    )
    return canvas.svg()


def _bar(canvas: Canvas, scale: Scale, x: float, width: float, step: Parts) -> None:
    whole = step.up + step.down + step.unknown + step.maintenance + step.out_of_scope
    if not whole:
        return
    below = 0
    for style, word in _PARTS:
        part = getattr(step, style)
        top, bottom = scale.y(100 * (below + part) / whole), scale.y(100 * below / whole)
        canvas.box(x, top, width, bottom - top, style, label=f"{step.label}: {word} {_percent(part, whole)}")
        below += part
    top = scale.y(100)
    canvas.line([(x, top), (x + width, top), (x + width, scale.bottom), (x, scale.bottom), (x, top)], width=0.5)


def _percent(part: int, whole: int) -> str:
    """One place, half up."""
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10},{tenths % 10}%"


def _number(ppm: int) -> str:
    whole, rest = divmod(ppm, 10_000)
    return str(whole) if not rest else f"{whole},{rest:04d}".rstrip("0")


def _description(steps: Sequence[Parts]) -> str:
    if not steps:
        return "Không có số liệu. No figures."
    values = "; ".join(
        f"{step.label}: {_percent(step.up, step.up + step.down) if step.up + step.down else 'không rõ'}"
        for step in steps
    )
    return f"Tỷ lệ đo được theo từng bước thời gian. {values}."
