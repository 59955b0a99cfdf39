"""What a read-back over which another forwarder took the camera says of its destination: by what lay before.

The pictures of the forwarder that held the camera until then came to the session that ended with it. Where none of them
came back for longer than a destination may be late, it was silent, as one that gives nothing to a read-back. One that
gives an old picture again and again is not late, and is found sooner. All else cannot be judged: the session is over,
and with it what was still to come.
"""

from collections.abc import Sequence
from datetime import datetime

from prober.domain.delay import LEAST_PAUSED, PAUSE_S
from prober.domain.verification import BURST_S, TAKEN_OVER, Finding, Limits, Seen, not_checkable
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

LATE_SHARE = 0.75
"""Of the longest delay: a destination that has just become late by more than that is taken for a silent one."""


def judge_before(
    seen: Seen, notes: Sequence[KeyframeNote], *, asked_at: datetime, limits: Limits
) -> tuple[Finding, datetime]:
    """The verdict on a read-back that the hand-over cut off, and since when it is so. `notes`: of its first forwarder.

    The time after the hand-over is another session's: the forwarders' own changes end what is found here.
    """
    silent_from = _last_new(seen, asked_at)
    came = {keyframe.hash for keyframe in seen.keyframes}
    missed = sorted(note.captured_at for note in notes if note.captured_at >= silent_from and note.hash not in came)
    if len(missed) < LEAST_PAUSED:
        return not_checkable(TAKEN_OVER), asked_at
    silent_s = (missed[-1] - missed[0]).total_seconds()
    most_s = max(limits.first_within_s, LATE_SHARE * limits.max_delay_s)
    if silent_s < (min(PAUSE_S, most_s) if _plays_again(seen, silent_from) else most_s):
        return not_checkable(TAKEN_OVER), asked_at
    detail = (
        f"the destination gave no new keyframe within {silent_s:.0f} s, and the camera gave {len(missed)}, "
        "until another forwarder took the camera"
    )
    return Finding(VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME, detail), silent_from


def _plays_again(seen: Seen, silent_from: datetime) -> bool:
    """Whether pictures that had come before came again and again, for as long as makes a pause."""
    again = [keyframe.arrived_at for keyframe in seen.keyframes if keyframe.arrived_at > silent_from]
    return len(again) > LEAST_PAUSED and (again[-1] - again[0]).total_seconds() >= PAUSE_S


def _last_new(seen: Seen, asked_at: datetime) -> datetime:
    """When the destination last gave a picture that it had not given before. What it keeps for new viewers comes at
    once, and may be all that it has."""
    if not seen.keyframes:
        return asked_at
    kept_until_s = BURST_S + (seen.keyframes[0].arrived_at - asked_at).total_seconds()
    known: set[str] = set()
    last = asked_at
    for keyframe in seen.keyframes:
        after_s = (keyframe.arrived_at - asked_at).total_seconds()
        if keyframe.hash not in known and after_s >= kept_until_s:
            last = keyframe.arrived_at
        known.add(keyframe.hash)
    return last
