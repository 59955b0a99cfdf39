"""Small pictures of one place, painted with numpy, without encoder."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from prober.domain.picture import Planes, Thumbnail, reduce_picture

type Luma = npt.NDArray[np.float64]
type TakeThumbnail = Callable[..., Thumbnail]

HEIGHT, WIDTH = 360, 640


@pytest.fixture
def yard() -> Luma:
    """Walls, windows and a rough ground, luma 16 to 235."""
    rng = np.random.default_rng(7)
    luma = np.full((HEIGHT, WIDTH), 110.0)
    luma[220:] += rng.normal(0, 14, (HEIGHT - 220, WIDTH))
    for _ in range(40):
        top, left = int(rng.integers(0, 300)), int(rng.integers(0, 600))
        height, width = rng.integers(20, 90, 2)
        luma[top : top + height, left : left + width] = rng.integers(30, 220)
    return luma


@pytest.fixture
def take_thumbnail() -> TakeThumbnail:
    """A thumbnail at a luma after `after_s`; each has its own noise and keyframe unless a test gives them."""
    rng = np.random.default_rng(1)

    def take(
        luma: Luma,
        *,
        after_s: float = 0.0,
        noise: float = 2.0,
        keyframe_hash: bytes | None = None,
        colour: tuple[int, int] = (120, 134),
        full_range: bool = False,
    ) -> Thumbnail:
        noisy = np.clip(luma + rng.normal(0, noise, luma.shape), 0, 255).astype(np.uint8)
        chroma = [np.full((luma.shape[0] // 2, luma.shape[1] // 2), value, np.uint8) for value in colour]
        taken_at = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(seconds=after_s)
        planes = Planes(noisy, chroma[0], chroma[1], full_range=full_range)
        return reduce_picture(planes, taken_at, keyframe_hash or rng.bytes(32))

    return take
