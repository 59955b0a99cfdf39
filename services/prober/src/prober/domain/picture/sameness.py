"""Whether two thumbnails are one picture: frozen, or a still scene?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from prober.domain.picture.thresholds import PictureThresholds
from prober.domain.picture.thumbnail import Grey, Thumbnail

_TILE = 4
"""Points on each side of a tile; `_of_tiles` is written for four."""
_TEXTURE_LEVELS = 8
_IDENTICAL_TEXTURED = 0.2
"""Texture enough for two pictures that are identical to the last bit."""
_EDGE_SHARE = 6
"""The upper and the lower sixth of a picture are where cameras write their clock."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`points`: mean difference of single pixels, `cell`: largest difference of a cell's mean (levels of grey).

    `textured`: part of the tiles of points that are not flat; `untouched`: part of these without any change.
    `points_inside`, `cell_inside`, `untouched_inside`: the same without the upper and the lower edge.
    `coded_alike`: the coded keyframes are the same, byte for byte.
    """

    points: float
    cell: float
    textured: float
    untouched: float
    points_inside: float
    cell_inside: float
    untouched_inside: float
    coded_alike: bool

    def is_same(self, thresholds: PictureThresholds) -> bool:
        """No person, no clock and no noise between them.

        The mean of the differences does not show it: coding one picture twice at different quality changes as much as a
        faint noise does. But noise spares no tile with texture, and coding the same again leaves most as they were.
        """
        if self.coded_alike or (self.points_inside == self.cell_inside == 0 and self.textured >= _IDENTICAL_TEXTURED):
            # To the last bit, but for a clock that runs on in a picture that stands still.
            return True
        return (
            self.cell < thresholds.frozen_cell
            and self.textured >= thresholds.frozen_textured
            and self.untouched >= thresholds.frozen_untouched
        )

    def is_same_but_for_the_clock(self, thresholds: PictureThresholds) -> bool:
        """All that changed lies where cameras write their clock, which runs on in a picture that stands still."""
        return (
            self.cell_inside < thresholds.frozen_cell
            and self.textured >= thresholds.frozen_textured
            and self.untouched_inside >= thresholds.frozen_untouched
        )

    def is_alive(self, thresholds: PictureThresholds) -> bool:
        """Something moved, or there is a sensor's noise. Less may be the coding of one and the same picture."""
        return self.cell >= thresholds.alive_cell or self.points >= thresholds.alive_noise


def difference(first: Thumbnail, second: Thumbnail) -> Difference:
    """Two pictures of different size are compared as well, and differ."""
    one = first.points
    changes = _changes(one, second.points)
    textured = _of_tiles(np.maximum, one) - _of_tiles(np.minimum, one) >= _TEXTURE_LEVELS
    touched = _of_tiles(np.maximum, changes) != 0
    cells = _changes(first.grey, second.grey)
    return Difference(
        points=int(changes.sum(dtype=np.uint32)) / changes.size,
        cell=float(cells.max()),
        textured=np.count_nonzero(textured) / textured.size,
        untouched=_untouched(touched, textured),
        points_inside=float(_inside(changes).mean()),
        cell_inside=float(_inside(cells).max()),
        untouched_inside=_untouched(_inside(touched), _inside(textured)),
        coded_alike=first.keyframe_hash == second.keyframe_hash,
    )


def _untouched(touched: npt.NDArray[np.bool_], textured: npt.NDArray[np.bool_]) -> float:
    """Part of the textured tiles that are not touched; 0 where none is textured."""
    count = np.count_nonzero(textured)
    return np.count_nonzero(textured & ~touched) / count if count else 0.0


def _inside[Kind: np.generic](rows: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    """Without the upper and the lower edge."""
    edge = len(rows) // _EDGE_SHARE
    return rows[edge:-edge]


def _changes(one: Grey, other: Grey) -> Grey:
    """Absolute differences, in bytes: subtracting bytes would begin anew below zero."""
    return np.maximum(one, other) - np.minimum(one, other)


def _of_tiles(extreme: np.ufunc, points: Grey) -> Grey:
    """Reduce each tile to its largest or smallest point: (rows, columns) of tiles."""
    rows, columns = points.shape
    lines = extreme.reduce(points.reshape(rows // _TILE, _TILE, columns), axis=1)
    # One call for each column of a tile: numpy is slow along short axes.
    found: Grey = extreme(extreme(lines[:, 0::4], lines[:, 1::4]), extreme(lines[:, 2::4], lines[:, 3::4]))
    return found
