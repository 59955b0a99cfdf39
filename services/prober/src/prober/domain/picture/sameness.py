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
        if self.coded_alike:
            return True
        return self.points < thresholds.frozen_noise and self.cell < thresholds.frozen_cell


def difference(first: PictureLook, second: PictureLook) -> Difference | None:
    """None when the pictures differ in size: then they cannot be one picture."""
    if (first.width, first.height) != (second.width, second.height):
        return None
    return Difference(
        points=float(np.abs(first.points.astype(np.int16) - second.points).mean()),
        cell=float(np.abs(first.grey.astype(np.int16) - second.grey).max()),
        coded_alike=first.keyframe_hash == second.keyframe_hash,
    )
