"""Half-open stretches of time that carry a value, and laying several such lines over each other."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from reporting.domain.instants import Millis


class Segment[T](NamedTuple):
    """`value` holds in [start, end)."""

    start: Millis
    end: Millis
    value: T


class Period(NamedTuple):
    """[start, end)."""

    start: Millis
    end: Millis

    @property
    def length(self) -> Millis:
        return self.end - self.start


def overlay(period: Period, lines: Sequence[Sequence[Segment[Any]]]) -> Iterator[tuple[Millis, Millis, list[Any]]]:
    """Cut `period` wherever a line changes; each piece comes with the value of every line, None where it has none.

    A line's segments are sorted and do not overlap. The pieces fill the period without gap or overlap.
    """
    start, end = period
    cuts = {start, end}
    for line in lines:
        for segment in line:
            if start < segment[0] < end:
                cuts.add(segment[0])
            if start < segment[1] < end:
                cuts.add(segment[1])
    at = [0] * len(lines)
    for left, right in pairwise(sorted(cuts)):
        values: list[Any] = []
        for number, line in enumerate(lines):
            index = at[number]
            while index < len(line) and line[index][1] <= left:
                index += 1
            at[number] = index
            values.append(line[index][2] if index < len(line) and line[index][0] <= left else None)
        yield left, right, values


def value_at[T](line: Sequence[Segment[T]], instant: Millis) -> Segment[T] | None:
    """The segment that holds at `instant`."""
    return next((segment for segment in reversed(line) if segment.start <= instant < segment.end), None)
