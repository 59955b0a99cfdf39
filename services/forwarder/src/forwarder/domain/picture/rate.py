"""What a camera sends between its keyframes, second by second: an encoder that repeats its picture sends little."""

from collections import deque
from collections.abc import Callable

LEAST_OCTETS_S = 2000.0
"""A camera that sends less than this has nothing that could shrink: sound and reports are as much."""
SHRUNK, GROWN = 0.25, 4.0
SECONDS = 2
"""So many in a row: one alone may be a pause of the network."""
KEPT = 6
FIRST_SECONDS = 4
"""Of a session, before its rate is known."""


class DeltaRate:
    """Octets a second without those of keyframes, from totals that are read about once a second."""

    __slots__ = ("_began_s", "_keyframes", "_total", "seconds")

    def __init__(self) -> None:
        self.seconds: deque[tuple[float, float]] = deque(maxlen=KEPT)
        """Begin of each of the last seconds (monotonic), and octets a second."""
        self._began_s: float | None = None
        self._total = self._keyframes = 0

    def begin_anew(self) -> None:
        """Another session of the camera."""
        self._began_s, self._keyframes = None, 0
        self.seconds.clear()

    def leave_out(self, octets: int) -> None:
        """Leave out a keyframe of so many octets, which came since the last reading."""
        self._keyframes += octets

    def read_total(self, now_s: float, total: int) -> bool:
        """`total` octets have come so far in this session; whether another second is known."""
        began_s, before, keyframes = self._began_s, self._total, self._keyframes
        self._began_s, self._total, self._keyframes = now_s, total, 0
        if began_s is None or now_s <= began_s:
            return False
        rate = (total - before - keyframes) / (now_s - began_s)
        if rate < 0 and self.seconds:
            # The keyframe that is left out now came partly, or unseen yet, with the reading before.
            earlier_s, earlier = self.seconds[-1]
            self.seconds[-1] = earlier_s, max(0.0, earlier + rate)
        self.seconds.append((began_s, max(0.0, rate)))
        return True

    def shrank_at(self, usual: float) -> float | None:
        """Since when SECONDS or more have much less than `usual`, up to now; None where they have not, or nothing can.

        One of them may have more: a part of a keyframe that is left out of it with the next reading.
        """
        if usual < LEAST_OCTETS_S:
            return None
        return self._since(lambda rate: rate < SHRUNK * usual, odd=1)

    def shrunk_to(self, usual: float) -> float | None:
        """Compute what is left of `usual`; None where it has not shrunk. One second alone of more ends nothing."""
        rates = [rate for _, rate in self.seconds]
        # The newest one may have a part of a keyframe that is left out of it later.
        pairs = [last for last in (rates[-SECONDS:], rates[-SECONDS - 1 : -1]) if len(last) == SECONDS]
        shrunk = [sum(last) / SECONDS for last in pairs if max(last) < SHRUNK * usual]
        return min(shrunk) / usual if shrunk and usual >= LEAST_OCTETS_S else None

    def grew_at(self, least: float) -> float | None:
        """Since when the last SECONDS or more have at least that."""
        return self._since(lambda rate: rate >= least)

    def least_since(self, since_s: float) -> float | None:
        """Find the least mean of SECONDS in a row that began then or later; None where they are fewer.

        One second alone may lack a part of a keyframe that is left out of it and came with the one before.
        """
        rates = [rate for began_s, rate in self.seconds if began_s >= since_s]
        spans = [rates[first : first + SECONDS] for first in range(len(rates) - SECONDS + 1)]
        return min((sum(span) / SECONDS for span in spans), default=None)

    def middle_since(self, since_s: float) -> float | None:
        """Find the middle of FIRST_SECONDS or more, of a camera of which nothing is known yet; None without.

        Its least second may be none of its picture: the network paused, or the beginning of a keyframe that is left out
        whole came before the first reading.
        """
        rates = sorted(rate for began_s, rate in self.seconds if began_s >= since_s)
        return rates[len(rates) // 2] if len(rates) >= FIRST_SECONDS else None

    def _since(self, is_so: Callable[[float], bool], *, odd: int = 0) -> float | None:
        """`odd`: so many of the seconds may be otherwise."""
        since, count = None, 0
        for began_s, rate in reversed(self.seconds):
            if is_so(rate):
                since, count = began_s, count + 1
            elif odd == 0:
                break
            else:
                odd -= 1
        return since if count >= SECONDS else None
