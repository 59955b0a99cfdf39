"""Whether an encoder repeats its picture: its forwarder sees that nothing comes between keyframes, we compare these.

A picture that nothing moves in is not yet one that stands still. Here it stands still because what the camera sends
between its keyframes shrank at once to a part of what a sensor's pictures need, which are never quite the same.
"""

from dataclasses import dataclass

from prober.domain.picture.sameness import Difference, difference
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import Thumbnail

LASTS_S = 5.5
"""From the first keyframe to the last one, all alike."""
LEAST_S = 3.5
"""Of two alone, where keyframes are far apart."""
NOTHING = 0.03
"""Of what usually comes between keyframes: headers alone. A sensor's picture needs more, also where nothing moves."""
MOST_POINTS, MOST_CELL = 1.0, 3.0
"""Levels by which points, and the mean of a cell, differ at most when one picture is coded twice."""


@dataclass(frozen=True, slots=True)
class Standstill:
    """The keyframes since `first`, of which `last` is the newest, are alike; `keyframes` of them."""

    first: Thumbnail
    last: Thumbnail
    keyframes: int = 1

    @property
    def lasts_s(self) -> float:
        return (self.last.taken_at - self.first.taken_at).total_seconds()

    @property
    def is_certain(self) -> bool:
        return self.keyframes > 2 and self.lasts_s >= LASTS_S

    @property
    def is_likely(self) -> bool:
        """Enough where no further keyframe came in time."""
        return self.keyframes > 1 and self.lasts_s >= LEAST_S

    def with_next(
        self, thumbnail: Thumbnail, *, shrunk_to: float, thresholds: PictureThresholds = DEFAULT_THRESHOLDS
    ) -> "Standstill | None":
        """With the next keyframe; None when it shows that the picture moves. `shrunk_to`: of the forwarder."""
        if not _alike(difference(thumbnail, self.first), shrunk_to, thresholds):
            return None
        return Standstill(self.first, thumbnail, self.keyframes + 1)


def _alike(change: Difference, shrunk_to: float, thresholds: PictureThresholds) -> bool:
    if change.is_same(thresholds):
        return True
    # In flat or dark pictures too little is textured for `is_same`.
    return shrunk_to <= NOTHING and change.points < MOST_POINTS and change.cell < MOST_CELL
