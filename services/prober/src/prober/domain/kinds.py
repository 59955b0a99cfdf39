"""How closely a camera is probed this time."""

from datetime import datetime

from prober.domain.schedule import PreviousProbe, lies_in_future
from vonggac.events import Cause
from vonggac.events.prober import ProbeKind, Verdict

PICTURE_CHECKS = (
    Cause.FROZEN,
    Cause.BLACK,
    Cause.COVERED,
    Cause.BLURRED,
    Cause.NO_SIGNAL_CARD,
    Cause.SCENE_CHANGED,
)
DOWN_BY_PICTURE = (Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED, Cause.REPEATS, Cause.FROZEN)
"""Pictures that show nothing of the place; the first that was found is the cause (docs/decisions/0009)."""
STREAM_CHECKS = (
    Cause.LOW_FPS,
    Cause.LOW_BITRATE,
    Cause.PACKET_LOSS,
    Cause.JITTER,
    Cause.CLOCK_DRIFT,
    Cause.IDENTITY_CHANGED,
    Cause.ENDED,
)


def probe_kind(
    previous: PreviousProbe | None, *, camera_revision: int, deep_interval_s: float, now: datetime
) -> ProbeKind:
    """Light only while the last probe was good and the last deep one is not `deep_interval_s` old yet.

    Half an interval too early is early enough: otherwise a deep probe due in a second would wait a whole interval.
    """
    if (
        previous is None
        or previous.camera_revision != camera_revision
        or previous.verdict is not Verdict.UP
        or previous.deep_at is None
        or lies_in_future(previous.deep_at, now=now)
    ):
        return ProbeKind.DEEP
    age_s = (now - previous.deep_at).total_seconds()
    return ProbeKind.DEEP if age_s + previous.interval_s / 2 >= deep_interval_s else ProbeKind.LIGHT
