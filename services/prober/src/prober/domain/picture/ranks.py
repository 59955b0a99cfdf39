"""Percentiles of small arrays without numpy's general machinery, which costs more than the sorting."""

import numpy as np
import numpy.typing as npt


def percentile(values: npt.NDArray[np.generic], percent: float) -> float:
    """As numpy.percentile (linear between neighbours), of all values; at least one, none of them nan."""
    flat = values.ravel()
    at = (flat.size - 1) * percent / 100
    below = int(at)
    ordered = np.partition(flat, below)
    low = float(ordered[below])
    if at == below:
        return low
    # The least of what is not below: asking partition for a second place costs five times as much.
    return low + (float(ordered[below + 1 :].min()) - low) * (at - below)


def median(values: npt.NDArray[np.generic]) -> float:
    """As numpy.median, of all values; at least one, none of them nan."""
    return percentile(values, 50)
