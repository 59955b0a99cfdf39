"""How pictures arrive: their unevenness, and what the camera's clock says."""

from collections.abc import Callable

from vonggac.rtsp.rtcp import SenderReport, parse_rtcp

LEAST_STEPS = 5


class Unevenness:
    """Mean deviation of pictures' arrival from the stream's own clock.

    Taken from the first packet of each picture, since a keyframe's packets need their time. A burst at the start of a
    session (what the device had stored) only comes early and pictures out of order only seem to, so early and late
    are added up apart and the smaller sum counts twice: in true jitter they are alike.
    """

    __slots__ = ("_arrived_at", "_clock_rate", "_early_s", "_late_s", "_steps", "_timestamp")

    def __init__(self, clock_rate: int) -> None:
        """`clock_rate`: Hz of the RTP clock."""
        self._clock_rate = clock_rate
        self._timestamp: int | None = None
        self._arrived_at = 0.0
        self._early_s = self._late_s = 0.0
        self._steps = 0

    def update(self, timestamp: int, arrived_at: float) -> None:
        """The first packet of a picture: ticks (without wrap) and monotonic seconds."""
        if self._timestamp is not None and timestamp > self._timestamp:
            step_s = (arrived_at - self._arrived_at) - (timestamp - self._timestamp) / self._clock_rate
            self._late_s += max(step_s, 0.0)
            self._early_s += max(-step_s, 0.0)
            self._steps += 1
        self._timestamp, self._arrived_at = timestamp, arrived_at

    def jitter_ms(self) -> float | None:
        """None with too few pictures."""
        if self._steps < LEAST_STEPS:
            return None
        return round(2000 * min(self._early_s, self._late_s) / self._steps, 1)


class CameraClock:
    """The camera's time of day by its first sender report (RFC 3550 §6.4.1), good to the network's delay."""

    __slots__ = ("_wall_clock", "drift_s")

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        """`wall_clock`: our time in seconds since 1970."""
        self._wall_clock = wall_clock
        self.drift_s: float | None = None
        """Camera minus ours; None until a report came."""

    def take(self, packet: bytes) -> None:
        """One RTCP packet. Raises MalformedError."""
        if self.drift_s is not None:
            return
        for report in parse_rtcp(packet):
            if isinstance(report, SenderReport) and report.ntp:
                self.drift_s = round(report.unix_s - self._wall_clock(), 3)
                return
