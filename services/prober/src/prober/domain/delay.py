"""How late a destination plays, whatever it keeps for new viewers.

What it keeps (its GOP cache) comes in a burst, and the keyframe in it is as old as the group of pictures. The delay is
that of the newest picture that followed: the keyframe's age, less the time that the pictures after it span.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

CACHED_FROM_S = 1.0
"""A keyframe older than this on its return may be one that the destination kept for new viewers."""
BURST_OVER_S = 0.5
"""After such a keyframe what was kept has come by then."""
PAUSE_S, LEAST_PAUSED = 10.0, 3
"""A destination may be so slow to begin. For longer, and with so many of the camera's keyframes, it paused."""
CACHE_COUNTS = "the delay counts what the destination keeps for new viewers, too"
_TICKS = 1 << 32


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest packet of the video that was read back, by the stream's own clock."""

    rtp_timestamp: int
    arrived_at: datetime
    clock_rate: int


def is_pause(missed: Sequence[datetime], until: datetime) -> bool:
    """Whether a destination had not the camera's picture before `until`.

    `missed`: when those keyframes were captured that came from the camera meanwhile and did not come back. One that
    stood still, or played something else or something old, has them; one that is late at all times has not.
    """
    return len(missed) >= LEAST_PAUSED and (until - min(missed)).total_seconds() >= PAUSE_S


def live_delay_s(captured_at: datetime, rtp_timestamp: int | None, newest: Newest | None) -> float | None:
    """Of a keyframe captured at that moment, by its RTP timestamp at the destination and the newest packet after it.

    None where the stream's clock does not show it: more pictures than there was time for, or a clock that goes back.
    """
    if newest is None or rtp_timestamp is None:
        return None
    ticks = (newest.rtp_timestamp - rtp_timestamp + _TICKS // 2) % _TICKS - _TICKS // 2
    age_s = (newest.arrived_at - captured_at).total_seconds()
    live_s = age_s - ticks / newest.clock_rate
    return max(0.0, live_s) if -CACHED_FROM_S <= live_s <= age_s else None
