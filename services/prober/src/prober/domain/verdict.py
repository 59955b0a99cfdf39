"""From the evidence of one attempt to a verdict with a cause."""

from dataclasses import dataclass

from prober.domain.result import Judgement
from vonggac.events import Cause
from vonggac.events.prober import Verdict

NOBODY_LOOKED = frozenset({Cause.ADDRESS_NOT_ALLOWED, Cause.SECRET_UNREADABLE, Cause.INTERNAL_ERROR})
"""Causes that lie with us: the camera was not looked at, so nothing is known about it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What broke an attempt off. `detail` holds no credential."""

    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt saw until it ended.

    `failure` broke it off; without one the deadline (or the end of the measuring window) did. `decoded` is None while
    the keyframe waits for the decoder, `undecodable` says why the decoder gave none.
    """

    failure: Failure | None = None
    playing: bool = False
    packets: int = 0
    units_dropped: int = 0
    keyframe: bool = False
    decoded: bool | None = None
    undecodable: str | None = None


def judge(evidence: Evidence) -> Judgement:
    """`up` when a whole keyframe arrived and decoded, whatever happened afterwards."""
    if evidence.decoded:
        return Judgement(Verdict.UP)
    if evidence.decoded is False:
        return down(Cause.DECODE_FAILED, evidence.undecodable or "the decoder gave no picture")
    if evidence.keyframe:
        # The camera did its part; that no decoder was free in time is ours.
        return unknown(Cause.INTERNAL_ERROR, "a keyframe arrived and was not decoded before the deadline")
    if evidence.failure is not None:
        return _broken_off(evidence.failure)
    if not evidence.playing:
        return down(Cause.TIMEOUT, "the camera did not answer before the deadline")
    if evidence.packets == 0:
        return down(Cause.NO_MEDIA, "PLAY was accepted and no media came before the deadline")
    dropped = f" ({evidence.units_dropped} damaged)" if evidence.units_dropped else ""
    return down(Cause.NO_KEYFRAME, f"{evidence.packets} packets{dropped} and no whole keyframe before the deadline")


def down(cause: Cause, detail: str) -> Judgement:
    return Judgement(Verdict.DOWN, cause, detail)


def unknown(cause: Cause, detail: str) -> Judgement:
    return Judgement(Verdict.UNKNOWN, cause, detail)


def _broken_off(failure: Failure) -> Judgement:
    decide = unknown if failure.cause in NOBODY_LOOKED else down
    return decide(failure.cause, failure.detail)
