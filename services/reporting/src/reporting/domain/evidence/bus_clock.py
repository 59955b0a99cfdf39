"""What the bus shows of its own clock: it dates what it stores, and its host may be set.

Sequences give the order. A message that was stored *before* its predecessor shows that the clock was set back between
them. From then on it shows a time that it showed before, and nobody knows which of two moments a fact of it is of.

Workers measure it against clocks that nobody sets. A clock that was set and, later, set back by the same is the one
that it was: what it showed in between was wrong, and what it showed before is not.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reporting.domain.evidence.lives import Life
from reporting.domain.instants import Millis

LEAST_STEP: Millis = 500
"""Servers of a cluster are so far apart without a fault: another one became the leader."""


class Stored(NamedTuple):
    """A message of the stream, and the server's time when it stored it."""

    sequence: int
    at: Millis


class Step(NamedTuple):
    """The clock was set back after it had stored `before`: it stored `after`, which came later, earlier."""

    before: Stored
    after: Stored

    @property
    def by(self) -> Millis:
        """How far it was set back, less what passed between the two."""
        return self.before.at - self.after.at


def find_steps(newest: Stored | None, stored: Iterable[Stored]) -> tuple[list[Step], Stored | None]:
    """Find the steps back that a batch shows, and the message that was stored latest, by the clock, of it and `newest`.

    Messages that come late are no step: their sequence is lower than that of `newest`.
    """
    found: dict[Stored, Stored] = {}
    for one in sorted(stored):
        if newest is None or one.at >= newest.at:
            newest = one
        elif one.sequence > newest.sequence and newest.at - one.at > LEAST_STEP:
            after = found.get(newest)
            found[newest] = one if after is None or one.at < after.at else after
    return [Step(before, after) for before, after in found.items()], newest


class Twice(NamedTuple):
    """A time that the clock showed twice, [start, end): to messages up to `last_before`, and to those after it."""

    start: Millis
    end: Millis
    last_before: int

    def voids(self, sequence: int, at: Millis) -> bool:
        """Whether a fact of the message `sequence` that is dated `at` came after the step, and is of that time."""
        return sequence > self.last_before and self.start <= at < self.end


def counts_since(twice: Sequence[Twice], sequence: int, at: Millis) -> Millis:
    """Nothing that the message `sequence` says of a moment from `at` on changes the time before the returned one."""
    return max((one.end for one in twice if sequence > one.last_before and one.end <= at), default=0)


LEARNT_WITHIN: Millis = 15_000
"""A worker knows the clock by then, if it was set."""


def said_before_step(twice: Sequence[Twice], sequence: int, at: Millis, *, ahead: Millis, earlier: Millis) -> bool:
    """Whether something that a message carries, of the moment `earlier`, was measured before the clock was set back.

    `at`: when the message was dated by itself, and `ahead` of when it was stored. It is later than what it carries: if
    it is not dated so, the clock was set back in between, and if it is dated ahead, its worker did not know that yet.
    """
    last = max((one for one in twice if sequence > one.last_before), key=lambda one: one.last_before, default=None)
    if last is None or earlier > last.end:
        return False
    return earlier > at or (ahead > 0 and at <= last.end + LEARNT_WITHIN)


SAME_CLOCK: Millis = 2_000
"""A clock that is set right again is so near to where it was."""


class Era(NamedTuple):
    """A worker's life, and by how much the server's clock had been set by then since that worker started."""

    life: Life
    stepped: Millis


class Returns(NamedTuple):
    """What one worker measured of a clock that was set, and then was the same again."""

    excursions: list[Life]
    """From its last sign of life by the right clock to the first one by the right clock again."""
    holes: list[Life]
    """The same, where it measured nothing else in between, if only as it slept then."""


def find_returns(eras: Sequence[Era]) -> Returns:
    """Find the returns of one worker's eras, in order. An excursion within an excursion is part of it."""
    found, number = Returns([], []), 0
    while number < len(eras):
        before, again = eras[number], number + 1
        while again < len(eras) and abs(eras[again].stepped - before.stepped) > SAME_CLOCK:
            again += 1
        if again == len(eras):
            number += 1
            continue
        span = Life(before.life.end, eras[again].life.start)
        (found.excursions if again > number + 1 else found.holes).append(span)
        number = again
    return found


def common_spans(excursions: Iterable[Life]) -> list[Life]:
    """Intersect all that met the same excursion: who ended meanwhile cannot know it of itself."""
    result: list[Life] = []
    until = 0
    for start, end in sorted(excursions):
        if result and start < until:
            result[-1] = Life(max(result[-1].start, start), min(result[-1].end, end))
            until = max(until, end)
        else:
            result.append(Life(start, end))
            until = end
    return [one for one in result if one.start < one.end]


def shown_twice(steps: Iterable[Life], returns: Iterable[Returns]) -> list[Life]:
    """Find the times that the clock showed twice; nobody is known to have watched in them.

    Of a clock that was slow for a while, and is the same again, what it showed before is right.
    """
    spans = [span for one in returns for span in (*one.excursions, *one.holes)]
    return [
        Life(min((one.start for one in spans if start <= one.start < end <= one.end), default=start), end)
        for start, end in steps
    ]
