"""Not locking a camera's account: after two failed logins in a row the next look waits.

Hikvision locks the caller's address for about 30 minutes after a few failures, Dahua about as long (domain.md 5.4).
A change of the camera (its revision) ends the cool-down, for it may bring the right password.
"""

from datetime import datetime

from prober.domain.schedule import PreviousLook
from vonggac.events import Cause

TOLERANCE_S = 1.0


def interval_after_s(
    cause: Cause | None,
    *,
    previous: PreviousLook | None,
    previous_known: bool,
    camera_revision: int,
    interval_s: float,
    cooldown_s: float,
) -> float:
    """The real time to the next look after one that ended with `cause`.

    `previous_known` is False when the last look could not be read: then a failed login counts as the second one.
    """
    if cause is not Cause.AUTH_FAILED:
        return interval_s
    second = not previous_known or _failed_login(previous, camera_revision)
    return max(interval_s, cooldown_s) if second else interval_s


def cooling_left_s(
    previous: PreviousLook | None, *, camera_revision: int, interval_s: float, now: datetime
) -> float | None:
    """Seconds that a cool-down still lasts; None when the camera may be looked at.

    A job can come early: the server gives it out anew when its delayed nak was lost.
    """
    if previous is None or not _failed_login(previous, camera_revision) or previous.interval_s <= interval_s:
        return None
    left_s = (previous.next_due_at - now).total_seconds()
    return left_s if left_s > TOLERANCE_S else None


def _failed_login(previous: PreviousLook | None, camera_revision: int) -> bool:
    return previous is not None and previous.cause is Cause.AUTH_FAILED and previous.camera_revision == camera_revision
