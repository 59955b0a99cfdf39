"""A finding `repeats` that somebody disputes: unknown until another one decides, and over with the first new keyframe.

Nothing of this reaches back: what was found before somebody disputed it stays as it was.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from prober.domain.result import Judgement, ProbeResult
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, DisputeDecision, RepetitionDispute, Verdict

FORGOTTEN_AFTER = timedelta(days=1)
"""As long as a forwarder remembers keyframes: a recording that nobody found again for so long is over."""
REFUSED = "that its keyframes come again was disputed and refused: the finding is off until they are new"
OPEN = "somebody says that it is live, and nobody has decided yet: unknown"


class DisputeState(StrEnum):
    """How a finding `repeats` stands."""

    FOUND = "found"
    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    OVER = "over"
    """The keyframes are new; what is found from now on is another finding."""


def state_of(dispute: RepetitionDispute | None) -> DisputeState:
    """Of a finding on which people said this."""
    if dispute is None:
        return DisputeState.FOUND
    if dispute.ended_at is not None:
        return DisputeState.OVER
    return DisputeState.DISPUTED if dispute.decision is None else DisputeState(dispute.decision.value)


def is_refused(dispute: RepetitionDispute | None) -> bool:
    """Whether the finding is off."""
    return state_of(dispute) is DisputeState.REFUSED


def rule(judgement: Judgement, dispute: RepetitionDispute | None) -> Judgement:
    """Rule on a probe that found the camera to repeat: neither up nor down while that is disputed."""
    if judgement.cause is not Cause.REPEATS or state_of(dispute) is not DisputeState.DISPUTED:
        return judgement
    return replace(judgement, verdict=Verdict.UNKNOWN, detail=with_doubt(judgement.detail))


def with_doubt(detail: str | None) -> str:
    """Add the doubt to the detail of what is found of a camera whose repetition is disputed."""
    return f"{detail}; {OPEN}" if detail else OPEN


def repeats(status: CameraObservedV1 | None) -> bool:
    """Whether the last probe found the camera to repeat."""
    return status is not None and Cause.REPEATS in {status.cause, *status.findings}


def end_of(
    dispute: RepetitionDispute, result: ProbeResult, *, absent_since: datetime, now: datetime
) -> datetime | None:
    """When what is disputed was over, by this probe; None while it lasts, and while nobody knows.

    `absent_since`: the first of the probes, up to this one, that did not find it. A worker that is new to a camera does
    not find what another one found, so that alone ends nothing for a day.
    """
    if result.repeats is not None or result.judgement.verdict is not Verdict.UP:
        return None
    if result.new_since is not None and result.new_since > dispute.disputed_at:
        return result.new_since
    return now if now - absent_since >= FORGOTTEN_AFTER else None


def decide_dispute(dispute: RepetitionDispute, decision: DisputeDecision, at: datetime) -> RepetitionDispute:
    """Decide an open dispute; what is decided once stays so."""
    assert dispute.decision is None, "open"
    return dispute.model_copy(update={"decision": decision, "decided_at": max(at, dispute.disputed_at)})
