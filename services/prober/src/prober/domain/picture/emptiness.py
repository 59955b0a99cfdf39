"""Pictures that show nothing of the place: black, covered, a recorder's card."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.ranks import median, percentile
from prober.domain.picture.thresholds import PictureThresholds
from prober.domain.picture.thumbnail import GREY_SHAPE, Grey, Thumbnail
from vonggac.events import Cause

type Field = npt.NDArray[np.float64]

_TEXT_SHARE = 5.0
"""Percent of the picture that lettering may take without being counted as picture."""
_FLAT_LEVELS = 2
_CARD_FLAT = 0.7
_CARD_COLOUR_SPREAD = 3.0
_CARD_TEXT_LEVELS = 40
_CARD_TEXT_CELLS = 6
_HALO_LEVELS = 6
_LIT_CELLS, _HALO_CELLS = 12, 24
"""A cell is 1/5184 of the picture."""
_HALO_NO_CARD = 0.5
"""Cells of halo for each that stands out: by lamps 0.65 and more, on cards 0.08, and 0.37 in 176 x 144 coded badly …"""
_WHITE_LEVEL, _HALO_NO_WHITE_CARD = 230, 0.05
"""… things before a white sky have sharp edges too: 0.09 and more, dark letters on a white card none …"""
_HALO_NOT_EMPTY = 0.25
"""… and the smooth surface takes some of a small lamp's halo away; letters on a hand before the lens have none."""
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


def measure_emptiness(thumbnail: Thumbnail, thresholds: PictureThresholds) -> Emptiness:
    """Find the first that holds of no_signal_card, black and covered, and measure what it is judged by."""
    bright_level = percentile(thumbnail.grey, 100 - _TEXT_SHARE)
    structure, deviation = _structure(thumbnail.grey)
    levels = np.bincount(thumbnail.points.ravel(), minlength=256)
    mode = int(levels.argmax())
    flat = float(levels[max(0, mode - _FLAT_LEVELS) : mode + _FLAT_LEVELS + 1].sum()) / thumbnail.points.size
    cause: Cause | None = None
    if flat >= _CARD_FLAT and _is_card(thumbnail, mode):
        cause = Cause.NO_SIGNAL_CARD
    elif bright_level <= thresholds.black_level or structure <= thresholds.covered_structure:
        black = bright_level <= thresholds.black_level
        # A lamp in the dark is little of the picture, and still something of the place.
        cause = None if _is_lit(deviation, _HALO_NOT_EMPTY) else Cause.BLACK if black else Cause.COVERED
    return Emptiness(cause, bright_level, structure, flat)


def _is_card(thumbnail: Thumbnail, mode: int) -> bool:
    """Painted and not seen: one even colour, and blue or with words in the middle and nothing that is lit."""
    cb, cr = (median(plane) for plane in thumbnail.chroma)
    spread = max(median(np.abs(plane - usual)) for plane, usual in zip(thumbnail.chroma, (cb, cr), strict=True))
    if spread > _CARD_COLOUR_SPREAD:
        return False
    if cb >= _BLUE_CB and cr <= _BLUE_CR:
        return True
    away = np.abs(thumbnail.grey.astype(np.int16) - mode)
    has_words = int((away[_MIDDLE] >= _CARD_TEXT_LEVELS).sum()) >= _CARD_TEXT_CELLS
    least_halo = _HALO_NO_CARD if mode < _WHITE_LEVEL else _HALO_NO_WHITE_CARD
    return has_words and not _is_lit(away[_INNER_ROWS], least_halo)


def _is_lit(away: npt.NDArray[np.int16] | Field, least_halo: float) -> bool:
    """Whether what stands out is lit and not written. `away`: levels of the inner cells from their background.

    `least_halo`: cells of halo for each that stands out. Lamps, and what they light, have halos of all levels, and so
    have things before an overexposed sky. Beside letters, which are as sharp as the picture allows, there is nothing.
    """
    bright = away >= _CARD_TEXT_LEVELS
    halo = (away >= _HALO_LEVELS) & ~_with_neighbours(bright)
    lit_cells = int(bright.sum())
    return lit_cells >= _LIT_CELLS and int(halo.sum()) >= max(_HALO_CELLS, least_halo * lit_cells)


def _with_neighbours(cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """And the eight cells around each."""
    rows = cells.copy()
    rows[1:] |= cells[:-1]
    rows[:-1] |= cells[1:]
    wide = rows.copy()
    wide[:, 1:] |= rows[:, :-1]
    wide[:, :-1] |= rows[:, 1:]
    return wide


def _structure(grey: Grey) -> tuple[float, Field]:
    """Deviation from a smooth surface of second degree in levels, without the most deviating cells (lettering).

    And that of each inner cell. The surface is laid a second time without them, for they would bend it.
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
    structure = math.sqrt(float(np.einsum("i,i->", kept, kept)) / kept.size)
    return structure, second.reshape(-1, grey.shape[1])


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
