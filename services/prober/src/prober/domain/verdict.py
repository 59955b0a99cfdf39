"""From the evidence of one attempt to a verdict with a cause."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from prober.domain.findings import Checks
from prober.domain.kinds import DOWN_BY_PICTURE
from prober.domain.result import Judgement
from vonggac.events import Cause
from vonggac.events.prober import Verdict

NOBODY_PROBED = frozenset(
    {
        Cause.ADDRESS_NOT_ALLOWED,
        Cause.SECRET_UNREADABLE,
        Cause.SECRET_MOVED,
        Cause.WORKER_LAGGED,
        Cause.INTERNAL_ERROR,
        Cause.DECODER_CRASHED,
    }
)
"""Causes that lie with us: the camera was not probed, so nothing is known about it; or its picture was not seen, by a
mistake in the decoder that a good camera may meet too."""


REFRESHED = "the camera refreshes its picture bit by bit (intra refresh): no single picture of it is whole"


@dataclass(frozen=True, slots=True)
class Failure:
    """What broke an attempt off. `detail` holds no credential."""

    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt saw until it ended.

    `light`: the header of a keyframe is all that was wanted. `failure` broke it off; without one the deadline (or the
    end of the measuring window) did. `foreign_payload`: the RTP payload type of what came, when the description names
    others only; `fits_codec`: whether it can be pictures of the codec that the description names. `decoded` is None
    while the keyframe waits for the decoder, `undecodable` says why the decoder gave none. `first_packet_s` and
    `allowed_s`, in seconds from the attempt's beginning: when video came first, and when the deadline was;
    `keyframe_s`: when a keyframe began. `pictures`: how many began; None where that is not known.
    """

    failure: Failure | None = None
    light: bool = False
    playing: bool = False
    packets: int = 0
    foreign_payload: int | None = None
    fits_codec: bool = True
    units_dropped: int = 0
    keyframe: bool = False
    decoded: bool | None = None
    undecodable: Failure | None = None
    refreshed: bool = False
    keyframe_s: float | None = None
    pictures: int | None = None
    first_packet_s: float = 0.0
    allowed_s: float = 0.0

    @property
    def came_late(self) -> bool:
        """Whether less time was left after the first packet than had gone by: too little to miss a keyframe."""
        return 2 * self.first_packet_s > self.allowed_s > 0


def judge(evidence: Evidence) -> Judgement:
    """`up` when a whole keyframe arrived and decoded (began, for a light probe), whatever happened afterwards.

    But for a flood, which nobody can forward.
    """
    if evidence.failure is not None and evidence.failure.cause is Cause.FLOOD:
        return _broken_off(evidence.failure)
    if evidence.decoded or (evidence.keyframe and (evidence.light or evidence.refreshed)):
        return Judgement(Verdict.UP)
    if evidence.decoded is False:
        return _broken_off(evidence.undecodable or Failure(Cause.DECODE_FAILED, "the decoder gave no picture"))
    if evidence.keyframe:
        # The camera did its part; that no decoder was free in time is ours.
        return unknown(Cause.WORKER_LAGGED, "a keyframe arrived and was not decoded before the deadline")
    if evidence.failure is not None:
        return _broken_off(evidence.failure)
    if not evidence.playing:
        return down(Cause.TIMEOUT, "the camera did not answer before the deadline")
    if evidence.foreign_payload is not None and not evidence.fits_codec:
        what = f"packets of payload type {evidence.foreign_payload} came, which the description does not name"
        return down(Cause.CODEC_UNSUPPORTED, what)
    if evidence.packets == 0:
        return down(Cause.NO_MEDIA, "PLAY was accepted and no video came before the deadline")
    return _without_keyframe(evidence)


def _without_keyframe(evidence: Evidence) -> Judgement:
    """Of a camera whose video came, and no whole keyframe before the deadline."""
    if evidence.came_late:
        when = f"{evidence.first_packet_s:.1f} s of the {evidence.allowed_s:.1f} s that a probe may take"
        return down(Cause.TIMEOUT, f"video came only after {when}, and no whole keyframe in the rest")
    if evidence.units_dropped:
        damaged = f"{evidence.packets} packets ({evidence.units_dropped} damaged)"
        return down(Cause.NO_KEYFRAME, f"{damaged} and no whole keyframe before the deadline")
    if evidence.keyframe_s is not None and 2 * evidence.keyframe_s <= evidence.allowed_s:
        when = f"a keyframe began after {evidence.keyframe_s:.1f} s of {evidence.allowed_s:.1f} s"
        return down(Cause.NO_KEYFRAME, f"{when} and was not whole before the deadline")
    if evidence.pictures is not None and evidence.pictures <= 1:
        what = f"{evidence.packets} packets of one picture came, and it did not end before the deadline"
        return down(Cause.NO_KEYFRAME, what)
    # Cameras that save bits give one in 15 to 60 s, and not all begin a session with one.
    why = f"{evidence.packets} packets of video, and the next keyframe was not due before the deadline, or is missing"
    return unknown(Cause.NO_KEYFRAME, why)


def conclude(judgement: Judgement, checks: Checks) -> Judgement:
    """Add the findings to the verdict: pictures that show nothing of the place turn `up` to `down` (decision 0009)."""
    found = tuple(dict.fromkeys(checks.findings))
    detail = "; ".join(part for part in (judgement.detail, *checks.details) if part) or None
    known = {*found, judgement.cause}
    not_checked = {cause: reason for cause, reason in checks.not_checked.items() if cause not in known}
    if judgement.verdict is not Verdict.UP:
        return replace(judgement, detail=detail, findings=found, not_checked=not_checked)
    cause = next((cause for cause in DOWN_BY_PICTURE if cause in found), None)
    return Judgement(
        Verdict.UP if cause is None else Verdict.DOWN,
        cause,
        detail,
        tuple(finding for finding in found if finding is not cause),
        not_checked,
    )


def lagged(judgement: Judgement, lag_s: float) -> Judgement:
    """Correct the verdict of a probe during which the prober's own event loop stood still for `lag_s`.

    What did not come in such a time may have come and waited: that is unknown. What did come stands: the picture (`up`,
    or `down` for what it shows), and a login that was refused, which must count.
    """
    if judgement.verdict is not Verdict.DOWN or judgement.cause in (*DOWN_BY_PICTURE, Cause.AUTH_FAILED):
        return judgement
    why = f"{lag_reason(lag_s)} ({judgement.cause} does not count)"
    return replace(judgement, verdict=Verdict.UNKNOWN, cause=Cause.WORKER_LAGGED, detail=why)


def lag_reason(lag_s: float) -> str:
    """For people."""
    return f"the prober itself stood still for {lag_s:.1f} s meanwhile"


def nothing_checked(causes: Iterable[Cause], reason: str) -> Checks:
    """No check of these could be made."""
    return Checks(not_checked=dict.fromkeys(causes, reason))


def down(cause: Cause, detail: str) -> Judgement:
    """Judge that the camera is not as it should be."""
    return Judgement(Verdict.DOWN, cause, detail)


def unknown(cause: Cause, detail: str) -> Judgement:
    """Judge that the probe accuses nobody."""
    return Judgement(Verdict.UNKNOWN, cause, detail)


def _broken_off(failure: Failure) -> Judgement:
    decide = unknown if failure.cause in NOBODY_PROBED else down
    return decide(failure.cause, failure.detail)
