"""A camera that is being connected: a wrong login and a picture that stands still are no down time then (rule 6).

It is from the camera's first planned delivery to the first probe that ever found it up, if that came within MOST; of
that, only what probes found to be EXCUSED. A camera that did not come up in time was never being connected, and while
nobody knows it is down. Nothing begins it anew: not another plan, and not an outage of later.
"""

from collections.abc import Iterable, Sequence

from reporting.domain.instants import Millis
from reporting.domain.scope import Absence, Piece, Reason
from reporting.domain.segments import Period, Segment
from vonggac.events.causes import Cause

MOST: Millis = 30 * 60_000
EXCUSED = frozenset({Cause.AUTH_FAILED.value, Cause.FROZEN.value})
"""What is found while logins are entered and the first pictures come. Of other causes a camera is down from the first
moment on."""


def first_connection(planned_at: Millis, first_up: Millis | None, holds_from: Millis) -> Period | None:
    """When a camera that was first planned at `planned_at` was being connected; None when it never was.

    `first_up`: the first probe that ever found it up. `holds_from`: since when rule 6 counts.
    """
    if first_up is None or first_up > planned_at + MOST:
        return None
    start = max(planned_at, holds_from)
    return Period(start, first_up) if start < first_up else None


def excused(period: Period, found: Iterable[Period]) -> tuple[Period, ...]:
    """Find the time of `period` in which probes found what is excused, sorted, without overlap. `found` is sorted."""
    result: list[Period] = []
    for begins, ends in found:
        start, end = max(begins, period.start), min(ends, period.end)
        if start >= end:
            continue
        if result and start <= result[-1].end:
            result[-1] = Period(result[-1].start, max(end, result[-1].end))
        else:
            result.append(Period(start, end))
    return tuple(result)


def exclude_being_connected(plan: Sequence[Segment[Piece]], spans: Sequence[Period]) -> tuple[Segment[Piece], ...]:
    """Take what is excused of a camera out of scope in its plan. What is out of scope or unknown anyway stays so.

    Both are sorted, without overlap.
    """
    result: list[Segment[Piece]] = []
    for piece in plan:
        result += [piece] if piece.value.absence is not None else _cut(piece, spans)
    return tuple(result)


def _cut(piece: Segment[Piece], spans: Sequence[Period]) -> Iterable[Segment[Piece]]:
    at, being_connected = piece.start, piece.value._replace(absence=Absence(Reason.BEING_CONNECTED))
    for begins, ends in spans:
        start, end = max(begins, piece.start), min(ends, piece.end)
        if start >= end:
            continue
        if at < start:
            yield Segment(at, start, piece.value)
        yield Segment(start, end, being_connected)
        at = end
    if at < piece.end:
        yield Segment(at, piece.end, piece.value)
