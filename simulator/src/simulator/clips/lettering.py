"""Block letters of three by five cells: the camera's number, its clock, the card of a missing signal."""

import numpy as np
import numpy.typing as npt

type Plane = npt.NDArray[np.uint8]

BLACK = 16
WHITE = 235
NEUTRAL = 128
NO_TIME = " " * len("00:00:00")
_ROWS = 5
_PITCH = 4
_GLYPHS = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# ### ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# .#. .#. .#.",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    ":": "... .#. ... .#. ...",
    " ": "... ... ... ... ...",
    "A": "### #.# ### #.# #.#",
    "G": "### #.. #.# #.# ###",
    "I": "### .#. .#. .#. ###",
    "L": "#.. #.. #.. #.. ###",
    "N": "##. #.# #.# #.# #.#",
    "O": "### #.# #.# #.# ###",
    "S": "### #.. ### ..# ###",
}


def text_width(text: str, cell: int) -> int:
    """Pixels from the first to the last letter's edge."""
    return (_PITCH * len(text) - 1) * cell


def cell_of(height: int, parts: int) -> int:
    """Compute an even cell size, so that chroma fits: the `parts`-th of the height, two at least."""
    return max(2, height // parts & ~1)


def write_text(luma: Plane, chroma: Plane, text: str, *, left: int, top: int, cell: int, boxed: bool) -> None:
    """Write `text` in white at (left, top), on a black box if `boxed`; what does not fit is cut off.

    `luma` has shape (height, width), `chroma` (2, height / 2, width / 2); `left`, `top` and `cell` are even.
    """
    if boxed:
        rows = slice(max(0, top - cell), top + (_ROWS + 1) * cell)
        columns = slice(max(0, left - cell), left + text_width(text, cell) + cell)
        luma[rows, columns] = BLACK
        chroma[:, rows.start // 2 : rows.stop // 2, columns.start // 2 : columns.stop // 2] = NEUTRAL
    mask = _mask(text).repeat(cell, axis=0).repeat(cell, axis=1)
    area = luma[top : top + mask.shape[0], left : left + mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1]]
    area[mask] = WHITE
    tint = chroma[:, top // 2 : (top + mask.shape[0]) // 2, left // 2 : (left + mask.shape[1]) // 2]
    tint[:, mask[::2, ::2][: tint.shape[1], : tint.shape[2]]] = NEUTRAL


def write_time(luma: Plane, chroma: Plane, text: str) -> None:
    """Write the camera's clock at the top right; `NO_TIME` leaves its box empty."""
    cell = cell_of(min(luma.shape), 60)
    left = luma.shape[1] - text_width(text, cell) - 2 * cell & ~1
    write_text(luma, chroma, text, left=max(0, left), top=2 * cell, cell=cell, boxed=True)


def _mask(text: str) -> npt.NDArray[np.bool_]:
    mask = np.zeros((_ROWS, _PITCH * len(text)), np.bool_)
    for position, letter in enumerate(text):
        for row, cells in enumerate(_GLYPHS[letter].split()):
            for column, mark in enumerate(cells):
                mask[row, position * _PITCH + column] = mark == "#"
    return mask
