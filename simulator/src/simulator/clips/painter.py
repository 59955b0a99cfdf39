"""Painting test pictures as planar YUV 4:2:0 with numpy: moving shapes and the camera's number in block digits."""

import math

import numpy as np
import numpy.typing as npt

from simulator.clips.spec import VideoSpec

type Plane = npt.NDArray[np.uint8]

_DIGITS = (
    ("###", "#.#", "#.#", "#.#", "###"),
    (".#.", "##.", ".#.", ".#.", "###"),
    ("###", "..#", "###", "#..", "###"),
    ("###", "..#", "###", "..#", "###"),
    ("#.#", "#.#", "###", "..#", "..#"),
    ("###", "#..", "###", "..#", "###"),
    ("###", "#..", "###", "#.#", "###"),
    ("###", "..#", ".#.", ".#.", ".#."),
    ("###", "#.#", "###", "#.#", "###"),
    ("###", "#.#", "###", "..#", "###"),
)
_BLACK = 16
_WHITE = 235
_NOISE_SHIFT = 64
_TEMPORAL_NOISE = {"shapes": 6, "static": 6, "night": 8, "noisy": 24}


class Painter:
    """Paints the pictures of one clip. The same spec always gives the same pictures."""

    def __init__(self, spec: VideoSpec) -> None:
        self._spec = spec
        self._random = np.random.default_rng(spec.number)
        self._background = self._paint_background()
        amplitude = _TEMPORAL_NOISE[spec.pattern]
        shape = (spec.height + _NOISE_SHIFT, spec.width + _NOISE_SHIFT)
        self._noise = self._random.integers(0, amplitude, shape).astype(np.uint8)

    def picture(self, index: int) -> Plane:
        """Picture `index` of the loop as one array of height * 3 / 2 rows (Y, then U and V)."""
        spec = self._spec
        size = spec.width * spec.height
        flat = np.empty(size * 3 // 2, np.uint8)
        luma = flat[:size].reshape(spec.height, spec.width)
        chroma = flat[size:].reshape(2, spec.height // 2, spec.width // 2)
        if spec.scene == "black":
            luma.fill(_BLACK)
            chroma.fill(128)
        else:
            self._paint(luma, chroma, 0 if spec.scene == "frozen" else index)
        return flat.reshape(spec.height * 3 // 2, spec.width)

    def _paint(self, luma: Plane, chroma: Plane, index: int) -> None:
        luma[:] = self._background
        hue = self._spec.number * 2.4
        chroma[0].fill(round(128 + 44 * math.cos(hue)))
        chroma[1].fill(round(128 + 44 * math.sin(hue)))
        if self._spec.pattern != "static":
            self._paint_shapes(luma, chroma, index)
        if self._spec.scene == "live":
            row, column = self._random.integers(0, _NOISE_SHIFT, 2)
            luma += self._noise[row : row + luma.shape[0], column : column + luma.shape[1]]
        if self._spec.pattern == "night":
            luma //= 4
            luma += _BLACK
        self._paint_number(luma, chroma)

    def _paint_background(self) -> Plane:
        height, width = self._spec.height, self._spec.width
        ramp = np.linspace(40, 150, width)[None, :] + np.linspace(0, 30, height)[:, None]
        coarse = self._random.integers(0, 24, (height // 4 + 1, width // 4 + 1))
        texture = coarse.repeat(4, axis=0).repeat(4, axis=1)[:height, :width]
        return (ramp + texture).astype(np.uint8)

    def _paint_shapes(self, luma: Plane, chroma: Plane, index: int) -> None:
        """Three textured squares on paths that close when the loop does, so that the seam is not seen."""
        height, width = luma.shape
        side = min(height, width) // 4 & ~1
        turn = 2 * math.pi * index / self._spec.frames
        for number in range(3):
            phase = turn * (number + 1) + number * 2.1 + self._spec.number
            left = int((width - side) * (0.5 + 0.5 * math.sin(phase))) & ~1
            top = int((height - side) * (0.5 + 0.5 * math.cos(phase * (1 if number else 2)))) & ~1
            texture = self._background[number * 4 : number * 4 + side, number * 8 : number * 8 + side]
            luma[top : top + side, left : left + side] = texture // 2 + 80 + 30 * number
            area = np.s_[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]
            chroma[0][area] = 90 + 40 * number
            chroma[1][area] = 170 - 40 * number

    def _paint_number(self, luma: Plane, chroma: Plane) -> None:
        cell = max(2, min(luma.shape) // 40 & ~1)
        digits = [_DIGITS[int(digit)] for digit in str(self._spec.number)]
        left = top = 2 * cell
        luma[top - cell : top + 6 * cell, left - cell : left + 4 * cell * len(digits)] = _BLACK
        chroma[:, (top - cell) // 2 : top // 2 + 3 * cell, (left - cell) // 2 : left // 2 + 2 * cell * len(digits)] = (
            128
        )
        for position, digit in enumerate(digits):
            for row, cells in enumerate(digit):
                for column, mark in enumerate(cells):
                    if mark == "#":
                        x, y = left + (position * 4 + column) * cell, top + row * cell
                        luma[y : y + cell, x : x + cell] = _WHITE
