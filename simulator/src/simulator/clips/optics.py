"""Lens and lamp: the direction of the camera, its sharpness, and the light of its infrared lamp."""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from simulator.clips.spec import View
from simulator.clips.worlds import Plane

_SHIFT = (0.1, 0.35)
"""Of a camera that was moved: down and right, in parts of the picture's size."""
_ROTATION_RAD = math.radians(14)


class Aim(Protocol):
    """The part of the world that the camera sees."""

    def copy_view(self, world_luma: Plane, world_chroma: Plane, luma: Plane, chroma: Plane) -> None:
        """Copy the part of the world that is seen into `luma` and `chroma`."""


class _Straight:
    def copy_view(self, world_luma: Plane, world_chroma: Plane, luma: Plane, chroma: Plane) -> None:
        luma[:] = world_luma[: luma.shape[0], : luma.shape[1]]
        chroma[:] = world_chroma[:, : chroma.shape[1], : chroma.shape[2]]


class _Mapped:
    """Every pixel by its place in the world."""

    def __init__(
        self, world_width: int, width: int, height: int, *, rotation: float, shift: tuple[float, float]
    ) -> None:
        self._luma = _places(world_width, width, height, rotation, shift)
        self._chroma = _places(world_width // 2, width // 2, height // 2, rotation, shift)

    def copy_view(self, world_luma: Plane, world_chroma: Plane, luma: Plane, chroma: Plane) -> None:
        np.take(world_luma, self._luma, out=luma, mode="clip")
        for source, target in zip(world_chroma, chroma, strict=True):
            np.take(source, self._chroma, out=target, mode="clip")


def aim(world_width: int, width: int, height: int, view: View) -> Aim:
    """Choose the part of a world of `world_width` x `height` that a camera of `width` x `height` sees in `view`."""
    if view == "shifted":
        return _Mapped(world_width, width, height, rotation=0, shift=_SHIFT)
    if view == "rotated":
        return _Mapped(world_width, width, height, rotation=_ROTATION_RAD, shift=(0, 0))
    return _Straight()


def lamp(width: int, height: int) -> npt.NDArray[np.float32]:
    """How much light an infrared lamp gives to each pixel: much in the middle, little at the edges."""
    rows, columns = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light: npt.NDArray[np.float32] = (1.25 - 0.75 * np.minimum(rows**2 + columns**2, 1.3)).astype(np.float32)
    return light


class Blur:
    """Out of focus: a Gaussian of a twentieth of the height, taken coarsely and drawn out again."""

    def __init__(self, width: int, height: int) -> None:
        self._luma = _Separable(width, height, max(2.0, height / 20))
        self._chroma = _Separable(width // 2, height // 2, max(1.0, height / 40))

    def apply(self, luma: Plane, chroma: Plane) -> None:
        """Blur the planes in place."""
        self._luma.apply(luma)
        for plane in chroma:
            self._chroma.apply(plane)


class _Separable:
    def __init__(self, width: int, height: int, sigma: float) -> None:
        self._down_rows, self._up_rows = _coarse_and_back(height, sigma)
        down, up = _coarse_and_back(width, sigma)
        self._down_columns, self._up_columns = down.T, up.T

    def apply(self, plane: Plane) -> None:
        coarse = self._down_rows @ plane.astype(np.float32) @ self._down_columns
        plane[:] = np.rint(self._up_rows @ coarse @ self._up_columns)


def _coarse_and_back(length: int, sigma: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Compute a matrix that samples a blurred line, and one that interpolates the line from its samples."""
    at = np.arange(length)
    centres = np.linspace(0, length - 1, max(2, math.ceil(2 * length / sigma)))
    down = np.exp(-0.5 * ((at[None, :] - centres[:, None]) / sigma) ** 2)
    down /= down.sum(axis=1, keepdims=True)
    up = np.stack([np.interp(at, centres, unit) for unit in np.eye(len(centres))], axis=1)
    return down.astype(np.float32), up.astype(np.float32)


def _places(
    world_width: int, width: int, height: int, rotation: float, shift: tuple[float, float]
) -> npt.NDArray[np.intp]:
    """Flat index into the world for every pixel; the world repeats sideways, and its last row repeats below."""
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    y, x = rows - height / 2, columns - width / 2
    turned_y = y * math.cos(rotation) - x * math.sin(rotation) + height * (0.5 + shift[0])
    turned_x = y * math.sin(rotation) + x * math.cos(rotation) + width * (0.5 + shift[1])
    row = np.clip(turned_y.astype(np.intp), 0, height - 1)
    places: npt.NDArray[np.intp] = row * world_width + turned_x.astype(np.intp) % world_width
    return places
