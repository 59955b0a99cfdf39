"""Pictures that show nothing of the place: black, covered, a recorder's card."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import GREY_SHAPE, Grey, PictureLook
from prober.domain.picture.ranks import median, percentile
from prober.domain.picture.thresholds import PictureThresholds
from vonggac.events import Cause

type Field = npt.NDArray[np.float64]

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
    bright_level = percentile(look.grey, 100 - _TEXT_SHARE)
    structure = _structure(look.grey)
    levels = np.bincount(look.points.ravel(), minlength=256)
    mode = int(levels.argmax())
    flat = float(levels[max(0, mode - _FLAT_LEVELS) : mode + _FLAT_LEVELS + 1].sum()) / look.points.size
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
    cb, cr = (median(plane) for plane in look.chroma)
    spread = max(median(np.abs(plane - usual)) for plane, usual in zip(look.chroma, (cb, cr), strict=True))
    if spread > _CARD_COLOUR_SPREAD:
        return False
    if cb >= _BLUE_CB and cr <= _BLUE_CR:
        return True
    middle = look.grey[_MIDDLE].astype(np.int16)
    return int((np.abs(middle - mode) >= _CARD_TEXT_LEVELS).sum()) >= _CARD_TEXT_CELLS


def _structure(grey: Grey) -> float:
    """Deviation from a smooth surface of second degree in levels, without the most deviating cells (lettering).

    The surface is laid a second time without them, for they would bend it.
    """
    values = grey[_INNER_ROWS].ravel().astype(np.float64)
    wanted = np.einsum("ij,j->i", _BASIS, values)
    first = _deviation(values, _NORMAL, wanted)
    left_out = np.flatnonzero(first > percentile(first, 100 - _TEXT_SHARE))
    # The sums of the few that are left out are taken away: cheaper than new sums of the many that are kept.
    basis, outside = _BASIS[:, left_out], values[left_out]
    normal = _NORMAL - np.einsum("ik,jk->ij", basis, basis)
    second = _deviation(values, normal, wanted - np.einsum("ij,j->i", basis, outside))
    kept = second[second <= percentile(second, 100 - _TEXT_SHARE)]
    return math.sqrt(float(np.einsum("i,i->", kept, kept)) / kept.size)


def _deviation(values: Field, normal: Field, wanted: Field) -> Field:
    """From the surface that the normal equations ask for."""
    surface = np.einsum("i,ij->j", np.linalg.solve(normal, wanted), _BASIS)
    deviation: Field = np.abs(values - surface)
    return deviation


def _basis() -> Field:
    rows, columns = GREY_SHAPE
    y, x = np.meshgrid(np.linspace(-1, 1, rows)[_INNER_ROWS], np.linspace(-1, 1, columns), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y]).reshape(6, -1)


# einsum and not a matrix product: a BLAS would wake its threads for sums as small as these.
_BASIS = _basis()
_NORMAL: Field = np.einsum("ik,jk->ij", _BASIS, _BASIS)
