"""How wide the edges of a picture are: the measure of blur."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from prober.domain.picture.ranks import median, percentile
from prober.domain.picture.thumbnail import Grey

type Sums = npt.NDArray[np.signedinteger]

_BANDS = 48
_BAND_ROWS = 4
"""Rows averaged against noise; more would blur slanted edges."""
_TOP, _BOTTOM = 0.2, 0.8
"""The part of the height that is probed: letters that the camera writes are sharp whatever the lens does."""
_FINEST_WIDTH = 640
"""Wider pictures are brought to about this width: finer blur is no fault, and noise is averaged away."""
_BLOCKS_PER_WIDTH = 20
_MIN_SIZE_PX = 64
_MIN_EDGES = 24
_MIN_CONTRAST = 12.0
_STRONGEST = 85
_INT16_MAX = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class Edges:
    """`width_px`: median of contrast over steepest slope among the strongest edges, nan when there are too few.

    `noise`: median absolute difference of neighbours in the flattest quarter of the blocks, in levels of grey.
    """

    width_px: float
    noise: float


def measure_edges(luma: Grey) -> Edges:
    """Goes along the rows of evenly spread bands, block by block."""
    if luma.shape[0] < _MIN_SIZE_PX or luma.shape[1] < _MIN_SIZE_PX:
        return Edges(float("nan"), 0.0)
    bands, pixels = _bands(luma)
    width = bands.shape[1]
    block = width // _BLOCKS_PER_WIDTH
    blocks = width // block
    # A row for each column of a block: numpy is fast along long rows, and all sums are whole numbers.
    values = np.ascontiguousarray(bands[:, : blocks * block].reshape(-1, block).T)
    slopes = np.subtract(values[1:], values[:-1])
    np.abs(slopes, out=slopes)
    contrast, steepest = values.max(axis=0) - values.min(axis=0), slopes.max(axis=0)
    flattest = np.compress(contrast <= percentile(contrast, 25), slopes, axis=1)
    noise = median(flattest) / pixels
    return Edges(_width(contrast / pixels, steepest / pixels, noise) * luma.shape[1] / width, noise)


def _bands(luma: Grey) -> tuple[Sums, int]:
    """Sum a few neighbouring rows, and neighbouring columns where the picture is wide: (bands, columns).

    Return, too, of how many pixels each sum is.
    """
    height, width = luma.shape
    merged = max(1, width // _FINEST_WIDTH)
    columns, pixels = width // merged, _BAND_ROWS * merged
    picked = luma[_band_rows(height)].reshape(-1, _BAND_ROWS, width)
    exact: type[np.signedinteger] = np.int16 if pixels * 255 <= _INT16_MAX else np.int32
    sums: Sums = picked.sum(axis=1, dtype=exact)
    if merged == 1:
        return sums, pixels
    # One addition for each merged column: numpy sums short axes slowly.
    total: Sums = sums[:, : columns * merged : merged] + sums[:, 1 : columns * merged : merged]
    for column in range(2, merged):
        total += sums[:, column : columns * merged : merged]
    return total, pixels


@lru_cache(maxsize=64)
def _band_rows(height: int) -> npt.NDArray[np.intp]:
    """List the rows that are read, band after band."""
    top, bottom = round(height * _TOP), round(height * _BOTTOM)
    count = min(_BANDS, (bottom - top) // _BAND_ROWS)
    starts = top + (np.arange(count) * (bottom - top - _BAND_ROWS)) // max(1, count - 1)
    rows: npt.NDArray[np.intp] = (starts[:, None] + np.arange(_BAND_ROWS)).ravel()
    rows.flags.writeable = False
    return rows


def _width(contrast: npt.NDArray[np.float64], steepest: npt.NDArray[np.float64], noise: float) -> float:
    # The steepest of a block's differences is about three times the typical one by noise alone.
    edge = contrast >= max(_MIN_CONTRAST, 8 * noise, percentile(contrast, _STRONGEST))
    if np.count_nonzero(edge) < _MIN_EDGES:
        return float("nan")
    slope = np.sqrt(np.maximum(steepest[edge] ** 2 - (3 * noise) ** 2, 0.0625))
    return median(contrast[edge] / slope)
