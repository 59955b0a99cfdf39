"""Half-open stretches of time that carry a value, and laying several such lines over each other."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from reporting.domain.instants import Millis


class Segment[T](NamedTuple):
    """`value` holds in [start, end)."""

    start: Millis
    end: Millis
    value: T


type _Piece = tuple[Millis, Millis, list[Any]]
_time_of = itemgetter(0)


class Period(NamedTuple):
    """[start, end)."""

    start: Millis
    end: Millis

    @property
    def length(self) -> Millis:
        return self.end - self.start


def overlay(period: Period, lines: Sequence[Iterable[tuple[Millis, Millis, Any]]]) -> Iterator[_Piece]:
    """Cut `period` wherever a line changes; each piece comes with the value of every line, None where it has none.

    A line's segments are sorted and do not overlap. The pieces fill the period without gap or overlap. The list of
    values is the same object every time, changed in place: read it before taking the next piece.
    """
    start, end = period
    values: list[Any] = [None] * len(lines)
    changes: list[tuple[Millis, int, Any]] = []
    for number, line in enumerate(lines):
        until = start
        for left, right, value in line:
            if right <= start or left >= end:
                continue
            if left <= start:
                values[number] = value
            else:
                if start < until < left:
                    changes.append((until, number, None))
                changes.append((left, number, value))
            until = right
        if start < until < end:
            changes.append((until, number, None))
    changes.sort(key=_time_of)
    at = start
    for time, number, value in changes:
        if time > at:
            yield at, time, values
            at = time
        values[number] = value
    yield at, end, values


def value_at[T](line: Sequence[Segment[T]], instant: Millis) -> Segment[T] | None:
    """The segment that holds at `instant`."""
    for segment in reversed(line):
        if segment[0] <= instant:
            return segment if instant < segment[1] else None
    return None
