"""Whether two thumbnails show the same place from the same angle: agreement of their edges, whatever the light."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from prober.domain.picture.thumbnail import GREY_SHAPE, Grey

type Gradient = npt.NDArray[np.complex64]
type Field = npt.NDArray[np.float32]

_STILL_CELLS = 2
"""Wind, a loose mount and electronic stabilisation move a picture by this much (2 % of the width)."""
_SEARCH_ROWS, _SEARCH_COLUMNS = 14, 24
"""How far a moved picture is searched: a quarter of the size."""
_TRANSFORM_SHAPE = (72, 120)
"""Room for the largest shift, so that nothing comes in again at the other side; products of small primes are fast."""
_SOFTENING = 4.0
"""Gradients (levels a cell) below this count less and less: noise has a direction too."""


_EDGE_LEVELS = 6
_COARSE = 6
"""Cells on each side that are taken together."""
_ANGLES_DEGREES = (-20, -15, -10, -5, 5, 10, 15, 20)
_CLEARLY_HERE = 0.6
"""No turned picture is searched when this much agrees in place."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of edges, -1 to 1 (0 without any): `here` in place, `elsewhere` where it is best after a move or a turn.

    `right`, `down`: where it went (parts of the size); `turned_degrees`: by how much.
    """

    here: float
    elsewhere: float
    right: float
    down: float
    turned_degrees: float = 0.0


def compare_places(thumbnail: Grey, reference: Grey, aspect: float) -> Agreement:
    """Compare places by the direction of edges, little by their strength: gain, offset and gamma do not matter.

    `aspect`: the picture's width over its height, which the grid does not keep.
    """
    wanted = _gradient(reference)
    straight = _best(wanted, _gradient(thumbnail))
    if straight.here >= _CLEARLY_HERE:
        return straight
    best = straight
    for degrees in _ANGLES_DEGREES:
        turned = _best(wanted, _gradient(_turned(thumbnail, degrees, aspect)))
        reached = max(turned.here, turned.elsewhere)
        if reached > best.elsewhere:
            best = replace(turned, here=straight.here, elsewhere=reached, turned_degrees=float(-degrees))
    return best


def _best(wanted: Gradient, seen: Gradient) -> Agreement:
    found = _agreements(wanted, seen)
    near = np.s_[
        _SEARCH_ROWS - _STILL_CELLS : _SEARCH_ROWS + _STILL_CELLS + 1,
        _SEARCH_COLUMNS - _STILL_CELLS : _SEARCH_COLUMNS + _STILL_CELLS + 1,
    ]
    here = float(found[near].max())
    found[near] = -1
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    return Agreement(
        here=here,
        elsewhere=float(found[row, column]),
        right=(int(column) - _SEARCH_COLUMNS) / GREY_SHAPE[1],
        down=(int(row) - _SEARCH_ROWS) / GREY_SHAPE[0],
    )


def _turned(grey: Grey, degrees: float, aspect: float) -> Grey:
    """Nearest cells of the picture turned about its middle; outside, the border goes on."""
    rows, columns = grey.shape
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, rows), np.linspace(-0.5, 0.5, columns) * aspect, indexing="ij")
    row = np.rint((y * cosine - x * sine + 0.5) * (rows - 1)).astype(np.intp)
    column = np.rint(((y * sine + x * cosine) / aspect + 0.5) * (columns - 1)).astype(np.intp)
    turned: Grey = grey[row.clip(0, rows - 1), column.clip(0, columns - 1)]
    return turned


@dataclass(frozen=True, slots=True)
class CoarseAgreement:
    """Of the means of 6 x 6 cells. `similarity`: correlation, -1 to 1. `contrast`: one's over the known one's."""

    similarity: float
    contrast: float


def edge_share(grey: Grey) -> float:
    """Compute the part of the cells (0 to 1) in which an edge stands out of the noise."""
    return float((np.abs(_slopes(grey)) >= _EDGE_LEVELS).mean())


def compare_coarsely(thumbnail: Grey, known: Grey) -> CoarseAgreement:
    """Survives blur, but not every change of light."""
    one, other = _coarse(thumbnail), _coarse(known)
    one_power, other_power = float(np.vdot(one, one)), float(np.vdot(other, other))
    if one_power == 0 or other_power == 0:
        return CoarseAgreement(0.0, 0.0)
    similarity = float(np.vdot(one, other)) / math.sqrt(one_power * other_power)
    return CoarseAgreement(similarity, math.sqrt(one_power / other_power))


def _slopes(grey: Grey) -> Gradient:
    """Differences of the neighbours to the right and left (real), below and above (imaginary), in levels."""
    values = grey.astype(np.float32)
    slopes = (values[1:-1, 2:] - values[1:-1, :-2]) + 1j * (values[2:, 1:-1] - values[:-2, 1:-1])
    return slopes.astype(np.complex64)


def _gradient(grey: Grey) -> Gradient:
    slopes = _slopes(grey)
    gradient: Gradient = slopes / (np.abs(slopes) + np.float32(_SOFTENING))
    return gradient


def _agreements(one: Gradient, other: Gradient) -> Field:
    """Correlation of what overlaps at each shift of `other`, (2 * _SEARCH_ROWS + 1, 2 * _SEARCH_COLUMNS + 1)."""
    transformed = np.conj(np.fft.fft2(one, _TRANSFORM_SHAPE)) * np.fft.fft2(other, _TRANSFORM_SHAPE)
    products = np.fft.ifft2(transformed).real
    downs, rights = np.arange(-_SEARCH_ROWS, _SEARCH_ROWS + 1), np.arange(-_SEARCH_COLUMNS, _SEARCH_COLUMNS + 1)
    power = _overlaps(one, -downs, -rights) * _overlaps(other, downs, rights)
    found: Field = (products[np.ix_(downs, rights)] / np.sqrt(np.maximum(power, 1e-6))).astype(np.float32)
    return found


def _overlaps(gradient: Gradient, downs: npt.NDArray[np.int_], rights: npt.NDArray[np.int_]) -> Field:
    """Energy of the part that overlaps with the other picture at each shift."""
    rows, columns = gradient.shape
    integral = np.zeros((rows + 1, columns + 1))
    integral[1:, 1:] = (np.abs(gradient) ** 2).cumsum(0).cumsum(1)
    top, bottom = np.maximum(downs, 0), rows + np.minimum(downs, 0)
    left, right = np.maximum(rights, 0), columns + np.minimum(rights, 0)
    energy: Field = (
        integral[np.ix_(bottom, right)]
        - integral[np.ix_(top, right)]
        - integral[np.ix_(bottom, left)]
        + integral[np.ix_(top, left)]
    ).astype(np.float32)
    return energy


def _coarse(grey: Grey) -> npt.NDArray[np.float64]:
    """Means of the cells of a grid of 9 x 16, less the mean of all."""
    rows, columns = grey.shape
    lines = grey.reshape(rows // _COARSE, _COARSE, columns).sum(axis=1, dtype=np.uint32)
    sums = np.add.reduceat(lines, np.arange(0, columns, _COARSE), axis=1)
    means = sums / (_COARSE * _COARSE)
    centred: npt.NDArray[np.float64] = means - means.mean()
    return centred
