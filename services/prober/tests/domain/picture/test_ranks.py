"""Our percentiles are numpy's."""

import numpy as np
import pytest

from prober.domain.picture.ranks import median, percentile


@pytest.mark.parametrize("size", [1, 2, 5, 100, 5184])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_percentile_is_that_of_numpy(size: int, dtype: type[np.generic]) -> None:
    values = np.random.default_rng(size).integers(0, 256, size).astype(dtype)
    for percent in (0, 25, 85, 95, 100):
        assert percentile(values, percent) == pytest.approx(float(np.percentile(values, percent)))
    assert median(values) == pytest.approx(float(np.median(values)))


def test_an_array_of_any_shape_is_taken_whole() -> None:
    assert percentile(np.arange(12, dtype=np.uint8).reshape(3, 4), 95) == pytest.approx(10.45)
