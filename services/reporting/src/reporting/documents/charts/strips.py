"""The day of each camera as a strip of 24 hours: what it was at every moment."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.documents.charts.axes import RIGHT, WIDTH, nothing
from reporting.documents.charts.canvas import GREY, Canvas

_NAMES, _ROW, _HEAD, _FOOT = 150, 24, 48, 44
_WORDS = (
    ("up", "Hoạt động"),
    ("down", "Mất"),
    ("unknown", "Không rõ"),
    ("maintenance", "Bảo trì"),
    ("out_of_scope", "Ngoài phạm vi"),
)


class Piece(NamedTuple):
    """A camera was `state` in [start, end), milliseconds."""

    start: int
    end: int
    state: str


class Strip(NamedTuple):
    """One camera's day."""

    label: str
    pieces: Sequence[Piece]


class Tick(NamedTuple):
    """What the clock shows at an instant."""

    at: int
    label: str


def strips(
    cameras: Sequence[Strip], *, start: int, end: int, ticks: Sequence[Tick], day: str, name: str = "strips"
) -> str:
    """Draw the picture of [start, end), which `day` names in words."""
    height = _HEAD + max(len(cameras), 2) * _ROW + _FOOT
    canvas = Canvas(
        name,
        WIDTH,
        height,
        title=f"Hoạt động 24 giờ của từng camera, {day} / 24-hour strips",
        description=" ".join(f"{one.label}: {_words(one.pieces)}." for one in cameras) or "Không có số liệu.",
    )
    canvas.text(10, 18, f"Hoạt động 24 giờ của từng camera, {day}", bold=True, size=13)
    if not cameras or end <= start:
        nothing(canvas)
        return canvas.svg()
    room = WIDTH - _NAMES - RIGHT
    bottom = _HEAD + len(cameras) * _ROW
    for tick in ticks:
        x = _NAMES + room * (tick.at - start) / (end - start)
        canvas.line([(x, _HEAD - 6), (x, bottom)], colour=GREY, width=0.5)
        canvas.text(x, _HEAD - 10, tick.label, anchor="middle", size=10)
    for index, one in enumerate(cameras):
        y = _HEAD + index * _ROW
        canvas.text(_NAMES - 8, y + 15, one.label, anchor="end", size=11)
        for piece in one.pieces:
            left = _NAMES + room * (piece.start - start) / (end - start)
            right = _NAMES + room * (piece.end - start) / (end - start)
            canvas.box(left, y + 3, right - left, _ROW - 7, piece.state, label=f"{one.label}: {_word(piece.state)}")
        top, low = y + 3, y + _ROW - 4
        canvas.line(
            [(_NAMES, top), (_NAMES + room, top), (_NAMES + room, low), (_NAMES, low), (_NAMES, top)], width=0.5
        )
    canvas.legend(_NAMES, bottom + 26, _WORDS)
    return canvas.svg()


def _word(state: str) -> str:
    return dict(_WORDS).get(state, state)


def _words(pieces: Sequence[Piece]) -> str:
    sums: dict[str, int] = {}
    for piece in pieces:
        sums[piece.state] = sums.get(piece.state, 0) + piece.end - piece.start
    return ", ".join(f"{_word(state).lower()} {length // 60_000} phút" for state, length in sums.items())
