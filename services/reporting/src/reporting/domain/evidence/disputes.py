"""A finding `repeats` that somebody disputed: unknown from then on, and what was decided from the decision on.

Whoever found it, probes or the forwarder: what they go on to say is ruled by people, until the first new keyframe. Time
before the dispute stays as it was.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from reporting.domain.evidence.pictures import Shown
from reporting.domain.instants import Millis
from reporting.domain.partition import Seen
from reporting.domain.segments import Segment
from reporting.domain.timeline import CameraState
from vonggac.events.causes import Cause

FOR_EVER: Millis = 1 << 52
REPEATS = Cause.REPEATS.value


class Ruling(StrEnum):
    """What holds of the finding."""

    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Dispute(NamedTuple):
    """One dispute, and how it ended; `confirmed` is None while nobody has decided."""

    disputed_at: Millis
    decided_at: Millis | None
    confirmed: bool | None
    ended_at: Millis | None


def rulings_of(disputes: Iterable[Dispute]) -> list[Segment[Ruling]]:
    """What held when, in order of time; a later dispute ends the one before it."""
    result: list[Segment[Ruling]] = []
    until = FOR_EVER
    for one in sorted(disputes, reverse=True):
        end = min(until, FOR_EVER if one.ended_at is None else one.ended_at)
        decided_at = end if one.decided_at is None else min(end, one.decided_at)
        ruling = Ruling.CONFIRMED if one.confirmed else Ruling.REFUSED
        pieces = Segment(one.disputed_at, decided_at, Ruling.DISPUTED), Segment(decided_at, end, ruling)
        result[:0] = [piece for piece in pieces if piece.end > piece.start]
        until = one.disputed_at
    return result


def without_refused(
    ruling: Ruling | None, nothing_new: str | None, shown: Shown | None
) -> tuple[str | None, Shown | None]:
    """What the forwarder saw, as far as it was not refused."""
    if ruling is not Ruling.REFUSED:
        return nothing_new, shown
    if shown is not None and shown.cause == REPEATS:
        shown = shown._replace(cause=None)
    return None if nothing_new == REPEATS else nothing_new, shown


def rule(ruling: Ruling | None, found: Seen | None) -> Seen | None:
    """What was found of a camera, as it was ruled."""
    if ruling is None or found is None or found.cause != REPEATS:
        return found
    match ruling:
        case Ruling.DISPUTED:
            return found._replace(state=CameraState.UNKNOWN)
        case Ruling.CONFIRMED:
            return found._replace(state=CameraState.DOWN)
        case Ruling.REFUSED:
            return found._replace(state=CameraState.UP, cause=None)
