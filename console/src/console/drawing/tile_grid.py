"""The map of tiles: a square for each unit where it lies, with its facilities and the pair sign of its worst one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PITCH, SIDE = 104, 96
PLACES_OF_2021: Mapping[str, tuple[int, int]] = {
    "464": (1, 0),
    "471": (3, 0),
    "465": (0, 1),
    "468": (1, 1),
    "466": (2, 1),
    "467": (1, 2),
    "461": (2, 2),
    "469": (3, 2),
    "462": (2, 3),
    "470": (3, 3),
}
"""Column and row by unit code, until 30/6/2025; units of other codes follow below, in the order of their codes."""
COLUMNS = 4
_WORDS_OFF = ("Huyện đảo ", "Huyện ", "Thành phố ", "Thị xã ", "Xã ", "Phường ", "Đặc khu ")
_LINE = 5
_LINES = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """One unit: `figure` facilities of `total` have both centres; `left` and `right` are the halves of its sign."""

    code: str
    name: str
    figure: str
    left: str
    right: str
    label: str
    kind: str
    """`loud`, `odd`, `off`, or nothing: what is well is quiet."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A tile with the upper left corner of its square and the lines of its name."""

    tile: Tile
    x: int
    y: int
    lines: tuple[str, ...]


def place(tiles: Sequence[Tile]) -> list[Placed]:
    """Every tile at its place: those of the map, then the others row by row below it."""
    placed, rest = [], []
    for tile in sorted(tiles, key=lambda each: each.code):
        if (spot := PLACES_OF_2021.get(tile.code)) is not None:
            placed.append(_at(tile, *spot))
        else:
            rest.append(tile)
    first_row = 1 + max((each.y // PITCH for each in placed), default=-1)
    placed += [_at(tile, number % COLUMNS, first_row + number // COLUMNS) for number, tile in enumerate(rest)]
    return placed


def height_of(placed: Sequence[Placed]) -> int:
    """Of the whole map, in units of the picture."""
    return max((each.y for each in placed), default=0) + SIDE + 4


def _at(tile: Tile, column: int, row: int) -> Placed:
    return Placed(tile, column * PITCH + 2, row * PITCH + 2, short_name(tile.name))


def short_name(name: str) -> tuple[str, ...]:
    """Break the name into two lines of a tile, without the kind of unit; what does not fit ends with «…»."""
    for word in _WORDS_OFF:
        name = name.removeprefix(word)
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    kept = [line if len(line) <= _LINE + 2 else line[: _LINE + 1] + "…" for line in lines[:_LINES]]
    if len(lines) > _LINES:
        kept[-1] = kept[-1][: _LINE + 1].rstrip("…") + "…"
    return tuple(kept)
