"""Half-open stretches of time that carry a value, and laying several such lines over each other."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

from reporting.domain.instants import HOUR, Millis, millis, moment


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


class Step(StrEnum):
    """How long the parts of a series are."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def series(period: Period, step: Step, zone: tzinfo) -> list[Period]:
    """List the hours, days, weeks (from Monday) or months of `zone` that the period touches, cut to it."""
    result: list[Period] = []
    at = period.start
    while at < period.end:
        until = min(_next_border(at, step, zone), period.end)
        result.append(Period(at, until))
        at = until
    return result


def _next_border(at: Millis, step: Step, zone: tzinfo) -> Millis:
    local = moment(at).astimezone(zone)
    if step is Step.HOUR:
        # Of absolute time: an hour that the clock repeats is another hour.
        offset = (local.utcoffset() or timedelta()) // timedelta(milliseconds=1)
        return at + HOUR - (at + offset) % HOUR
    first = local.date()
    match step:
        case Step.DAY:
            following = first + timedelta(days=1)
        case Step.WEEK:
            following = first + timedelta(days=7 - first.weekday())
        case Step.MONTH:
            following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return millis(datetime(following.year, following.month, following.day, tzinfo=zone))


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
    """Find the segment that holds at `instant`, None without any."""
    for segment in reversed(line):
        if segment[0] <= instant:
            return segment if instant < segment[1] else None
    return None
