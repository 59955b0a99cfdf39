"""What the forwarders claim about a delivery becomes one line of segments.

A worker's state holds from its beginning until the same worker's next change (by sequence), and never beyond the life
of the worker in which it was seen: a hole in the signs of life ends it for good. Among the workers whose claim holds at
a moment, the one that took the camera last wins; where no claim holds, the state is unknown. The order in which changes
and heartbeats arrive does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from reporting.domain.evidence.lives import Life, life_at
from reporting.domain.instants import Millis
from reporting.domain.segments import Segment
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import RequiredProof

UNKNOWN = "unknown"
"""Shown instead of a DeliveryState where no claim holds."""

RELEASED = DeliveryState.RELEASED.value

ACKNOWLEDGED = frozenset({DeliveryState.ACKNOWLEDGED.value, DeliveryState.VERIFIED.value, DeliveryState.MISMATCH.value})
"""The states in which media is acknowledged. What read-backs say of it, they say themselves."""

PROVES: Mapping[str, frozenset[str]] = {
    RequiredProof.ACKNOWLEDGED.value: frozenset({DeliveryState.ACKNOWLEDGED.value, DeliveryState.VERIFIED.value}),
    RequiredProof.VERIFIED.value: frozenset({DeliveryState.VERIFIED.value}),
}
"""The states that satisfy each demand of a destination at a moment: what is shown live, not what is accounted."""


class Claim(NamedTuple):
    """One change of one worker, seen at `observed_at`, that holds in [begins_at, ends_at); None: until its next one.

    A state that is not connected is dated back to the last bytes that the destination confirmed.
    """

    worker_id: str
    held_since: Millis
    sequence: int
    observed_at: Millis
    begins_at: Millis
    ends_at: Millis | None
    state: str
    cause: str | None


class Status(NamedTuple):
    """A delivery's state. `since` is when it began; it may lie before the segment."""

    state: str
    cause: str | None
    since: Millis


type ClaimRow = tuple[str, Millis, int, Millis, Millis, Millis | None, str, str | None]
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
        worker, _, _, seen_at, start, end, state, cause = claim
        if state == RELEASED:
            continue
        watched = lives.get(worker)
        if not watched:
            continue
        born, died = watched[-1]
        if not born <= seen_at < died:
            life = life_at(watched, seen_at)
            if life is None:
                continue
            born, died = life
        if start < born:
            start = born
        if end is None or end > died:
            end = died
        if end > start:
            counted.append(claim)
            contested = contested or start < latest
            latest = end
            result.append(_new(Segment, (start, end, _new(Status, (state, cause, start)))))
    if not contested:
        return result
    spans = [
        (start, end, (claim[0], claim[1], claim[2], status))
        for (start, end, status), claim in zip(result, counted, strict=True)
    ]
    holders = latest_holders(sorted(spans, key=itemgetter(0)))
    return [Segment(start, end, holder[3]) for start, end, holder in holders]


def latest_holders[Row: tuple[Any, ...]](spans: Sequence[tuple[Millis, Millis, Row]]) -> list[Segment[Row]]:
    """Find the latest holder of each moment, who wins, in spans sorted by their start that may overlap.

    A row begins with worker, held_since and sequence.
    """
    cuts = sorted({cut for start, end, _ in spans for cut in (start, end)})
    result: list[Segment[Row]] = []
    holding: list[tuple[Millis, Millis, Row]] = []
    following = 0
    for left, right in pairwise(cuts):
        while following < len(spans) and spans[following][0] <= left:
            holding.append(spans[following])
            following += 1
        holding = [span for span in holding if span[1] > left]
        if not holding:
            continue
        winner = max((span[2] for span in holding), key=precedence)
        if result and result[-1].end == left and result[-1].value == winner:
            result[-1] = Segment(result[-1].start, right, winner)
        else:
            result.append(Segment(left, right, winner))
    return result


def precedence(row: tuple[Any, ...]) -> tuple[Millis, str, int]:
    """Build the key of a row that begins with worker, held_since and sequence: of two, the greater holds the camera."""
    return row[1], row[0], row[2]
