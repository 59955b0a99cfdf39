"""What keyframes that come again, bit for bit, say of a camera: it stands still, or shows a recording in a loop."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from prober.domain.dispute import REFUSED, is_refused
from prober.domain.findings import Checks
from prober.domain.kinds import DOWN_BY_PICTURE
from prober.domain.picture import PictureJudgement
from prober.domain.picture.repetition import NEW_AT_LEAST, RecentKeyframes
from prober.domain.result import ProbeResult, Repeats, Still
from vonggac.events import Cause
from vonggac.events.prober import ProbeKind, RepetitionDispute

CAME_AGAIN = "the same keyframe came again: the stream repeats itself, or too few keyframes are known"
LEAST_STILL_KEYFRAMES = 3
"""Identical ones make a picture that stands still."""


def comes_again(result: ProbeResult, judged: PictureJudgement) -> bool:
    """Whether the keyframe of an earlier probe came again, and others come as well.

    So does a recording that is played again and again, when the probes meet the same place of it, or when it begins
    anew for each client. The forwarder compares all keyframes; a session of our own has the next one. Two identical
    ones are too few: a recording begins anew with the forwarder's session, too.
    """
    came_again = result.picture is not None and judged.remember.came_again_in(result.picture)
    stands_still = result.still is not None and result.still.keyframes >= LEAST_STILL_KEYFRAMES
    others = result.goes_on or (result.kind is ProbeKind.FORWARDER_KEYFRAME and not stands_still)
    return came_again and others


def add_still(checks: Checks, still: Still, *, least_s: float) -> datetime | None:
    """Add a finding of the forwarder's hashes; not of a picture that shows nothing and may be the same for ever.

    Returns since when it stands still, where no other check has found that.
    """
    still_s = (still.until - still.since).total_seconds()
    if still.keyframes < LEAST_STILL_KEYFRAMES or still_s < least_s or set(checks.findings) & set(DOWN_BY_PICTURE):
        return None
    detail = f"the last {still.keyframes} keyframes are identical, bit for bit, since {still.since:%H:%M:%S} UTC"
    checks.add_finding(Cause.FROZEN, detail)
    return still.since


def compare_keyframe(keyframes: RecentKeyframes, camera_id: UUID, result: ProbeResult) -> ProbeResult:
    """Whether the keyframe is one of probes before; what a forwarder says, which has them all, counts before that.

    Its keyframes that stand still are none that come again.
    """
    if result.picture is None or result.still is not None:
        return result
    by_forwarder = result.kind is ProbeKind.FORWARDER_KEYFRAME
    others_after = result.goes_on or by_forwarder
    digest, at = result.picture.keyframe_hash, result.picture.taken_at
    # A forwarder that saw it come would have said so.
    most_new = 1 if by_forwarder else NEW_AT_LEAST
    since = keyframes.add(camera_id, digest, at, others_after=others_after, new_at_least=most_new)
    if result.repeats is not None:
        return result
    if since is not None:
        return replace(result, repeats=Repeats(since, "from probe to probe, with others between"), new_since=None)
    # A forwarder that is new to the camera has seen too little to end what another one found.
    return result if by_forwarder else replace(result, new_since=keyframes.new_since(camera_id))


def add_repeats(checks: Checks, repeats: Repeats, dispute: RepetitionDispute | None) -> datetime | None:
    """Add a finding of the hashes; not of a picture that shows nothing. Returns since when nothing new is shown.

    Of a finding that was disputed and refused none is made, but a reason why.
    """
    if is_refused(dispute):
        checks.not_checked[Cause.REPEATS] = REFUSED
        return None
    if set(checks.findings) & set(DOWN_BY_PICTURE[: DOWN_BY_PICTURE.index(Cause.REPEATS)]):
        return None
    detail = f"a recording in a loop: the same keyframes come again, bit for bit, {repeats.how}"
    checks.add_finding(Cause.REPEATS, f"{detail}, since {repeats.since:%H:%M:%S} UTC")
    return repeats.since
