"""Whether two looks show the same place: agreement of their edges, whatever the light."""

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import Grey

type Gradient = npt.NDArray[np.complex64]

_SHIFT_CELLS = 2
"""Wind, a loose mount and electronic stabilisation move a picture by this much (2 % of the width)."""
_SOFTENING = 4.0
"""Gradients (levels a cell) below this count less and less: noise has a direction too."""


def similarity(first: Grey, second: Grey) -> float:
    """Agreement of edges, -1 to 1, at the best of the small shifts; 0 when one of them has no edges.

    The strength of an edge counts little and its direction much, so gain, offset and gamma between day and night do
    not matter.
    """
    one, other = _gradient(first), _gradient(second)
    height, width = one.shape
    span = _SHIFT_CELLS
    inner = one[span : height - span, span : width - span]
    best = 0.0
    for down in range(2 * span + 1):
        for right in range(2 * span + 1):
            moved = other[down : down + inner.shape[0], right : right + inner.shape[1]]
            best = max(best, _agreement(inner, moved))
    return best


def coarse_similarity(first: Grey, second: Grey) -> float:
    """Correlation of both after averaging 6 x 6 cells, -1 to 1: survives blur, but not every change of light."""
    one, other = _coarse(first), _coarse(second)
    power = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / power if power > 0 else 0.0


def _gradient(grey: Grey) -> Gradient:
    values = grey.astype(np.float32)
    gradient = (values[1:-1, 2:] - values[1:-1, :-2]) + 1j * (values[2:, 1:-1] - values[:-2, 1:-1])
    strength = np.abs(gradient)
    return (gradient / (strength + _SOFTENING)).astype(np.complex64)


def _agreement(one: Gradient, other: Gradient) -> float:
    power = float(np.sqrt(np.vdot(one, one).real * np.vdot(other, other).real))
    return float(np.vdot(one, other).real) / power if power > 0 else 0.0


def _coarse(grey: Grey) -> npt.NDArray[np.float64]:
    rows, columns = grey.shape
    means = grey.reshape(rows // 6, 6, columns // 6, 6).mean(axis=(1, 3))
    centred: npt.NDArray[np.float64] = means - means.mean()
    return centred
