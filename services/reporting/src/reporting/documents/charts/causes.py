"""Outages by cause: horizontal bars of lost time, the longest first, with their number in words."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.axes import LEFT, RIGHT, WIDTH, nothing
from reporting.documents.charts.canvas import Canvas

_ROW, _HEAD, _NAMES = 24, 34, 210
_MOST = 10


class CauseSum(NamedTuple):
    """What one cause came to: its name in words, how many outages, how many milliseconds."""

    name: str
    times: int
    length: int


def outages_by_cause(sums: Sequence[CauseSum], *, name: str = "causes") -> str:
    """Draw the picture; beyond ten causes the rest is one row."""
    ordered = sorted(sums, key=lambda one: (-one.length, one.name))
    shown = ordered[:_MOST]
    if rest := ordered[_MOST:]:
        shown.append(CauseSum("Nguyên nhân khác", sum(one.times for one in rest), sum(one.length for one in rest)))
    height = _HEAD + max(len(shown), 3) * _ROW + 12
    canvas = Canvas(
        name,
        WIDTH,
        height,
        title="Thời gian mất theo nguyên nhân / Outages by cause",
        description=" ".join(f"{one.name}: {one.times} lượt camera, {_hours(one.length)} giờ." for one in shown)
        or "Không có lần gián đoạn nào. No outages.",
    )
    canvas.text(LEFT, 18, "Thời gian mất theo nguyên nhân (giờ, số lượt camera)", bold=True, size=13)
    if not shown:
        nothing(canvas)
        return canvas.svg()
    longest = max(one.length for one in shown) or 1
    room = WIDTH - LEFT - _NAMES - RIGHT - 120
    for index, one in enumerate(shown):
        y = _HEAD + index * _ROW
        length = max(room * one.length / longest, 1)
        canvas.text(LEFT + _NAMES - 8, y + 15, one.name, anchor="end")
        canvas.box(LEFT + _NAMES, y + 3, length, _ROW - 8, "down", label=one.name)
        canvas.text(LEFT + _NAMES + length + 6, y + 15, f"{_hours(one.length)} giờ ({one.times} lượt)")
    canvas.line([(LEFT + _NAMES, _HEAD - 2), (LEFT + _NAMES, _HEAD + len(shown) * _ROW)])
    return canvas.svg()


def _hours(length: int) -> str:
    """One place, half up."""
    tenths = (20 * length + 3_600_000) // 7_200_000
    return f"{tenths // 10:,}".replace(",", ".") + f",{tenths % 10}"
