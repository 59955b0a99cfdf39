"""Whether two looks are one picture: frozen, or a still scene?"""

from dataclasses import dataclass

import numpy as np

from prober.domain.picture.look import PictureLook
from prober.domain.picture.thresholds import PictureThresholds


@dataclass(frozen=True, slots=True)
class Difference:
    """`points`: mean difference of single pixels, `cell`: largest difference of a cell's mean (levels of grey).

    `coded_alike`: the coded keyframes are the same, byte for byte.
    """

    points: float
    cell: float
    coded_alike: bool

    def is_same(self, thresholds: PictureThresholds) -> bool:
        """No person, no clock and no noise between them."""
        return self.coded_alike or (self.points < thresholds.frozen_noise and self.cell < thresholds.frozen_cell)

    def is_alive(self, thresholds: PictureThresholds) -> bool:
        """Something moved, or there is a sensor's noise. Less than that may be the coding of one and the same picture."""
        return self.cell >= thresholds.alive_cell or self.points >= thresholds.alive_noise


def difference(first: PictureLook, second: PictureLook) -> Difference:
    """Two pictures of different size are compared as well, and differ."""
    return Difference(
        points=float(np.abs(first.points.astype(np.int16) - second.points).mean()),
        cell=float(np.abs(first.grey.astype(np.int16) - second.grey).max()),
        coded_alike=first.keyframe_hash == second.keyframe_hash,
    )
