"""How wide the edges of a picture are: the measure of blur."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import Grey

_BANDS = 48
_BAND_ROWS = 4
"""Rows averaged against noise; more would blur slanted edges."""
_MIN_BLOCK_PX = 12
_BLOCKS_PER_WIDTH = 80
_MIN_EDGES = 24
_MIN_CONTRAST = 16.0
_STRONGEST = 90


@dataclass(frozen=True, slots=True)
class Edges:
    """`width_px`: median of contrast over steepest slope among the strongest edges, nan when there are too few.

    `noise`: median absolute difference of neighbours in the flattest quarter of the blocks, in levels of grey.
    """

    width_px: float
    noise: float


def measure_edges(luma: Grey) -> Edges:
    """Looks along the rows of evenly spread bands, block by block."""
    bands = _bands(luma)
    width = bands.shape[1]
    block = max(_MIN_BLOCK_PX, width // _BLOCKS_PER_WIDTH)
    blocks = width // block
    if blocks == 0:
        return Edges(float("nan"), 0.0)
    values = bands[:, : blocks * block].reshape(-1, block)
    slopes = np.abs(np.diff(values, axis=1))
    contrast, steepest = np.ptp(values, axis=1), slopes.max(axis=1)
    flat = slopes[contrast <= np.percentile(contrast, 25)]
    noise = float(np.median(flat))
    return Edges(_width(contrast, steepest, noise), noise)


def _bands(luma: Grey) -> npt.NDArray[np.float32]:
    height = luma.shape[0]
    rows = min(_BAND_ROWS, height)
    count = max(1, min(_BANDS, height // rows))
    starts = (np.arange(count) * (height - rows)) // max(1, count - 1)
    picked = luma[(starts[:, None] + np.arange(rows)).ravel()].reshape(count, rows, -1)
    means: npt.NDArray[np.float32] = picked.sum(axis=1, dtype=np.uint16).astype(np.float32) / np.float32(rows)
    return means


def _width(contrast: npt.NDArray[np.float32], steepest: npt.NDArray[np.float32], noise: float) -> float:
    # The steepest of a block's differences is about three times the typical one by noise alone.
    edge = contrast >= max(_MIN_CONTRAST, 8 * noise, float(np.percentile(contrast, _STRONGEST)))
    if np.count_nonzero(edge) < _MIN_EDGES:
        return float("nan")
    slope = np.maximum(steepest[edge] - 3 * noise, 0.25)
    return float(np.median(contrast[edge] / slope))
