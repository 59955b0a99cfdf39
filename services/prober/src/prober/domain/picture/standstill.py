"""Whether an encoder repeats its picture: its forwarder sees that little comes between keyframes, we compare these.

A picture that nothing moves in is not yet one that stands still: a sensor's noise differs from picture to picture. One
picture that is coded twice differs too, as soon as the rate control quantizes it otherwise, by more than a faint noise
does. So only keyframes that are quantized alike say anything: of one picture they leave some tiles untouched, and noise
leaves none. The figures: docs/decisions/0118.
"""

from dataclasses import dataclass

from prober.domain.picture.sameness import Difference, difference
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import Thumbnail

LASTS_S = 5.5
"""From the first keyframe to the last one."""
LEAST_S = 3.5
"""Of two alone, where keyframes are far apart."""
QUANTIZED_ALIKE = 0.97
"""Of two keyframes with one quantizer the smaller one has at least this part of the other's octets."""
UNTOUCHED = 0.05
"""Of the textured tiles, without the edges where cameras write: one picture leaves 0.06 to 1, noise 0.02 at most."""
TEXTURED = 0.1
"""Of all tiles: in a picture with less than this, untouched ones say nothing …"""
NOTHING = 0.03
"""… and of what usually comes between keyframes this is headers alone: a sensor's picture needs more …"""
MOST_POINTS, MOST_CELL = 1.0, 3.0
"""… and these are the levels by which points, and the mean of a cell, differ at most."""
MOVED_CELL = 12.0
"""Something moved: coding one picture twice changes the mean of no cell by more than 8 levels."""
UNLIKE = 3
"""Pairs that are quantized alike and differ: all pairs of three keyframes."""
MOVED = 2
"""Times in a row that something moved: the first keyframe may be of before the picture stood still."""


@dataclass(frozen=True, slots=True)
class CodedPicture:
    """A keyframe: its thumbnail, the quantizer that it begins with (None: cannot be read), and its octets."""

    thumbnail: Thumbnail
    quantizer: int | None
    octets: int

    def is_quantized_like(self, other: "CodedPicture") -> bool:
        """Whether a difference between both is one of what they show."""
        smaller, larger = sorted((self.octets, other.octets))
        return self.quantizer == other.quantizer and smaller >= QUANTIZED_ALIKE * larger


@dataclass(frozen=True, slots=True)
class Standstill:
    """Keyframes that follow each other since something moved, the oldest first.

    `shrunk_to`: of what usually comes between keyframes, by 1. `alike`: two of them are one picture; `unlike`: pairs
    that would show that, and do not; `moved`: how often something moved before them.
    """

    pictures: tuple[CodedPicture, ...]
    shrunk_to: float
    alike: bool = False
    unlike: int = 0
    moved: int = 0

    @property
    def last(self) -> Thumbnail:
        return self.pictures[-1].thumbnail

    @property
    def is_certain(self) -> bool:
        """Whether the picture stands still."""
        return self.alike and len(self.pictures) > 2 and self._lasts_s >= LASTS_S

    @property
    def is_likely(self) -> bool:
        """Enough where no further keyframe came in time."""
        return self.alike and self._lasts_s >= LEAST_S

    @property
    def moves(self) -> bool:
        """Whether it does not stand still."""
        return self.moved >= MOVED or (self.unlike >= UNLIKE and not self.alike)

    @property
    def seems_to_move(self) -> bool:
        """Enough where no further keyframe came in time."""
        return not self.alike and (self.moved > 0 or self.unlike > 0)

    def with_next(
        self, picture: CodedPicture, *, shrunk_to: float, thresholds: PictureThresholds = DEFAULT_THRESHOLDS
    ) -> "Standstill":
        """With the next keyframe, compared with each one before it."""
        shrunk_to = max(shrunk_to, self.shrunk_to)
        changes = [(known, difference(picture.thumbnail, known.thumbnail)) for known in self.pictures]
        if any(change.cell >= MOVED_CELL for _, change in changes):
            return Standstill((picture,), shrunk_to, moved=self.moved + 1)
        alike, unlike = self.alike, self.unlike
        for known, change in changes:
            quantized_alike = picture.is_quantized_like(known)
            if _is_one_picture(change, shrunk_to, thresholds, quantized_alike=quantized_alike):
                alike = True
            else:
                unlike += quantized_alike
        return Standstill((*self.pictures, picture), shrunk_to, alike, unlike, self.moved)

    @property
    def _lasts_s(self) -> float:
        return (self.last.taken_at - self.pictures[0].thumbnail.taken_at).total_seconds()


def is_one_picture(one: CodedPicture, other: CodedPicture, thresholds: PictureThresholds = DEFAULT_THRESHOLDS) -> bool:
    """Whether both keyframes are of one picture; False too where they cannot be compared."""
    change = difference(one.thumbnail, other.thumbnail)
    return change.cell < MOVED_CELL and _is_one_picture(
        change, 1.0, thresholds, quantized_alike=one.is_quantized_like(other)
    )


def _is_one_picture(
    change: Difference, shrunk_to: float, thresholds: PictureThresholds, *, quantized_alike: bool
) -> bool:
    if change.is_same(thresholds):
        return True
    if quantized_alike and change.textured >= TEXTURED and change.untouched_inside >= UNTOUCHED:
        return True
    return shrunk_to <= NOTHING and change.points < MOST_POINTS and change.cell < MOST_CELL
