"""What a read-back over which another forwarder took the camera says of its destination: by what lay before.

The pictures of the forwarder that held the camera until then came to the session that ended with it. Where none of them
came back for longer than a destination may be late, it was silent, as one that gives nothing to a read-back. One that
gives an old picture again and again is not late, and is found sooner. All else cannot be judged: the session is over,
and with it what was still to come.
"""

from collections.abc import Sequence
from datetime import datetime

from prober.domain.delay import LEAST_PAUSED, PAUSE_S
from prober.domain.silence import silence_at_end
from prober.domain.verification import TAKEN_OVER, Finding, Limits, Seen, not_checkable
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

LATE_SHARE = 0.75
"""Of the longest delay: a destination that has just become late by more than that is taken for a silent one."""


def judge_before(
    seen: Seen, notes: Sequence[KeyframeNote], *, asked_at: datetime, limits: Limits
) -> tuple[Finding, datetime]:
    """Judge a read-back that the hand-over cut off, and since when it is so. `notes`: of its first forwarder.

    The time after the hand-over is another session's: the forwarders' own changes end what is found here.
    """
    given = [(note.hash, note.captured_at) for note in notes]
    silence = silence_at_end(seen.timed, given, asked_at=asked_at)
    most_s = max(limits.first_within_s, LATE_SHARE * limits.max_delay_s)
    least_s = min(PAUSE_S, most_s) if silence.played_again else most_s
    if len(silence.missed) < LEAST_PAUSED or silence.length_s < least_s:
        return not_checkable(TAKEN_OVER), asked_at
    detail = (
        f"the destination gave no new keyframe within {silence.length_s:.0f} s, and the camera gave "
        f"{len(silence.missed)}, until another forwarder took the camera"
    )
    return Finding(VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME, detail), silence.since
