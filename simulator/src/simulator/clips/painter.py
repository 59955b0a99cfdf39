"""Painting a clip's pictures as planar YUV 4:2:0 with numpy: a world seen through lens, light and sensor, with text."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.clips import optics
from simulator.clips.lettering import BLACK, NEUTRAL, NO_TIME, WHITE, cell_of, text_width, write_text, write_time
from simulator.clips.spec import VideoSpec, View
from simulator.clips.worlds import Plane, Shapes, World, Yard
from simulator.config import Scene

_NOISE_SHIFT = 64
_CARDS: dict[View, tuple[int, int, int]] = {
    "black": (BLACK, NEUTRAL, NEUTRAL),
    "no_signal_blue": (41, 224, 112),
    "no_signal_grey": (52, NEUTRAL, NEUTRAL),
}
_LIDS: dict[View, tuple[int, int, int]] = {
    "dark": (BLACK + 2, NEUTRAL, NEUTRAL),
    "covered_brown": (44, 118, 142),
    "covered_grey": (58, NEUTRAL, NEUTRAL),
}
"""What covers the lens: luma, U, V."""
_LID_NOISE = 1.2
_FLIPPED_BITS = 0.0001


@dataclass(frozen=True, slots=True)
class _Style:
    """The camera's view of a scene. Light: luma * gain + offset; noise: its standard deviation in grey levels."""

    world: type[World]
    noise: float
    moving: bool = True
    clock_from_s: int | None = None
    gain: float = 1.0
    offset: float = 0.0
    infrared: bool = False


_MORNING = 8 * 3600
_STYLES: dict[Scene, _Style] = {
    "shapes": _Style(Shapes, 1.7),
    "day": _Style(Yard, 2.0, clock_from_s=_MORNING),
    "night": _Style(Yard, 5.0, clock_from_s=23 * 3600 + 900, gain=0.3, offset=12, infrared=True),
    "noisy": _Style(Yard, 12.0, clock_from_s=_MORNING),
    "static": _Style(Yard, 1.8, moving=False, clock_from_s=_MORNING),
    "static_no_clock": _Style(Yard, 0.9, moving=False),
    "fog": _Style(Yard, 1.5, clock_from_s=_MORNING, gain=0.2, offset=148),
}


class Painter:
    """Paints the pictures of one clip. The same spec always gives the same pictures."""

    def __init__(self, spec: VideoSpec) -> None:
        self._spec = spec
        self._style = _STYLES[spec.scene]
        wide = self._style.world is not Shapes
        self._world = self._style.world(_canvas_width(spec.width) if wide else spec.width, spec.height, spec.number)
        self._random = np.random.default_rng(spec.number)
        noise = _LID_NOISE if spec.view in _LIDS else self._style.noise
        shape = (spec.height + _NOISE_SHIFT, spec.width + _NOISE_SHIFT)
        self._noise = np.rint(self._random.normal(0, noise, shape)).astype(np.int16)
        self._lamp = optics.lamp(spec.width, spec.height) if self._style.infrared else None
        self._aim = optics.aim(self._world.width, spec.width, spec.height, spec.view)
        self._blur = optics.Blur(spec.width, spec.height) if spec.view == "blurred" else None
        self._first: Plane | None = None

    def picture(self, index: int) -> Plane:
        """Picture `index` of the loop as one array of height * 3 / 2 rows (Y, then U and V)."""
        spec = self._spec
        if spec.view not in ("frozen", "still"):
            return self._paint(index)
        if self._first is None:
            self._first = self._paint(0)
        return self._first.copy() if spec.view == "frozen" else self._digitized(self._first)

    def _paint(self, index: int) -> Plane:
        spec = self._spec
        size = spec.width * spec.height
        flat = np.empty(size * 3 // 2, np.uint8)
        luma = flat[:size].reshape(spec.height, spec.width)
        chroma = flat[size:].reshape(2, spec.height // 2, spec.width // 2)
        if spec.view in _CARDS:
            self._paint_card(luma, chroma)
        else:
            self._paint_light(luma, chroma, index)
            self._add_noise(luma)
            self._write(luma, chroma, index)
        return flat.reshape(spec.height * 3 // 2, spec.width)

    def _paint_card(self, luma: Plane, chroma: Plane) -> None:
        values = _CARDS[self._spec.view]
        _fill(luma, chroma, values)
        if self._spec.view != "black":
            text = "NO SIGNAL"
            cell = cell_of(luma.shape[0], 30)
            left, top = (luma.shape[1] - text_width(text, cell)) // 2 & ~1, (luma.shape[0] - 5 * cell) // 2 & ~1
            write_text(luma, chroma, text, left=max(0, left), top=max(0, top), cell=cell, boxed=False)

    def _paint_light(self, luma: Plane, chroma: Plane, index: int) -> None:
        """Paint the light on the sensor."""
        spec, style = self._spec, self._style
        if spec.view in _LIDS:
            _fill(luma, chroma, _LIDS[spec.view])
            if spec.view != "dark":
                luma += (np.arange(luma.shape[1]) * 8 // luma.shape[1]).astype(np.uint8)
            return
        world_luma, world_chroma = self._world.paint(index / spec.frames, moving=style.moving)
        self._aim.copy_view(world_luma, world_chroma, luma, chroma)
        if (style.gain, style.offset) != (1.0, 0.0):
            light = luma * np.float32(style.gain)
            if self._lamp is not None:
                light *= self._lamp
            luma[:] = light + np.float32(style.offset)
            # Light and mist take the colours with them.
            chroma[:] = NEUTRAL if style.infrared else NEUTRAL + (chroma.astype(np.int16) - NEUTRAL) // 4
        if self._blur is not None:
            self._blur.apply(luma, chroma)

    def _add_noise(self, luma: Plane) -> None:
        row, column = self._random.integers(0, _NOISE_SHIFT, 2)
        noise = self._noise[row : row + luma.shape[0], column : column + luma.shape[1]]
        luma[:] = np.clip(luma + noise, BLACK, WHITE)

    def _digitized(self, picture: Plane) -> Plane:
        """`picture` with the last bit of a few samples flipped: the only change in a frozen sensor's output."""
        flips = self._random.random(picture.shape, np.float32) < _FLIPPED_BITS
        return picture ^ flips.astype(np.uint8)

    def _write(self, luma: Plane, chroma: Plane, index: int) -> None:
        """Write the camera's number at the top left, its clock at the top right."""
        spec = self._spec
        cell = cell_of(min(luma.shape), 40)
        write_text(luma, chroma, str(spec.number), left=2 * cell, top=2 * cell, cell=cell, boxed=True)
        if spec.clock:
            write_time(luma, chroma, NO_TIME)
        elif self._style.clock_from_s is not None:
            seconds = self._style.clock_from_s + index // spec.rate
            write_time(luma, chroma, f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}")


def _canvas_width(width: int) -> int:
    return width * 3 // 2 & ~1


def _fill(luma: Plane, chroma: npt.NDArray[np.uint8], values: tuple[int, int, int]) -> None:
    luma.fill(values[0])
    chroma[0].fill(values[1])
    chroma[1].fill(values[2])
