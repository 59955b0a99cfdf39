"""How wide the edges of a picture are: the measure of blur."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import Grey
from prober.domain.picture.ranks import median, percentile

_BANDS = 48
_BAND_ROWS = 4
"""Rows averaged against noise; more would blur slanted edges."""
_TOP, _BOTTOM = 0.2, 0.8
"""The part of the height that is looked at: letters that the camera writes are sharp whatever the lens does."""
_FINEST_WIDTH = 640
"""Wider pictures are brought to about this width: finer blur is no fault, and noise is averaged away."""
_BLOCKS_PER_WIDTH = 20
_MIN_SIZE_PX = 64
_MIN_EDGES = 24
_MIN_CONTRAST = 12.0
_STRONGEST = 85


@dataclass(frozen=True, slots=True)
class Edges:
    """`width_px`: median of contrast over steepest slope among the strongest edges, nan when there are too few.

    `noise`: median absolute difference of neighbours in the flattest quarter of the blocks, in levels of grey.
    """

    width_px: float
    noise: float


def measure_edges(luma: Grey) -> Edges:
    """Looks along the rows of evenly spread bands, block by block."""
    if luma.shape[0] < _MIN_SIZE_PX or luma.shape[1] < _MIN_SIZE_PX:
        return Edges(float("nan"), 0.0)
    bands = _bands(luma)
    width = bands.shape[1]
    block = width // _BLOCKS_PER_WIDTH
    blocks = width // block
    values = bands[:, : blocks * block].reshape(-1, block)
    slopes = np.abs(np.diff(values, axis=1))
    contrast, steepest = np.ptp(values, axis=1), slopes.max(axis=1)
    noise = median(slopes[contrast <= percentile(contrast, 25)])
    return Edges(_width(contrast, steepest, noise) * luma.shape[1] / width, noise)


def _bands(luma: Grey) -> npt.NDArray[np.float32]:
    """Means of a few neighbouring rows, and of neighbouring columns where the picture is wide: (bands, columns)."""
    height, width = luma.shape
    top, bottom = round(height * _TOP), round(height * _BOTTOM)
    count = min(_BANDS, (bottom - top) // _BAND_ROWS)
    starts = top + (np.arange(count) * (bottom - top - _BAND_ROWS)) // max(1, count - 1)
    picked = luma[(starts[:, None] + np.arange(_BAND_ROWS)).ravel()].reshape(count, _BAND_ROWS, width)
    sums = picked.sum(axis=1, dtype=np.uint16)
    merged = max(1, width // _FINEST_WIDTH)
    columns = width // merged
    # One addition for each merged column: numpy sums short axes slowly.
    total = sums[:, : columns * merged : merged].astype(np.float32)
    for column in range(1, merged):
        total += sums[:, column : columns * merged : merged]
    means: npt.NDArray[np.float32] = total / np.float32(_BAND_ROWS * merged)
    return means


def _width(contrast: npt.NDArray[np.float32], steepest: npt.NDArray[np.float32], noise: float) -> float:
    # The steepest of a block's differences is about three times the typical one by noise alone.
    edge = contrast >= max(_MIN_CONTRAST, 8 * noise, percentile(contrast, _STRONGEST))
    if np.count_nonzero(edge) < _MIN_EDGES:
        return float("nan")
    slope = np.sqrt(np.maximum(steepest[edge] ** 2 - (3 * noise) ** 2, 0.0625))
    return median(contrast[edge] / slope)
