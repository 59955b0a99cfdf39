"""The accounts of one camera over a period: where each millisecond went.

A camera complies at a moment iff its state is up and every required delivery is connected, where both roles, national
and provincial, must have one (R09, R10). Three-valued: one thing that is certainly wrong makes the moment
non-compliant, otherwise one unknown thing makes it unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from reporting.domain.claims import PROVES, Status
from reporting.domain.instants import Millis
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState
from vonggac.events.inventory import DestinationRole

NO_CAUSE = "none"
"""Key of not-connected time whose state carries no cause, such as `connecting`."""


class Seen(NamedTuple):
    """A camera's state in a segment; `since` is when it began, maybe before the segment."""

    state: CameraState
    cause: str | None
    since: Millis


class DeliveryLine(NamedTuple):
    """One delivery's course. `required` is False when it or its destination is switched off."""

    role: DestinationRole | None
    proof: str
    required: bool
    segments: Sequence[Segment[Status]]


@dataclass(slots=True)
class Durations:
    """Where the time of cameras went, in milliseconds. Three partitions of `period`:

    up + down + maintenance + unknown; compliant + non_compliant + maintenance + compliance_unknown;
    both + national_only + provincial_only + neither + maintenance + connection_unknown.
    """

    period: Millis = 0
    up: Millis = 0
    down: Millis = 0
    maintenance: Millis = 0
    unknown: Millis = 0
    compliant: Millis = 0
    non_compliant: Millis = 0
    compliance_unknown: Millis = 0
    both: Millis = 0
    national_only: Millis = 0
    provincial_only: Millis = 0
    neither: Millis = 0
    connection_unknown: Millis = 0

    @property
    def lengths(self) -> tuple[Millis, ...]:
        """All of them, in the order of DURATION_NAMES."""
        return _lengths(self)

    def add(self, other: "Durations") -> None:
        for name in DURATION_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


DURATION_NAMES = tuple(Durations.__dataclass_fields__)
_lengths: Callable[[Durations], tuple[Millis, ...]] = attrgetter(*DURATION_NAMES)
_INDEX = {name: index for index, name in enumerate(DURATION_NAMES)}
_PERIOD = _INDEX["period"]


@dataclass(slots=True)
class DeliveryDurations:
    """connected + not_connected + maintenance + unknown is the period; `by_cause` divides not_connected."""

    connected: Millis = 0
    not_connected: Millis = 0
    maintenance: Millis = 0
    unknown: Millis = 0
    by_cause: dict[str, Millis] = field(default_factory=dict)


LEDGER_NAMES = ("connected", "not_connected", "maintenance", "unknown")
"""The partition of DeliveryDurations, in its order."""
_LEDGER = {name: index for index, name in enumerate(LEDGER_NAMES)}


class Account(NamedTuple):
    """One camera over one period."""

    camera: Durations
    deliveries: tuple[DeliveryDurations, ...]


def connected(status: Status | None, proof: str) -> bool | None:
    """Whether a delivery in that status is as its destination demands; None while unknown."""
    return None if status is None else status.state in PROVES[proof]


def account(
    period: Period,
    camera: Sequence[Segment[Seen]],
    deliveries: Sequence[DeliveryLine],
    maintenance: Sequence[Segment[bool]],
) -> Account:
    """Account for every millisecond of `period`. All lines are sorted and free of overlap.

    Moments of the same codes are added up first: there are few kinds of moments, and each is entered once.
    """
    lines: list[Iterable[tuple[Millis, Millis, Any]]] = [
        maintenance,
        # `_value_` is the field behind an enum's `value`, which is a function: a report asks a hundred thousand times.
        [(start, end, seen[0]._value_) for start, end, seen in camera],
        *map(_codes, deliveries),
    ]
    lengths: dict[tuple[Any, ...], Millis] = {}
    for start, end, values in overlay(period, lines):
        codes = tuple(values)
        lengths[codes] = lengths.get(codes, 0) + end - start
    plan = tuple([(line.role, line.required) for line in deliveries])
    sums = [0] * (len(DURATION_NAMES) + len(LEDGER_NAMES) * len(deliveries))
    by_cause: list[dict[str, Millis]] = [{} for _ in deliveries]
    for codes, length in lengths.items():
        entries, causes = _entries(plan, codes)
        for entry in entries:
            sums[entry] += length
        for number, cause in causes:
            by_cause[number][cause] = by_cause[number].get(cause, 0) + length
    sums[_PERIOD] = period.length
    first = len(DURATION_NAMES)
    ledgers = [
        DeliveryDurations(sums[at], sums[at + 1], sums[at + 2], sums[at + 3], causes)
        for at, causes in zip(range(first, len(sums), len(LEDGER_NAMES)), by_cause, strict=True)
    ]
    return Account(Durations(*sums[:first]), tuple(ledgers))


type _Code = bool | str | None
"""A piece of a delivery's line: True connected, a cause not connected, None unknown."""


def _codes(line: DeliveryLine) -> list[tuple[Millis, Millis, _Code]]:
    proving = PROVES[line.proof]
    return [
        (start, end, True if status[0] in proving else status[1] or NO_CAUSE) for start, end, status in line.segments
    ]


type _Entries = tuple[tuple[int, ...], tuple[tuple[int, str], ...]]
"""Which sums a moment goes into, and under which cause it counts for which delivery."""


@lru_cache(maxsize=100_000)
def _entries(plan: tuple[tuple[DestinationRole | None, bool], ...], codes: tuple[Any, ...]) -> _Entries:
    """One sum of each partition. Few combinations exist, so each is decided once."""
    agreed, state, *connections = codes
    ledgers = range(len(DURATION_NAMES), len(DURATION_NAMES) + len(LEDGER_NAMES) * len(plan), len(LEDGER_NAMES))
    if agreed:
        return (_INDEX["maintenance"], *(ledger + _LEDGER["maintenance"] for ledger in ledgers)), ()
    verdict_state = CameraState.UNKNOWN if state is None else CameraState(state)
    statuses = [None if code is None else code is True for code in connections]
    national, provincial = role_connections(plan, statuses)
    verdict = complies(verdict_state, national, provincial)
    compliance = "compliance_unknown" if verdict is None else "compliant" if verdict else "non_compliant"
    camera = _INDEX[verdict_state.value], _INDEX[compliance], _INDEX[connection_name(national, provincial)]
    names = ["unknown" if one is None else "connected" if one else "not_connected" for one in statuses]
    causes = tuple((number, code) for number, code in enumerate(connections) if isinstance(code, str))
    return (*camera, *(ledger + _LEDGER[name] for ledger, name in zip(ledgers, names, strict=True))), causes


def complies(state: CameraState, national: bool | None, provincial: bool | None) -> bool | None:
    """The conjunction of R10; None where it cannot be warned."""
    if state is CameraState.DOWN or national is False or provincial is False:
        return False
    return True if state is CameraState.UP and national and provincial else None


def role_connections(
    plan: Sequence[tuple[DestinationRole | None, bool]], connections: Sequence[bool | None]
) -> tuple[bool | None, bool | None]:
    """Whether national and provincial centre have the camera: every required delivery of the role, at least one.

    `plan` is role and required of each delivery, `connections` whether it is connected. A role without a required
    delivery is not connected: that is certain, not unknown.
    """
    national: list[bool | None] = []
    provincial: list[bool | None] = []
    for (role, required), connection in zip(plan, connections, strict=True):
        if required and role is DestinationRole.NATIONAL:
            national.append(connection)
        elif required and role is DestinationRole.PROVINCIAL:
            provincial.append(connection)
    return _all(national), _all(provincial)


def connection_name(national: bool | None, provincial: bool | None) -> str:
    """The field of Durations that a moment counts for: both, national_only, provincial_only, neither or unknown."""
    if national is None or provincial is None:
        return "connection_unknown"
    return _CONNECTION[national, provincial]


_CONNECTION: Mapping[tuple[bool, bool], str] = {
    (True, True): "both",
    (True, False): "national_only",
    (False, True): "provincial_only",
    (False, False): "neither",
}


def _all(values: list[bool | None]) -> bool | None:
    if not values or False in values:
        return False
    return None if None in values else True
