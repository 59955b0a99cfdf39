"""A finding `repeats` that somebody disputed: unknown from then on, and what was decided from the decision on.

Whoever found it, probes or the forwarder: what they go on to say is ruled by people, until the first new keyframe. Time
before the dispute stays as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from reporting.domain.evidence.lives import Life
from reporting.domain.evidence.media import REPEATS, MediaClaim, dated, joined, media_of
from reporting.domain.instants import Millis
from reporting.domain.partition import Seen
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState

FOR_EVER: Millis = 1 << 52


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
    """List what held when, in order of time; a later dispute ends the one before it."""
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


def dated_as_ruled(
    probed: Sequence[Segment[Seen]],
    claims: Sequence[MediaClaim],
    lives: Mapping[str, Sequence[Life]],
    rulings: Sequence[Segment[Ruling]],
) -> Sequence[Segment[Seen]]:
    """Date what was seen of a camera, as people ruled on `repeats`; `claims`: its forwarders' reports, `lives`: theirs.

    Two suppositions are accounted whole: the finding stands, and nobody made it. A decision picks one of them. Until
    then counts what holds under both: a camera is excused of `repeats` alone.
    """
    media = media_of(claims, lives)
    found = dated(probed, media)
    if not rulings:
        return found
    stands = dated([one._replace(value=_confirmed(one.value)) for one in probed], media)
    falls = dated(
        [one._replace(value=_refused(one.value)) for one in probed], media_of(map(_without_loop, claims), lives)
    )
    lines: list[Sequence[Segment[Any]]] = [found, stands, falls]
    if not any(lines):
        return ()
    hull = Period(min(line[0].start for line in lines if line), max(line[-1].end for line in lines if line))
    result: list[Segment[Seen]] = []
    for start, end, (as_found, as_confirmed, as_refused, ruling) in overlay(hull, [*lines, rulings]):
        seen = _seen_by(ruling, as_found, as_confirmed, as_refused, start)
        if seen is not None:
            result.append(Segment(start, end, seen if seen.since >= start else seen._replace(since=start)))
    return joined(result)


def _seen_by(
    ruling: Ruling | None, found: Seen | None, stands: Seen | None, falls: Seen | None, at: Millis
) -> Seen | None:
    match ruling:
        case None:
            return found
        case Ruling.CONFIRMED:
            return stands
        case Ruling.REFUSED:
            return falls
        case Ruling.DISPUTED:
            agree = (stands and stands.state) is (falls and falls.state)
            return falls if agree else Seen(CameraState.UNKNOWN, REPEATS, at)


def _confirmed(seen: Seen) -> Seen:
    return seen._replace(state=CameraState.DOWN) if seen.cause == REPEATS else seen


def _refused(seen: Seen) -> Seen:
    return seen._replace(state=CameraState.UP, cause=None) if seen.cause == REPEATS else seen


def _without_loop(claim: MediaClaim) -> MediaClaim:
    if claim.still_cause == REPEATS:
        claim = claim._replace(still_since=None, still_ends_at=None, still_cause=None)
    return claim._replace(picture_cause=None) if claim.picture_cause == REPEATS else claim
