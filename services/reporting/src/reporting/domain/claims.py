"""What the forwarders claim about a delivery becomes one line of segments.

A worker's state holds from its change until the same worker's next change (by sequence), and never beyond the life of
the worker in which it began: a hole in the signs of life ends it for good. Among the workers whose claim holds at a
moment, the one that took the camera last wins; where no claim holds, the state is unknown. The order in which changes
and heartbeats arrive does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from reporting.domain.instants import Millis
from reporting.domain.lives import Life, life_at
from reporting.domain.segments import Segment
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import RequiredProof

UNKNOWN = "unknown"
"""Shown instead of a DeliveryState where no claim holds."""

RELEASED = DeliveryState.RELEASED.value

PROVES: Mapping[str, frozenset[str]] = {
    RequiredProof.ACKNOWLEDGED.value: frozenset({DeliveryState.ACKNOWLEDGED.value, DeliveryState.VERIFIED.value}),
    RequiredProof.VERIFIED.value: frozenset({DeliveryState.VERIFIED.value}),
}
"""The states that satisfy each demand of a destination."""


class Claim(NamedTuple):
    """One change of one worker. `ends_at` is its next change; None while there is none."""

    worker_id: str
    held_since: Millis
    sequence: int
    observed_at: Millis
    ends_at: Millis | None
    state: str
    cause: str | None


class Status(NamedTuple):
    """A delivery's state. `since` is when it began; it may lie before the segment."""

    state: str
    cause: str | None
    since: Millis


type ClaimRow = tuple[str, Millis, int, Millis, Millis | None, str, str | None]
"""The fields of a Claim, in its order: what a query gives, a million times a report."""


# What the constructors of named tuples do, without the function in Python around it: a fifth of `resolve`'s time.
_new = tuple.__new__


def resolve(claims: Iterable[ClaimRow], lives: Mapping[str, Sequence[Life]]) -> list[Segment[Status]]:
    """One line out of all claims of one delivery: sorted segments; gaps are unknown.

    Claims that come sorted by `observed_at` and do not contend, which are nearly all, are turned one by one.
    """
    result: list[Segment[Status]] = []
    counted: list[ClaimRow] = []
    latest, contested = -1, False
    for claim in claims:
        worker, _, _, start, end, state, cause = claim
        if state == RELEASED:
            continue
        watched = lives.get(worker)
        if not watched:
            continue
        born, died = watched[-1]
        if not born <= start < died:
            life = life_at(watched, start)
            if life is None:
                continue
            died = life[1]
        if end is None or end > died:
            end = died
        if end > start:
            counted.append(claim)
            contested = contested or start < latest
            latest = end
            result.append(_new(Segment, (start, end, _new(Status, (state, cause, start)))))
    if not contested:
        return result
    spans = [(segment.start, segment.end, claim) for segment, claim in zip(result, counted, strict=True)]
    return _contested(sorted(spans, key=itemgetter(0)))


type _Span = tuple[Millis, Millis, ClaimRow]


def _contested(spans: list[_Span]) -> list[Segment[Status]]:
    """Several workers claim the same moments: the latest holder of each moment wins."""
    cuts = sorted({cut for start, end, _ in spans for cut in (start, end)})
    result: list[Segment[Status]] = []
    holding: list[_Span] = []
    following = 0
    for left, right in pairwise(cuts):
        while following < len(spans) and spans[following][0] <= left:
            holding.append(spans[following])
            following += 1
        holding = [span for span in holding if span[1] > left]
        if not holding:
            continue
        winner = max((span[2] for span in holding), key=_precedence)
        status = Status(winner[5], winner[6], winner[3])
        if result and result[-1].end == left and result[-1].value == status:
            result[-1] = Segment(result[-1].start, right, status)
        else:
            result.append(Segment(left, right, status))
    return result


def _precedence(claim: ClaimRow) -> tuple[Millis, str, int]:
    worker, held_since, sequence, *_ = claim
    return held_since, worker, sequence
