"""A camera's clock, by RTSP and RTCP."""

import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC
from email.utils import parsedate_to_datetime

from vonggac.media.rtcp import RtcpPacket, SenderReport

NOT_A_CLOCK_S = 366 * 86_400.0
"""A larger difference is no time of day: some devices count from their start."""
VIETNAM_S = 7 * 3600.0
LOCAL_WITHIN_S = 60.0


class CameraClock:
    """The camera's time of day.

    By its newest sender report (RFC 3550 §6.4.1), good to the network's delay; by the Date of its newest answer, good
    to half a second, where the reports have no time of day.
    """

    __slots__ = ("_date", "_report", "_wall_clock")

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        """`wall_clock`: our time in seconds since 1970."""
        self._wall_clock = wall_clock
        self._report: tuple[float, float] | None = None
        self._date: tuple[float, float] | None = None

    def read_reports(self, reports: Iterable[RtcpPacket]) -> None:
        """Read the reports of one RTCP packet, when it comes."""
        for report in reports:
            if isinstance(report, SenderReport) and report.ntp:
                now = self._wall_clock()
                self._report = (round(report.unix_s - now, 3), now)

    def read_date(self, date: str, came_at: float) -> None:
        """Read the Date of an answer; `came_at`: our seconds since 1970 when it came."""
        drift_s = drift_by_date(date, came_at)
        if drift_s is not None and abs(drift_s) <= NOT_A_CLOCK_S:
            self._date = (drift_s, came_at)

    def drift_s(self, *, lately_s: float = math.inf) -> float | None:
        """Camera minus ours by its reports of the last `lately_s`; None without any.

        More than NOT_A_CLOCK_S when none of them is a time of day.
        """
        oldest = self._wall_clock() - lately_s
        report, date = (
            drift[0] if drift is not None and drift[1] >= oldest else None for drift in (self._report, self._date)
        )
        if report is not None and (abs(report) <= NOT_A_CLOCK_S or date is None):
            return report
        return date


def drift_by_date(date: str, came_at: float) -> float | None:
    """Camera minus ours in seconds by the Date of an answer (RFC 2326 §12.18), good to half a second; None if none.

    `came_at`: our seconds since 1970 when it came.
    """
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    # The parser gives a zone of -0000 as none; the header is always in UTC. The part of the second is cut off.
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    drift_s = moment.timestamp() + 0.5 - came_at
    if abs(drift_s - VIETNAM_S) <= LOCAL_WITHIN_S:
        # Local time marked as GMT, as by cheap cameras: the clock itself is right.
        drift_s -= VIETNAM_S
    return round(drift_s, 1)
