"""Whether two looks are one picture: frozen, or a still scene?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.look import PictureLook
from prober.domain.picture.thresholds import PictureThresholds

_TILE = 4
"""Points on each side of a tile."""
_TEXTURE_LEVELS = 8
_IDENTICAL_TEXTURED = 0.2
"""Texture enough for two pictures that are identical to the last bit."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`points`: mean difference of single pixels, `cell`: largest difference of a cell's mean (levels of grey).

    `textured`: part of the tiles of points that are not flat; `untouched`: part of these without any change.
    `coded_alike`: the coded keyframes are the same, byte for byte.
    """

    points: float
    cell: float
    textured: float
    untouched: float
    coded_alike: bool

    def is_same(self, thresholds: PictureThresholds) -> bool:
        """No person, no clock and no noise between them.

        The mean of the differences does not tell: coding one picture twice at different quality changes as much as a
        faint noise does. But noise spares no tile with texture, and coding the same again leaves most as they were.
        """
        if self.coded_alike or (self.points == self.cell == 0 and self.textured >= _IDENTICAL_TEXTURED):
            return True
        return (
            self.cell < thresholds.frozen_cell
            and self.textured >= thresholds.frozen_textured
            and self.untouched >= thresholds.frozen_untouched
        )

    def is_alive(self, thresholds: PictureThresholds) -> bool:
        """Something moved, or there is a sensor's noise. Less may be the coding of one and the same picture."""
        return self.cell >= thresholds.alive_cell or self.points >= thresholds.alive_noise


def difference(first: PictureLook, second: PictureLook) -> Difference:
    """Two pictures of different size are compared as well, and differ."""
    one, other = first.points.astype(np.int16), second.points.astype(np.int16)
    changes = np.abs(one - other)
    textured = _tiles(one).max(axis=1) - _tiles(one).min(axis=1) >= _TEXTURE_LEVELS
    untouched = _tiles(changes).max(axis=1)[textured] == 0
    return Difference(
        points=float(changes.mean()),
        cell=float(np.abs(first.grey.astype(np.int16) - second.grey).max()),
        textured=float(textured.mean()),
        untouched=float(untouched.mean()) if untouched.size else 0.0,
        coded_alike=first.keyframe_hash == second.keyframe_hash,
    )


def _tiles(points: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """(tiles, points of a tile)."""
    rows, columns = points.shape
    return points.reshape(rows // _TILE, _TILE, columns // _TILE, _TILE).swapaxes(1, 2).reshape(-1, _TILE * _TILE)
