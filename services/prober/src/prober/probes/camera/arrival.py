"""How pictures arrive: their unevenness."""

import math

LEAST_PICTURES = 5


class Unevenness:
    """How late pictures come on average, measured from the most punctual one before.

    Taken from the first packet of each picture, since a keyframe's packets need their time. A burst at the start of a
    session (what the device had stored) only comes early, so it counts for nothing; pictures out of order are passed
    over; a single pause, ours included, weighs little.
    """

    __slots__ = ("_clock_rate", "_earliest_s", "_late_s", "_pictures", "_timestamp")

    def __init__(self, clock_rate: int) -> None:
        """`clock_rate`: Hz of the RTP clock."""
        self._clock_rate = clock_rate
        self._timestamp: int | None = None
        self._earliest_s = math.inf
        self._late_s = 0.0
        self._pictures = 0

    def update(self, timestamp: int, arrived_at: float) -> None:
        """The first packet of a picture: ticks (without wrap) and monotonic seconds."""
        if self._timestamp is not None and timestamp <= self._timestamp:
            return
        self._timestamp = timestamp
        transit_s = arrived_at - timestamp / self._clock_rate
        self._earliest_s = min(self._earliest_s, transit_s)
        self._late_s += transit_s - self._earliest_s
        self._pictures += 1

    @property
    def pictures(self) -> int:
        """Pictures whose arrival was timed."""
        return self._pictures

    def jitter_ms(self) -> float | None:
        """None with too few pictures."""
        if self._pictures < LEAST_PICTURES:
            return None
        return round(1000 * self._late_s / self._pictures, 1)
