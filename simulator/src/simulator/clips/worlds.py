"""The scene in front of a virtual camera, painted without lens, sensor and text."""

import math
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

type Plane = npt.NDArray[np.uint8]
type Field = npt.NDArray[np.float32]


class World(ABC):
    """A canvas of `width` x `height` pixels, both even; `paint` returns it as luma and chroma.

    A canvas may be wider than the picture: a camera that is turned sees the rest.
    """

    def __init__(self, width: int, height: int, number: int) -> None:
        self.width = width
        self.height = height
        self._number = number
        self._random = np.random.default_rng(number)

    @abstractmethod
    def paint(self, turn: float, *, moving: bool) -> tuple[Plane, Plane]:
        """Paint the canvas at `turn` of the loop (0 to 1), new arrays: (height, width), (2, height / 2, width / 2).

        Paths close with the loop, so that no seam shows. Without `moving`, the place alone.
        """

    def _grain(self, size: int, amplitude: float) -> Field:
        """Texture of square grains of `size` pixels."""
        shape = (self.height // size + 1, self.width // size + 1)
        coarse = self._random.uniform(-amplitude, amplitude, shape).astype(np.float32)
        return coarse.repeat(size, axis=0).repeat(size, axis=1)[: self.height, : self.width]


class Shapes(World):
    """A test pattern in the camera's own colour: three textured squares before a ramp."""

    def __init__(self, width: int, height: int, number: int) -> None:
        super().__init__(width, height, number)
        ramp = np.linspace(40, 150, width)[None, :] + np.linspace(0, 30, height)[:, None]
        self._background = (ramp + 12 + self._grain(4, 12)).astype(np.uint8)

    def paint(self, turn: float, *, moving: bool) -> tuple[Plane, Plane]:
        luma = self._background.copy()
        chroma = np.empty((2, self.height // 2, self.width // 2), np.uint8)
        chroma[0].fill(round(128 + 44 * math.cos(self._number * 2.4)))
        chroma[1].fill(round(128 + 44 * math.sin(self._number * 2.4)))
        if moving:
            for square in range(3):
                self._paint_square(luma, chroma, square, 2 * math.pi * turn)
        return luma, chroma

    def _paint_square(self, luma: Plane, chroma: Plane, square: int, angle: float) -> None:
        side = min(self.height, self.width) // 4 & ~1
        phase = angle * (square + 1) + square * 2.1 + self._number
        left = int((self.width - side) * (0.5 + 0.5 * math.sin(phase))) & ~1
        top = int((self.height - side) * (0.5 + 0.5 * math.cos(phase * (1 if square else 2)))) & ~1
        texture = self._background[square * 4 : square * 4 + side, square * 8 : square * 8 + side]
        luma[top : top + side, left : left + side] = texture // 2 + 80 + 30 * square
        area = np.s_[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]
        chroma[0][area] = 90 + 40 * square
        chroma[1][area] = 170 - 40 * square


class Yard(World):
    """A yard before a building with windows, trees at its sides, people and a motorbike passing."""

    PEOPLE = 3

    def __init__(self, width: int, height: int, number: int) -> None:
        super().__init__(width, height, number)
        self._horizon = int(height * self._random.uniform(0.5, 0.6)) & ~1
        luma = np.empty((height, width), np.float32)
        chroma = np.full((2, height // 2, width // 2), 128, np.float32)
        self._paint_sky_and_ground(luma, chroma)
        self._paint_building(luma, chroma)
        for _ in range(3):
            self._paint_tree(luma, chroma, self._random.uniform(0, 1))
        luma += self._grain(1, 5) + self._grain(3, 5)
        self._luma = np.clip(luma, 16, 235).astype(np.uint8)
        self._chroma = np.clip(chroma, 16, 240).astype(np.uint8)

    def paint(self, turn: float, *, moving: bool) -> tuple[Plane, Plane]:
        luma, chroma = self._luma.copy(), self._chroma.copy()
        if moving:
            for person in range(self.PEOPLE):
                self._paint_person(luma, chroma, person, turn)
            self._paint_motorbike(luma, chroma, turn)
        return luma, chroma

    def _paint_sky_and_ground(self, luma: Field, chroma: Field) -> None:
        horizon, height = self._horizon, self.height
        luma[:horizon] = np.linspace(205, 175, horizon)[:, None]
        chroma[0, : horizon // 2] = 140
        chroma[1, : horizon // 2] = 118
        depth = np.linspace(0.08, 1, height - horizon)[:, None]
        across = (np.arange(self.width)[None, :] - self.width / 2) / depth
        tile = max(8, self.height // 6)
        checks = ((across // tile).astype(int) + (2 / depth).astype(int)) & 1
        luma[horizon:] = 95 + 40 * depth + 12 * checks
        chroma[0, horizon // 2 :] = 122
        chroma[1, horizon // 2 :] = 133

    def _paint_building(self, luma: Field, chroma: Field) -> None:
        left, right = int(self.width * 0.08), int(self.width * 0.92)
        top, bottom = int(self.height * 0.12), self._horizon + self.height // 20
        luma[top:bottom, left:right] = 150 + self._random.uniform(-15, 15)
        chroma[0, top // 2 : bottom // 2, left // 2 : right // 2] = self._random.uniform(105, 125)
        chroma[1, top // 2 : bottom // 2, left // 2 : right // 2] = self._random.uniform(130, 145)
        luma[top : top + max(2, self.height // 40), left:right] = 90
        columns = 10
        step = (right - left) / columns
        storey = (bottom - top) / 2
        for column in range(columns):
            x = int(left + step * (column + 0.25))
            for floor in range(2):
                is_door = floor == 1 and column % 3 == 1
                y = int(top + storey * (floor + 0.25))
                tall = int(storey * (0.75 if is_door else 0.5))
                luma[y : y + tall, x : x + int(step / 2)] = 45 if is_door else self._random.uniform(55, 110)
                luma[y : y + tall, x : x + 2] = 210
                luma[y : y + 2, x : x + int(step / 2)] = 210

    def _paint_tree(self, luma: Field, chroma: Field, at: float) -> None:
        radius = self.height * self._random.uniform(0.1, 0.17)
        x, y = self.width * at, self._horizon - radius * 0.8
        rows, columns = np.ogrid[: self.height, : self.width]
        crown = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
        luma[crown] = 70
        luma[:] = np.where(crown, luma + self._grain(3, 25), luma)
        chroma[0][crown[::2, ::2]] = 112
        chroma[1][crown[::2, ::2]] = 112
        trunk = slice(int(max(0, x - radius / 8)), int(max(1, x + radius / 8)))
        luma[int(y + radius * 0.9) : self._horizon + self.height // 15, trunk] = 50

    def _paint_person(self, luma: Plane, chroma: Plane, person: int, turn: float) -> None:
        phase = 2 * math.pi * turn + person * 2.1 + self._number
        depth = 0.35 + 0.2 * person + 0.1 * math.cos(phase)
        tall = max(6, int(self.height * 0.3 * depth))
        x = int(self.width * (0.35 + 0.3 * math.sin(phase) + 0.12 * (person - 1)))
        foot = self._horizon + int((self.height - self._horizon) * depth * 0.9)
        half = max(1, tall // 7)
        shirt = (foot - int(tall * 0.8), foot - int(tall * 0.4))
        _fill(luma, foot - int(tall * 0.4), foot, x - half * 2 // 3, x + half * 2 // 3, 40)
        _fill(luma, *shirt, x - half, x + half, (200, 70, 140)[person % 3])
        _fill(luma, foot - tall, shirt[0], x - half // 2, x + half // 2 + 1, 120)
        for plane, tint in zip(chroma, ((128, 90, 160)[person % 3], (110, 175, 100)[person % 3]), strict=True):
            _fill(plane, shirt[0] // 2, shirt[1] // 2, (x - half) // 2, (x + half) // 2, tint)

    def _paint_motorbike(self, luma: Plane, chroma: Plane, turn: float) -> None:
        length = self.width // 12
        x = int((self.width + 2 * length) * ((turn + 0.3 * self._number) % 1)) - length
        y = self._horizon + int((self.height - self._horizon) * 0.75)
        _fill(luma, y - length // 3, y, x - length // 2, x + length // 2, 35)
        _fill(luma, y - length, y - length // 3, x - length // 6, x + length // 6, 170)
        _fill(chroma[1], (y - length) // 2, (y - length // 3) // 2, (x - length // 6) // 2, (x + length // 6) // 2, 190)


def _fill(plane: Plane, top: int, bottom: int, left: int, right: int, value: int) -> None:
    """Fill a rectangle; what lies outside the plane is left out."""
    plane[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = value
