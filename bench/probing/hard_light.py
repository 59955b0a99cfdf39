"""Good pictures in light that is hard to judge: a few lamps in a crushed dark, and a sky that outshines everything.

Rows of bench/probing/picture_rates.py.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bench.probing.picture_footage import Yuv, coded, luma_of, shots, with_noise, write
from prober.domain.picture import PictureJudgement, judge
from vonggac.events import Cause

type Pools = tuple[tuple[float, float, float], ...]

SEED = 20_210_510
QUALITIES = (24, 32)
EMPTY = frozenset({Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED})
"""Of these a camera is judged down."""
POOLS: dict[str, Pools] = {
    "one lamp, 12% of the width": ((0.5, 0.5, 0.12),),
    "one lamp at the side, 10%": ((0.15, 0.6, 0.10),),
    "one lamp, 7%": ((0.5, 0.4, 0.07),),
    "two lamps, 5%": ((0.3, 0.5, 0.05), (0.6, 0.5, 0.05)),
    "three lamps, 4%": ((0.2, 0.4, 0.04), (0.5, 0.45, 0.04), (0.8, 0.4, 0.04)),
    "two lamps, 3%": ((0.4, 0.5, 0.03), (0.6, 0.5, 0.03)),
    "one lamp, 3%": ((0.5, 0.5, 0.03),),
}
"""Where pools of light are, and their sigma, in parts of the width and the height."""
DARKNESS = (0.0, 0.02, 0.05)
"""What is left of the light beside the pools."""
GAINS = (2, 3, 4, 6)
LAMP_SHARE = 0.012
"""Radius of a lamp itself, which is saturated."""

type Lighting = Callable[[Yuv], Yuv]


@dataclass(frozen=True, slots=True)
class HardRate:
    """Of `thumbnails` of good pictures: how many were judged down, and how many blurred."""

    light: str
    down: int
    blurred: int
    thumbnails: int

    @property
    def row(self) -> str:
        return f"| {self.light} | footage, all | {self.down}/{self.thumbnails} | {self.blurred}/{self.thumbnails} |"


def hard_light() -> list[HardRate]:
    """Every row."""
    rng = np.random.default_rng(SEED)
    lights: dict[str, list[Lighting]] = {
        f"night, {name}": [partial(under_lamps, pools=pools, left=left, rng=rng) for left in DARKNESS]
        for name, pools in POOLS.items()
    }
    lights |= {f"overexposed, gain {gain}": [partial(overexposed, gain=gain)] for gain in GAINS}
    return [_rate(light, lightings) for light, lightings in lights.items()]


def hard_table(rates: list[HardRate]) -> str:
    head = "| good pictures in hard light | source | judged down | judged blurred |"
    return "\n".join([head, "|---|---|---|---|", *(rate.row for rate in rates)])


def under_lamps(picture: Yuv, pools: Pools, left: float, rng: np.random.Generator) -> Yuv:
    """By night and infrared, without colours: what is lit is seen, `left` of the light is beside it, and a clock."""
    night = picture.copy()
    luma = luma_of(night)
    height, width = luma.shape
    light, lamps = _lit_by(pools, height, width)
    luma[:] = np.clip((luma.astype(np.float64) - 16) * np.maximum(left, light) + 17, 16, 235)
    luma[lamps] = 235
    night[height:] = 128
    night = with_noise(night, 1.0, rng)
    write(night, "2021-05-09 22:00:00", 0.05, middle=False)
    return night


@functools.cache
def _lit_by(pools: Pools, height: int, width: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """The light of the pools at each place, and where the lamps themselves are: the same for all pictures of a size."""
    down, across = np.mgrid[:height, :width]
    light, lamps = np.zeros((height, width)), np.zeros((height, width), np.bool_)
    for x, y, sigma in pools:
        distance = ((across - x * width) ** 2 + (down - y * height) ** 2) / (sigma * width) ** 2
        light = np.maximum(light, np.exp(-distance / 2))
        lamps |= (across - x * width) ** 2 + (down - (y - sigma) * height) ** 2 < (LAMP_SHARE * width) ** 2
    return light, lamps


def overexposed(picture: Yuv, gain: float) -> Yuv:
    bright = picture.copy()
    luma = luma_of(bright)
    luma[:] = np.clip((luma.astype(np.float64) - 16) * gain + 16, 16, 235)
    return bright


def _rate(light: str, lightings: list[Lighting]) -> HardRate:
    judged = list(_judged(lightings))
    down = sum(bool(EMPTY & set(one.findings)) for one in judged)
    return HardRate(light, down, sum(Cause.BLURRED in one.findings for one in judged), len(judged))


def _judged(lightings: list[Lighting]) -> Iterator[PictureJudgement]:
    for shot in shots():
        for picture in shot[:2]:
            for lighting in lightings:
                lit = lighting(picture)
                for qp in QUALITIES:
                    yield judge(coded(lit, qp, 0), None, None)
