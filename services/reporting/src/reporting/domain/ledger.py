"""The ledger: cumulative sums at local midnights, so that a period is a difference and a year costs what a day costs.

Sums are counted from ORIGIN, where nothing was in scope: those of a camera add up to the time since then, always. A row
stands only where something changed. Its `kind` says how the thing stood at that midnight: until the next row all time
is of that kind, so a midnight without a row of its own follows from the last one before it.

The ledger is derived from runs and claims and never a second truth.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

from reporting.domain.instants import HOUR, Millis
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES, CameraKind, DeliveryKind
from reporting.domain.segments import Period, Segment

type Day = int
"""Days since 1970-01-01; the midnight that begins it, in Vietnam, is meant."""

DAY: Millis = 24 * HOUR
OFFSET: Millis = 7 * HOUR
EPOCH_DATE = date(1970, 1, 1)
ORIGIN: Day = (date(2021, 1, 1) - EPOCH_DATE).days
"""Before the first camera. Time before it is accounted directly."""

CAMERA_SUMS = DURATION_NAMES[1:]
"""Columns of a camera's row; the period follows from the day."""

CAMERA_KINDS: tuple[CameraKind, ...] = (
    ("out_of_scope",),
    ("maintenance",),
    *product(
        ("up", "down", "unknown"),
        ("compliant", "non_compliant", "compliance_unknown"),
        ("both", "national_only", "provincial_only", "neither", "connection_unknown"),
    ),
)
"""Stored by their place in this list, which therefore never changes."""
KIND_CODES: Mapping[CameraKind, int] = {kind: code for code, kind in enumerate(CAMERA_KINDS)}
NOT_COUNTED = KIND_CODES[("out_of_scope",)]


class Change[K](NamedTuple):
    """At the midnight that begins `day`: what time each kind has had since the line began, and the kind from here."""

    day: Day
    lengths: Mapping[K, Millis]
    kind: K


def midnight(day: Day) -> Millis:
    """Compute the instant at which the local day begins."""
    return day * DAY - OFFSET


def day_of(instant: Millis) -> Day:
    """Compute the local day that `instant` lies in."""
    return (instant + OFFSET) // DAY


def days_within(period: Period) -> tuple[Day, Day]:
    """Find the first local day that the period touches, and the first after it that it does not."""
    return day_of(period.start), day_of(period.end - 1) + 1


def date_of(day: Day) -> date:
    """Convert a numbered day to its date."""
    return EPOCH_DATE + timedelta(days=day)


def number_of(given: date) -> Day:
    """Convert a date to its numbered day, the inverse of `date_of`."""
    return (given - EPOCH_DATE).days


class Cut(NamedTuple):
    """A period as whole local days [first, last) that stand in the ledger, and what is left at its ends.

    The ledger has all days before `closed`. There may be no whole day (`within`): what is left then lies in the day
    before `first`, or after `closed`.
    """

    first: Day
    last: Day
    parts: tuple[Period, ...]
    closed: Day

    @property
    def before(self) -> Period | None:
        """What is left before its first whole day."""
        return next((part for part in self.parts if part.end <= midnight(self.first)), None)

    @property
    def after(self) -> Period | None:
        """What is left after its last whole day."""
        return next((part for part in self.parts if part.start >= midnight(self.last)), None)


def cut(period: Period, closed_until: Day | None) -> Cut | None:
    """How the ledger divides a period; None where it holds no whole day of it."""
    if closed_until is None:
        return None
    first, last = day_of(period.start - 1) + 1, min(day_of(period.end), closed_until)
    if first >= last or first < ORIGIN:
        return None
    ends = (Period(period.start, midnight(first)), Period(midnight(last), period.end))
    return Cut(first, last, tuple(part for part in ends if part.length), closed_until)


def within(period: Period, closed_until: Day | None) -> Cut | None:
    """How the ledger helps with a period that lies in one closed day, or in the open ones; None where it does not.

    A closed day that ends without a row is of one kind, and so is each part of it. After the last midnight of the
    ledger, what nothing happened to stands as it stood then.
    """
    if closed_until is None or closed_until < ORIGIN:
        return None
    first = day_of(period.start)
    if first >= closed_until:
        return Cut(closed_until, closed_until, (period,), closed_until)
    if first < ORIGIN or period.end > midnight(first + 1):
        return None
    return Cut(first + 1, first + 1, (period,), closed_until)


def joined[K](line: Iterable[Segment[K]]) -> list[Segment[K]]:
    """Neighbours of one kind as one."""
    result: list[Segment[K]] = []
    for segment in line:
        if result and result[-1].value == segment.value:
            result[-1] = Segment(result[-1].start, segment.end, segment.value)
        else:
            result.append(segment)
    return result


def changes[K](line: Sequence[Segment[K]], current: K) -> list[Change[K]]:
    """Where rows must stand, of a line of whole days without gaps, after a row from which all time is `current`."""
    lengths: dict[K, Millis] = {}
    result: list[Change[K]] = []
    for start, end, kind in line:
        at = start
        while at < end:
            day = day_of(at)
            if kind == current and at == midnight(day) and end - at >= DAY:
                until = midnight(day_of(end))
            else:
                until = min(end, midnight(day + 1))
            lengths[kind] = lengths.get(kind, 0) + until - at
            if until == midnight(day + 1) and not (kind == current and at == midnight(day)):
                result.append(Change(day + 1, dict(lengths), kind))
                current = kind
            at = until
    return result


def camera_sums(lengths: Mapping[CameraKind, Millis]) -> list[Millis]:
    """Compute what time of each kind adds to the columns of a camera's row."""
    sums = dict.fromkeys(CAMERA_SUMS, 0)
    for kind, length in lengths.items():
        for name in kind:
            sums[name] += length
    return list(sums.values())


def delivery_sums(lengths: Mapping[DeliveryKind, Millis]) -> tuple[list[Millis], dict[str, Millis]]:
    """Compute what time of each kind adds to the columns of a delivery's row, and to its causes."""
    sums, causes = dict.fromkeys(LEDGER_NAMES, 0), dict[str, Millis]()
    for (name, cause), length in lengths.items():
        sums[name] += length
        if cause is not None:
            causes[cause] = causes.get(cause, 0) + length
    return list(sums.values()), causes
