"""Pictures in the order in which they are shown, from the order in which they were sent.

With B-frames and open groups a picture is sent before others that are shown before it. So what was received in a time
has holes at both ends: pictures shown late that had been sent before, and pictures shown early that are still to come.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

LEAST_PICTURES, LEAST_GROUPS = 5, 3
"""For the jitter; `LEAST_GROUPS`: of pictures that are timed together."""


def shown_in_a_row(timestamps: Sequence[int], keyframe: int | None) -> list[int]:
    """Sort the timestamps as their pictures are shown, without the ends that may have holes.

    `timestamps`: one of each picture, in the order in which they were sent, without wrap. `keyframe`: the first place
    in them of a keyframe. Empty where pictures are sent out of order and no keyframe says where a row begins.
    """
    if all(earlier < later for earlier, later in pairwise(timestamps)):
        return list(timestamps)
    if keyframe is None:
        return []
    newest = [timestamps[keyframe]]
    for timestamp in timestamps[keyframe:]:
        if timestamp > newest[-1]:
            newest.append(timestamp)
    if len(newest) < 2:
        return []
    # What is shown after a keyframe is sent after it; and before the newest picture others may be to come.
    first, last = timestamps[keyframe], newest[-2]
    return sorted(timestamp for timestamp in timestamps[keyframe:] if first <= timestamp <= last)


class Unevenness:
    """How late pictures come on average, measured from the most punctual one before.

    Taken from the first packet of each picture, since a keyframe's packets need their time. A burst at the start of a
    session (what the device had stored) only comes early, so it counts for nothing; a single pause, ours included,
    weighs little. Pictures that are sent before others that are shown before them (B-frames) are timed together with
    those: the last one of them comes as regularly as the pictures of a camera without.
    """

    __slots__ = ("_clock_rate", "_earliest_s", "_groups", "_last_at", "_late_s", "_newest", "_timed", "_together")

    def __init__(self, clock_rate: int) -> None:
        """`clock_rate`: Hz of the RTP clock."""
        self._clock_rate = clock_rate
        self._newest: int | None = None
        self._last_at = 0.0
        self._earliest_s = math.inf
        self._late_s = 0.0
        self._together = self._timed = self._groups = 0

    def update(self, timestamp: int, arrived_at: float) -> None:
        """Add the first packet of a picture: ticks (without wrap) and monotonic seconds."""
        if self._newest is not None and timestamp > self._newest:
            self._time_together(self._newest)
        if self._newest is None or timestamp > self._newest:
            self._newest = timestamp
        self._last_at = arrived_at
        self._together += 1

    def _time_together(self, newest: int) -> None:
        """All pictures that are shown up to `newest` have come."""
        transit_s = self._last_at - newest / self._clock_rate
        self._earliest_s = min(self._earliest_s, transit_s)
        self._late_s += (transit_s - self._earliest_s) * self._together
        self._timed += self._together
        self._groups += 1
        self._together = 0

    @property
    def pictures(self) -> int:
        """Pictures whose arrival was timed."""
        return self._timed

    def jitter_ms(self) -> float | None:
        """None with too few pictures."""
        if self._timed < LEAST_PICTURES or self._groups < LEAST_GROUPS:
            return None
        return round(1000 * self._late_s / self._timed, 1)
