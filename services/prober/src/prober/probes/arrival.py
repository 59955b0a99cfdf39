"""How pictures arrive: their unevenness, and what the camera's clock says."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime

from vonggac.rtsp.rtcp import RtcpPacket, SenderReport

LEAST_PICTURES = 5
VIETNAM_S = 7 * 3600.0
LOCAL_WITHIN_S = 60.0


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


class CameraClock:
    """The camera's time of day by its first sender report (RFC 3550 §6.4.1), good to the network's delay."""

    __slots__ = ("_wall_clock", "drift_s")

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        """`wall_clock`: our time in seconds since 1970."""
        self._wall_clock = wall_clock
        self.drift_s: float | None = None
        """Camera minus ours; None until a report came."""

    def take(self, reports: Iterable[RtcpPacket]) -> None:
        """What one RTCP packet holds."""
        if self.drift_s is not None:
            return
        for report in reports:
            if isinstance(report, SenderReport) and report.ntp:
                self.drift_s = round(report.unix_s - self._wall_clock(), 3)
                return


def drift_by_date(date: str, came_at: float) -> float | None:
    """Camera minus ours in seconds by the Date of an answer (RFC 2326 §12.18), good to half a second; None if none.

    `came_at`: our seconds since 1970 when it came.
    """
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    # A zone of -0000 is told as none at all; the header is always in UTC. The part of the second is cut off.
    told = told if told.tzinfo is not None else told.replace(tzinfo=UTC)
    drift_s = told.timestamp() + 0.5 - came_at
    if abs(drift_s - VIETNAM_S) <= LOCAL_WITHIN_S:
        # Local time told as GMT, as cheap cameras do: the clock itself is right.
        drift_s -= VIETNAM_S
    return round(drift_s, 1)
