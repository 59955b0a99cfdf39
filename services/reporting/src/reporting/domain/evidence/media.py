"""A camera that is forwarded: what its forwarder saw of its media dates what probes found.

Probes measure now and then, a forwarder all the time. Where the media had stopped, the camera was down from its last
media to its first; where keyframes were identical bit for bit, or came again in a loop, down for that; and while media
flows no failed probe makes a camera down that only says "no media". What nobody probed stays unknown: media alone
proves no picture. What media has refuted stays so when nobody sees media any more: a probe that was made before says
nothing of the time after. Where the picture became another one, what was found of it before holds
no longer (`pictures`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from reporting.domain.evidence.claims import latest_holders, precedence
from reporting.domain.evidence.lives import Life, life_at
from reporting.domain.evidence.pictures import Shown
from reporting.domain.instants import HOUR, Millis
from reporting.domain.partition import Seen
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState
from vonggac.events.causes import Cause
from vonggac.events.forwarder import MediaState

FLOWING, STOPPED, RELEASED = (state.value for state in (MediaState.FLOWING, MediaState.STOPPED, MediaState.RELEASED))

WITHOUT_MEDIA = frozenset(
    cause.value
    for cause in (
        Cause.DNS,
        Cause.ROUTE,
        Cause.REFUSED,
        Cause.TIMEOUT,
        Cause.TLS,
        Cause.AUTH_FAILED,
        Cause.SESSION_LIMIT,
        Cause.NOT_FOUND,
        Cause.NO_TRACK,
        Cause.TRANSPORT_UNSUPPORTED,
        Cause.PROTOCOL_ERROR,
        Cause.NO_MEDIA,
        Cause.ENDED,
        Cause.STALLED,
        Cause.HUNG_UP,
        Cause.REQUEST_REFUSED,
        Cause.SERVER_ERROR,
    )
)
"""Of a failed probe: no video came. Media that flows to the forwarder at that moment shows that it did."""

OURS = frozenset(
    cause.value
    for cause in (
        Cause.ADDRESS_NOT_ALLOWED,
        Cause.SECRET_UNREADABLE,
        Cause.SECRET_MOVED,
        Cause.WORKER_LAGGED,
        Cause.INTERNAL_ERROR,
    )
)
"""Faults on our side: nothing is known of the camera (decision 0009)."""

FROZEN, REPEATS = Cause.FROZEN.value, Cause.REPEATS.value
NOTHING_NEW = frozenset((FROZEN, REPEATS))
"""Of a picture that stands still, or comes again and again: the forwarder, which has every keyframe, knows its end."""

TAKEN: Millis = 45_000
"""A forwarder that has just taken the camera knows by then whether its picture shows something new."""

MEMORY: Millis = 2 * HOUR
"""How long media that is over may still refute a probe: as long as one may hold, two intervals of an hour."""


class MediaClaim(NamedTuple):
    """One report of one worker on a camera's media; it holds in [begins_at, ends_at), None: until its next report.

    `stopped_at`: when media came last before it stopped; None when this worker never had any. The picture showed
    nothing new in [still_since, still_ends_at), as far as this report and the next one say, for `still_cause`: None is
    frozen. It was what it is since the change at `picture_since` until
    `picture_ends_at`: `picture_judged` and `picture_cause` as of `Shown`.
    """

    worker_id: str
    held_since: Millis
    sequence: int
    observed_at: Millis
    begins_at: Millis
    ends_at: Millis | None
    state: str
    cause: str | None
    stopped_at: Millis | None
    still_since: Millis | None
    still_ends_at: Millis | None
    still_cause: str | None = None
    picture_since: Millis | None = None
    picture_ends_at: Millis | None = None
    picture_judged: bool = False
    picture_cause: str | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether its worker holds the camera no more, or has not tried to have it yet."""
        not_yet = self.state == STOPPED and self.cause is None and self.stopped_at is None
        return not_yet or self.state == RELEASED

    @property
    def moved_at(self) -> Millis | None:
        """When the picture was new again after it had not been."""
        return self.still_ends_at if self.still_since is not None else None


type Still = Segment[str]
"""Why the picture showed nothing new."""


class Media(NamedTuple):
    """A camera's media and picture in the words of its latest holder, and when any forwarder saw nothing new in it."""

    flow: Sequence[Segment[MediaClaim]]
    still: Sequence[Still]
    pictures: Sequence[Segment[Shown]] = ()


NOTHING = Media((), ())


def media_of(claims: Iterable[MediaClaim], lives: Mapping[str, Sequence[Life]]) -> Media:
    """Each claim as far as its worker's life goes in which it was made; a hole ends it for good.

    That nothing new was shown holds until another worker takes the camera: that one has to see it first.
    """
    spans: list[tuple[Millis, Millis, MediaClaim]] = []
    still: list[tuple[Millis, Millis, MediaClaim]] = []
    pictures = _Pictures()
    for claim in claims:
        life = life_at(lives.get(claim.worker_id, ()), claim.observed_at)
        if life is None or claim.says_nothing:
            continue
        start, end = _within(life, claim.begins_at, claim.ends_at)
        if end > start:
            spans.append((start, end, claim))
        if claim.still_since is not None:
            start, end = _within(life, claim.still_since, claim.still_ends_at)
            if end > start:
                still.append((start, end, claim))
        if claim.picture_since is not None:
            pictures.add(claim, _within(life, claim.picture_since, claim.picture_ends_at))
    if not spans:
        return NOTHING
    flow = latest_holders(sorted(spans, key=itemgetter(0)))
    held: list[tuple[Millis, Millis, str]] = []
    for start, end, claim in still:
        for left, right, next_holder in _until_taken(start, end, _later_holders(claim, spans)):
            held.append((left, right, claim.still_cause or FROZEN))
            if (
                next_holder is not None
                and (life := life_at(lives[next_holder.worker_id], next_holder.observed_at)) is not None
            ):
                doubt = next_holder._replace(picture_since=right, picture_judged=False, picture_cause=None)
                pictures.add(doubt, _within(life, right, right + TAKEN))
    return Media(flow, _union(held), pictures.shown_in(flow))


class _Pictures:
    """What each worker says of the picture: the last report of a change says whether it was judged."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, Millis], list[tuple[Millis, Millis]]] = {}
        self._said: dict[tuple[str, Millis], tuple[int, Shown]] = {}

    def add(self, claim: MediaClaim, span: tuple[Millis, Millis]) -> None:
        assert claim.picture_since is not None, "a change of the picture"
        key = claim.worker_id, claim.picture_since
        self._spans.setdefault(key, []).append(span)
        shown = Shown(claim.picture_since, claim.picture_judged, claim.picture_cause)
        self._said[key] = max(self._said.get(key, (0, shown)), (claim.sequence, shown), key=itemgetter(0))

    def shown_in(self, flow: Sequence[Segment[MediaClaim]]) -> Sequence[Segment[Shown]]:
        """While media flowed to the worker that says it, and no other one held the camera."""
        pieces = [
            (max(start, left), min(end, right), (*key, 0, self._said[key][1]))
            for key, spans in self._spans.items()
            for left, right in spans
            for start, end, claim in flow
            if claim.state == FLOWING and claim.worker_id == key[0] and max(start, left) < min(end, right)
        ]
        # Of two at one moment the later change holds.
        holders = latest_holders(sorted(pieces, key=itemgetter(0)))
        return [Segment(start, end, row[3]) for start, end, row in holders]


type _Spans = list[tuple[Millis, Millis, MediaClaim]]


def _later_holders(claim: MediaClaim, spans: _Spans) -> _Spans:
    """List those of others which took the camera after this one did, by their beginning."""
    since = precedence(claim)
    others = (one for one in spans if one[2].worker_id != claim.worker_id and precedence(one[2]) > since)
    return sorted(others, key=itemgetter(0))


def _until_taken(start: Millis, end: Millis, others: _Spans) -> Iterable[tuple[Millis, Millis, MediaClaim | None]]:
    """Yield what others leave of [start, end), and who took the camera at the end of each piece."""
    for left, right, other in others:
        if left >= end:
            break
        if left > start:
            yield start, left, other
        start = max(start, right)
    if end > start:
        yield start, end, None


def _within(life: Life, start: Millis, end: Millis | None) -> tuple[Millis, Millis]:
    return max(start, life.start), life.end if end is None else min(end, life.end)


def _union(spans: Iterable[tuple[Millis, Millis, str]]) -> list[Still]:
    """Join the spans; of two causes at a time, that which began first."""
    result: list[Still] = []
    for begin, end, cause in sorted(spans):
        if result and begin <= result[-1].end and cause == result[-1].value:
            result[-1] = Segment(result[-1].start, max(result[-1].end, end), cause)
            continue
        start = max(begin, result[-1].end) if result else begin
        if end > start:
            result.append(Segment(start, end, cause))
    return result


def dated(probed: Sequence[Segment[Seen]], media: Media) -> Sequence[Segment[Seen]]:
    """Date what was seen of a camera by probes (`probed`) by what its forwarder saw."""
    flow, still, pictures = media
    flowed = not still and not pictures and all(one.value.state == FLOWING for one in flow)
    if flowed and not (flow and any(one.value.state is CameraState.DOWN for one in probed)):
        # The ordinary case: nothing to date.
        return joined(probed)
    lines: list[Sequence[Segment[Any]]] = [probed, flow, still, pictures]
    if not any(lines):
        return ()
    hull = Period(min(line[0].start for line in lines if line), max(line[-1].end for line in lines if line))
    said = _Said()
    result: list[Segment[Seen]] = []
    for start, end, (probe, claim, nothing_new, shown) in overlay(hull, lines):
        seen = None if shown is None and said.shows_another(probe) else probe
        for left, right in _cut(start, end, claim):
            refuted = seen is not None and said.refutes(seen)
            found = _seen_at(left, seen, claim, refuted=refuted, nothing_new=nothing_new)
            if shown is not None:
                said.shown = shown
                found = found if nothing_new else shown.revise(left, found, seen)
            if claim is not None:
                said.remember(right, left, seen, claim)
            if found is None:
                continue
            result.append(Segment(left, right, found if found.since >= left else found._replace(since=left)))
    return joined(result)


@dataclass(slots=True)
class _Said:
    """What media has said up to here: until when it flowed, until when it was gone, and when a still picture moved."""

    flowed_until: Millis = 0
    gone_until: Millis = 0
    moved_at: Millis = 0
    shown: Shown | None = None
    """The last picture that a forwarder knew of."""

    def shows_another(self, seen: Seen | None) -> bool:
        """Whether the picture is another one since the last probe that found `seen`, by who watched it last."""
        return seen is not None and self.shown is not None and self.shown.refutes(seen)

    def remember(self, until: Millis, at: Millis, seen: Seen | None, claim: MediaClaim) -> None:
        """Remember what `claim` says of [at, until)."""
        if claim.state == FLOWING:
            self.flowed_until = until
            if claim.moved_at is not None and claim.moved_at <= at:
                self.moved_at = max(self.moved_at, claim.moved_at)
        elif _gone(claim) and not (seen is not None and _refutes(seen, claim)):
            self.gone_until = until

    def refutes(self, seen: Seen) -> bool:
        """Whether the last probe that found `seen` was made before media said otherwise."""
        if seen.state is CameraState.UP:
            return self.flowed_until < self.gone_until and seen.last_at < self.gone_until
        if seen.cause in NOTHING_NEW:
            return seen.last_at < self.moved_at
        return seen.cause in WITHOUT_MEDIA and seen.last_at < self.flowed_until


def joined(line: Iterable[Segment[Seen]]) -> list[Segment[Seen]]:
    """Segments of one state and cause that touch, as one: it began when the first did. Two probes confirm it."""
    result: list[Segment[Seen]] = []
    end, state, cause = -1, None, None
    for segment in line:
        one = segment[2]
        if segment[0] == end and one[0] is state and one[1] == cause:
            start, _, before = result[-1]
            repeated = before.repeated or one.repeated or before.last_at != one.last_at
            result[-1] = Segment(start, segment[1], before._replace(repeated=repeated))
        else:
            result.append(segment)
        end, state, cause = segment[1], one[0], one[1]
    return result


def _cut(start: Millis, end: Millis, claim: MediaClaim | None) -> Iterable[tuple[Millis, Millis]]:
    """Where a picture that had stood still moved again, the finding of it ends."""
    at = None if claim is None else claim.moved_at
    return ((start, end),) if at is None or not start < at < end else ((start, at), (at, end))


def _seen_at(
    at: Millis, seen: Seen | None, claim: MediaClaim | None, *, refuted: bool, nothing_new: str | None
) -> Seen | None:
    if claim is None or (claim.state == STOPPED and not _gone(claim)):
        return None if refuted else seen
    down = seen is not None and seen.state is CameraState.DOWN
    if claim.state == STOPPED:
        if seen is not None and ((down and not refuted) or _refutes(seen, claim)):
            return seen
        return Seen(CameraState.DOWN, claim.cause, at)
    if nothing_new is not None and (not down or (seen is not None and seen.cause in WITHOUT_MEDIA)):
        return Seen(CameraState.DOWN, nothing_new, at)
    if seen is None or not down:
        return seen
    moved = claim.moved_at
    if seen.cause in NOTHING_NEW and nothing_new is None and moved is not None and seen.last_at < moved <= at:
        return Seen(CameraState.UP, None, at)
    if seen.cause in WITHOUT_MEDIA or (refuted and nothing_new is None):
        return Seen(CameraState.UP, None, at)
    return seen


def _gone(claim: MediaClaim) -> bool:
    """Whether media stopped by itself; a stop that we made, and a fault of ours, say nothing."""
    return claim.state == STOPPED and claim.cause is not None and claim.cause not in OURS


def _refutes(seen: Seen, claim: MediaClaim) -> bool:
    """Whether a prober that asked the camera itself saw it, since the forwarder had its last media, or took the
    camera."""
    if seen.state is not CameraState.UP or seen.by_forwarder:
        return False
    if claim.stopped_at is None:
        return seen.last_at > claim.held_since
    return seen.since > claim.stopped_at
