"""What a keyframe weighs: how much there is to see in its picture, by its size and by how coarsely it is coded."""

from collections import deque
from dataclasses import dataclass
from statistics import median

LIGHTER, HEAVIER = 0.72, 1.45
"""A keyframe outside of that, beside those of the same picture, is of another one. People who pass change a tenth."""
MUCH = 2.0
"""So many times as heavy or as light: beside a picture of which few keyframes are known."""
QUANTIZER_STEP = 6
"""The quantizer's step doubles with every so many (H.264 table 8-15)."""
MOST_KNOWN = 24
"""Judged pictures that are remembered: some hours of them, a day's light and a night's."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One keyframe. `octets`: of its packets; `content`: the same at quantizer 0, None where nobody read that."""

    octets: float
    content: float | None = None


def weight_of(octets: int, quantizer: int | None) -> Weight:
    """A rate control gives a picture that shows nothing as many bits as any other: it codes it more finely."""
    return Weight(octets, None if quantizer is None else octets * 2.0 ** (quantizer / QUANTIZER_STEP))


class Weights:
    """Keyframes of pictures that are alike, the newest MOST_KNOWN of them; compared by what both sides have."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: deque[Weight] = deque(maxlen=MOST_KNOWN)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, weight: Weight) -> None:
        """Another one like these."""
        self._known.append(weight)

    @property
    def newest(self) -> Weight | None:
        return self._known[-1] if self._known else None

    @property
    def middle(self) -> Weight | None:
        """The one in the middle: the first ones after a change are often coded otherwise than the rest."""
        if not self._known:
            return None
        contents = [weight.content for weight in self._known if weight.content is not None]
        return Weight(median(weight.octets for weight in self._known), median(contents) if contents else None)

    def cover(self, weight: Weight, *, lighter: float = LIGHTER, heavier: float = HEAVIER) -> bool:
        """Whether `weight` is like one of these, or lies between two of them."""
        contents = [known.content for known in self._known if known.content is not None]
        if weight.content is not None and contents:
            return lighter * min(contents) <= weight.content <= heavier * max(contents)
        return self._cover_octets(weight, lighter, heavier)

    def may_cover(self, weight: Weight) -> bool:
        """Whether one keyframe alone of this weight may be of the same picture: it is as large, and begins otherwise.

        A rate control that spreads its bits within a picture begins some with another quantizer than the next.
        """
        return self._cover_octets(weight, LIGHTER, HEAVIER) and self.cover(weight, lighter=1 / MUCH, heavier=MUCH)

    def _cover_octets(self, weight: Weight, lighter: float, heavier: float) -> bool:
        octets = [known.octets for known in self._known]
        return bool(octets) and lighter * min(octets) <= weight.octets <= heavier * max(octets)
