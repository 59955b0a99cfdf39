"""Percentiles of small arrays without numpy's general machinery, which costs more than the sorting."""

import numpy as np
import numpy.typing as npt


def percentile(values: npt.NDArray[np.generic], percent: float) -> float:
    """As numpy.percentile (linear between neighbours), of all values; at least one, none of them nan."""
    flat = values.ravel()
    at = (flat.size - 1) * percent / 100
    below = int(at)
    above = min(below + 1, flat.size - 1)
    ordered = np.partition(flat, (below, above))
    low, high = float(ordered[below]), float(ordered[above])
    return low + (high - low) * (at - below)


def median(values: npt.NDArray[np.generic]) -> float:
    """As numpy.median, of all values; at least one, none of them nan."""
    return percentile(values, 50)
