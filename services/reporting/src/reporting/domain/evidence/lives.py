"""When workers watched: signs of life as intervals, so that a hole is a hole for good.

A heartbeat says that its worker watched without a hole from `awake_since` to `alive_at`. Their union is a worker's
lives; the order in which heartbeats arrive, their repetition, and how long they were under way do not matter. What a
worker says in one life holds at most to the end of that life: after a hole it must be said anew.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reporting.domain.instants import Millis


class Life(NamedTuple):
    """The worker watched in [start, end)."""

    start: Millis
    end: Millis


def life_of(alive_at: Millis, awake_since: Millis | None, allowance: Millis) -> Life:
    """Compute what one sign of life vouches for: since `awake_since`, or else for the allowance of one heartbeat."""
    start = alive_at - allowance if awake_since is None else awake_since
    return Life(min(start, alive_at), alive_at)


def union(lives: Iterable[Life]) -> list[Life]:
    """Sorted, without overlap; lives that touch are one."""
    result: list[Life] = []
    for start, end in sorted(lives):
        if result and start <= result[-1].end:
            result[-1] = Life(result[-1].start, max(result[-1].end, end))
        else:
            result.append(Life(start, end))
    return result


def without_gaps(lives: Sequence[Life], gaps: Sequence[Life]) -> list[Life]:
    """Cut the time in which facts were lost out of the lives: what was said before such a gap ends there."""
    left = list(lives)
    for gap in gaps_of(gaps):
        left = [
            part
            for life in left
            for part in (Life(life.start, min(life.end, gap.start)), Life(max(life.start, gap.end), life.end))
            if part.start < part.end
        ]
    return sorted(left)


def gaps_of(gaps: Iterable[Life]) -> list[Life]:
    """Sorted, without overlap. One between two facts of one moment has no length, and still ends what was said
    before."""
    return union(Life(gap.start, max(gap.end, gap.start + 1)) for gap in gaps)


def presumed(lives: Sequence[Life], now: Millis, grace: Millis) -> list[Life]:
    """Presume a worker heard of within `grace` alive now; one silent for longer lived up to its last sign."""
    if not lives or now > lives[-1].end + grace:
        return list(lives)
    return [*lives[:-1], Life(lives[-1].start, max(lives[-1].end, now + 1))]


def presumption(grace: Millis, at: Millis, now: Millis) -> Millis:
    """Compute what is left of the grace at an instant of the past: who is silent for longer by now was so then."""
    return max(0, grace - (now - at))


def life_at(lives: Sequence[Life], at: Millis) -> Life | None:
    """Find the life that holds at `at`, None without any."""
    for life in reversed(lives):
        if life[0] <= at:
            return life if at < life[1] else None
    return None
