"""Pictures that show nothing of the place: black, covered, a recorder's card."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import GREY_SHAPE, PictureLook
from prober.domain.picture.thresholds import PictureThresholds
from vonggac.events import Cause

_TEXT_SHARE = 5.0
"""Percent of the picture that lettering may take without being counted as picture."""
_FLAT_LEVELS = 2
_CARD_FLAT = 0.7
_CARD_COLOUR_SPREAD = 3.0
_CARD_TEXT_LEVELS = 40
_CARD_TEXT_CELLS = 6
_BLUE_CB, _BLUE_CR = 160, 128
_INNER_ROWS = slice(8, 46)
"""Without the strips above and below in which cameras write."""
_MIDDLE = np.s_[11:43, 19:77]
"""The middle 60 % of the grid, where a card's words are and a camera's lettering is not."""


@dataclass(frozen=True, slots=True)
class Emptiness:
    """`cause` is None when there is a picture. Levels of grey, and parts of the whole (0 to 1)."""

    cause: Cause | None
    bright_level: float
    structure: float
    flat: float


def look_for_emptiness(look: PictureLook, thresholds: PictureThresholds) -> Emptiness:
    """The first that holds of no_signal_card, black and covered."""
    grey = look.grey.astype(np.float64)
    bright_level = float(np.percentile(grey, 100 - _TEXT_SHARE))
    structure = _structure(grey)
    mode = int(np.bincount(look.points.ravel(), minlength=256).argmax())
    flat = float((np.abs(look.points.astype(np.int16) - mode) <= _FLAT_LEVELS).mean())
    cause: Cause | None = None
    if flat >= _CARD_FLAT and _is_card(look, mode):
        cause = Cause.NO_SIGNAL_CARD
    elif bright_level <= thresholds.black_level:
        cause = Cause.BLACK
    elif structure <= thresholds.covered_structure:
        cause = Cause.COVERED
    return Emptiness(cause, bright_level, structure, flat)


def _is_card(look: PictureLook, mode: int) -> bool:
    """Painted and not seen: one even colour, and blue or with words in the middle."""
    spread = np.median(np.abs(look.chroma - np.median(look.chroma, axis=(1, 2), keepdims=True)), axis=(1, 2))
    if spread.max() > _CARD_COLOUR_SPREAD:
        return False
    cb, cr = np.median(look.chroma, axis=(1, 2))
    if cb >= _BLUE_CB and cr <= _BLUE_CR:
        return True
    middle = look.grey[_MIDDLE].astype(np.int16)
    return int((np.abs(middle - mode) >= _CARD_TEXT_LEVELS).sum()) >= _CARD_TEXT_CELLS


def _structure(grey: npt.NDArray[np.float64]) -> float:
    """Deviation from a smooth surface of second degree in levels, without the most deviating cells (lettering).

    The surface is laid a second time without them, for they would bend it.
    """
    values = grey[_INNER_ROWS].ravel()
    kept = np.ones(values.size, bool)
    for _ in range(2):
        basis = _BASIS[kept]
        surface = np.linalg.solve(basis.T @ basis, basis.T @ values[kept])
        deviation = np.abs(values - _BASIS @ surface)
        kept = deviation <= np.percentile(deviation, 100 - _TEXT_SHARE)
    return float(np.sqrt(np.mean(deviation[kept] ** 2)))


def _basis() -> npt.NDArray[np.float64]:
    rows, columns = GREY_SHAPE
    y, x = np.meshgrid(np.linspace(-1, 1, rows)[_INNER_ROWS], np.linspace(-1, 1, columns), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)


_BASIS = _basis()
