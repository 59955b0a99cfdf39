"""The observations of one thing (probes of a camera, read-backs of a delivery) become runs of equal state and cause.

One observation with interval i at t claims [t, t + 2 i), until the next observation. What none claims is unknown
(nobody probed). The order in which observations arrive does not matter: the last WINDOW of them are kept per thing,
so that a late one is put exactly in its place. One that is older than all of these ends the claim of the one before it
and holds until the next; within a run, which was seen again after it, it changes nothing.

A run never goes on over a hole in which no prober watched: who observes after a hole is awake since after it, and so
since after the observation before. There a new run begins, and `within_lives` ends the old one where the hole begins.

Nor does a run go on over an observation that was due and is not there: where a prober lost facts, it may be among them.
There `end_before_loss` ends what was said before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from reporting.domain.evidence.lives import Life, life_at
from reporting.domain.instants import Millis
from reporting.domain.segments import Segment

WINDOW = 64
CLAIM_INTERVALS = 2
NEXT_WITHIN_UP, NEXT_WITHIN = 15, 19
"""Tenths of an interval: an observation that comes later after another is not the next one, one was due between them.
A silent camera may be put off by up to 1.75 (prober, domain/schedule.py); one that is up is not."""


class CameraState(StrEnum):
    """The five parts of a camera's time. `maintenance` and `out_of_scope` are never observed: they are agreed."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    OUT_OF_SCOPE = "out_of_scope"


BY_FORWARDER = "forwarder_keyframe"
"""Instead of a cause, of a probe that found `up` by a keyframe of the forwarder, not by a session of its own."""

SEVERITY = {CameraState.UNKNOWN: 0, CameraState.UP: 1, CameraState.DOWN: 2}


class Observation(NamedTuple):
    """One probe or read-back: at `at`, repeated every `interval`.

    It says nothing of the time before `knows_since`: its worker slept until then, or what it found began then.
    """

    at: Millis
    interval: Millis
    state: CameraState
    cause: str | None
    knows_since: Millis = 0

    @property
    def holds_until(self) -> Millis:
        return self.at + CLAIM_INTERVALS * self.interval

    @property
    def weight(self) -> tuple[int, str, Millis, Millis]:
        """Of two in the same millisecond the heavier counts: `down` before `up` before `unknown`."""
        return SEVERITY[self.state], self.cause or "", self.interval, -self.knows_since


class Run(NamedTuple):
    """The state held in [started_at, ends_at); it was last seen at `last_observed_at`."""

    started_at: Millis
    ends_at: Millis
    state: CameraState
    cause: str | None
    last_observed_at: Millis


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest observations of one camera, sorted, one per millisecond, at most WINDOW.

    `anchor` is the start of the run that the first one belongs to, once older ones have been let go.
    """

    observations: tuple[Observation, ...] = ()
    anchor: Millis | None = None

    def runs(self) -> list[Run]:
        """All runs from the anchor on; the last is the open one."""
        return runs(self.observations, self.anchor)


@dataclass(frozen=True, slots=True)
class Change:
    """What new observations do to a camera: rows to delete (by start) and to write, beside the new tail."""

    tail: Tail
    open_run: Run
    removed: tuple[Millis, ...] = ()
    added: tuple[Run, ...] = ()
    beyond: tuple[Observation, ...] = field(default=())
    late: int = 0
    repeated: int = 0


def runs(observations: Sequence[Observation], anchor: Millis | None = None) -> list[Run]:
    """Join sorted observations with distinct times to runs; the first begins at `anchor` when that is given."""
    result: list[Run] = []
    last = len(observations) - 1
    for index, seen in enumerate(observations):
        ends = seen.holds_until if index == last else min(seen.holds_until, observations[index + 1].at)
        before = result[-1] if result else None
        is_next = index > 0 and _is_next(observations[index - 1].at, observations[index - 1].holds_until, seen)
        if before and is_next and before.ends_at == seen.at and _same(before, seen):
            result[-1] = Run(before.started_at, ends, seen.state, seen.cause, seen.at)
        else:
            start = anchor if anchor is not None and not result else seen.at
            result.append(Run(start, ends, seen.state, seen.cause, seen.at))
    return result


def observe(
    tail: Tail, seen: Iterable[Observation], *, window: int = WINDOW, open_since: Millis | None = None
) -> Change | None:
    """Put observations of one camera in their places; None when there is nothing to place and nothing known.

    Any order and any repetition of the same observations gives the same runs, as long as none comes later than
    `window` newer ones. `open_since`: when the open run began as it is stored. An earlier release may have joined to it
    what are several runs by now: those are written.
    """
    kept = {one.at: one for one in tail.observations}
    newest = tail.observations[-1].at if tail.observations else None
    beyond: list[Observation] = []
    late = repeated = 0
    for one in sorted(seen, key=lambda each: (each.at, each.weight)):
        known = kept.get(one.at)
        if known is not None and known.weight >= one.weight:
            repeated += 1
        elif tail.anchor is not None and one.at <= tail.observations[0].at:
            beyond.append(one)
        else:
            late += newest is not None and one.at < newest
            kept[one.at] = one
    if not kept:
        return None
    ordered = tuple(kept[at] for at in sorted(kept))
    before, after = tail.runs(), runs(ordered, tail.anchor)
    closed_after = set(after[:-1])
    closed_before = {run for run in before[:-1] if open_since is None or run.started_at < open_since}
    return Change(
        tail=_trimmed(ordered, tail.anchor, window),
        open_run=after[-1],
        removed=tuple(sorted(run.started_at for run in closed_before - closed_after)),
        added=tuple(sorted(closed_after - closed_before, key=lambda run: run.started_at)),
        beyond=tuple(beyond),
        late=late,
        repeated=repeated,
    )


def continues(open_run: Run, seen: Observation) -> bool:
    """Whether `seen` only prolongs the open run: the ordinary case, which needs no tail."""
    last_at, until = open_run.last_observed_at, open_run.ends_at
    return last_at < seen.at <= until and _is_next(last_at, until, seen) and _same(open_run, seen)


def _is_next(last_at: Millis, held_until: Millis, seen: Observation) -> bool:
    """Whether no other observation was due between `seen` and the one before it."""
    tenths = NEXT_WITHIN_UP if seen.state is CameraState.UP else NEXT_WITHIN
    return 10 * CLAIM_INTERVALS * (seen.at - last_at) <= tenths * (held_until - last_at)


def _same(run: Run, seen: Observation) -> bool:
    """Whether `seen` goes on with `run`, whose last observation is the one before it."""
    return run.state == seen.state and run.cause == seen.cause and seen.knows_since <= run.last_observed_at


def prolonged(open_run: Run, seen: Observation) -> Run:
    """Prolong the open run by an observation that continues it."""
    return Run(open_run.started_at, seen.holds_until, open_run.state, open_run.cause, seen.at)


def fill(seen: Observation, previous: Run | None, next_start: Millis) -> Run | None:
    """Build the run that an observation beyond the window makes: after the last one before it, as far as is known.

    The claim of the one before ends with it. Within a run, which was seen again after that, nothing is changed.
    """
    if previous is not None and previous.last_observed_at >= seen.at:
        return None
    end = min(seen.holds_until, next_start)
    return Run(seen.at, end, seen.state, seen.cause, seen.at) if end > seen.at else None


def within_lives[T](segments: Sequence[Segment[T]], lives: Sequence[Life]) -> list[Segment[T]]:
    """Each segment as far as the life goes in which it began; `lives`: when at least one prober watched."""
    if not segments or not lives:
        return []
    born, died = lives[-1]
    if born <= segments[0][0] and segments[-1][0] < died:
        # The ordinary case: one life holds them all, and at most the newest reaches beyond it.
        start, end, value = segments[-1]
        return list(segments) if end <= died else [*segments[:-1], Segment(start, died, value)]
    result: list[Segment[T]] = []
    for segment in segments:
        life = life_at(lives, segment[0])
        if life is None:
            continue
        if segment[1] <= life[1]:
            result.append(segment)
        elif life[1] > segment[0]:
            result.append(Segment(segment[0], life[1], segment[2]))
    return result


def end_before_loss(end: Millis, last_at: Millis, lost: Sequence[Life]) -> Millis:
    """Compute the end of a run that was last seen at `last_at`, if facts of a prober were lost meanwhile.

    What was said before such a gap, or within it, ends there, unless the next observation is there and says the same:
    what came between may be among the lost. `lost`: sorted, without overlap.
    """
    index = bisect_right(lost, last_at, key=_end_of)
    return end if index == len(lost) else min(end, max(lost[index].start, last_at))


def _end_of(life: Life) -> Millis:
    return life.end


def _trimmed(ordered: tuple[Observation, ...], anchor: Millis | None, window: int) -> Tail:
    if len(ordered) <= window:
        return Tail(ordered, anchor)
    kept = ordered[-window:]
    starts = [run.started_at for run in runs(ordered, anchor)]
    return Tail(kept, anchor_of(starts, kept[0].at))


def anchor_of(starts: Sequence[Millis], first: Millis) -> Millis:
    """Find the start of the run that holds at `first`, given all starts in order."""
    return starts[bisect_left(starts, first + 1) - 1]
