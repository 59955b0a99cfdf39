"""The five parts of time: where each millisecond of one camera and its deliveries went.

Out of scope comes first, then maintenance, then what was observed: up, down or unknown. The parts of a period add up to
it, always.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from reporting.domain.compliance import complies, connection_name, role_connections
from reporting.domain.evidence.claims import Status
from reporting.domain.evidence.proven import NOTHING_PROVEN, Piece, Proven, pieces
from reporting.domain.instants import Millis
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState
from vonggac.events.inventory import DestinationRole


class Seen(NamedTuple):
    """A camera's state in a segment; `since` is when it began, maybe before the segment.

    `repeated`: more than one probe saw it so, the last at `last_at`. `by_forwarder`: it is `up` by a keyframe that the
    forwarder gave, not by a session of the prober's own.
    """

    state: CameraState
    cause: str | None
    since: Millis
    repeated: bool = True
    last_at: Millis = 0
    by_forwarder: bool = False


class DeliveryLine(NamedTuple):
    """How one delivery stood. `required` is False while it or its destination is switched off, or it does not exist."""

    role: DestinationRole | None
    proof: str
    required: bool
    segments: Sequence[Segment[Status]]
    proven: Proven = NOTHING_PROVEN

    @property
    def pieces(self) -> list[Piece]:
        """When it was connected as demanded, and when not and why; in between it is unknown."""
        return pieces(self.proof, self.segments, self.proven)


@dataclass(slots=True)
class Durations:
    """Where the time of cameras went, in milliseconds. Three partitions of `period`:

    up + down + maintenance + unknown + out_of_scope;
    compliant + non_compliant + compliance_unknown + maintenance + out_of_scope;
    both + national_only + provincial_only + neither + connection_unknown + maintenance + out_of_scope.
    """

    period: Millis = 0
    up: Millis = 0
    down: Millis = 0
    maintenance: Millis = 0
    unknown: Millis = 0
    out_of_scope: Millis = 0
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
        # Name by name: thousands are added for a report, and a loop over names costs three times as much.
        self.period += other.period
        self.up += other.up
        self.down += other.down
        self.maintenance += other.maintenance
        self.unknown += other.unknown
        self.out_of_scope += other.out_of_scope
        self.compliant += other.compliant
        self.non_compliant += other.non_compliant
        self.compliance_unknown += other.compliance_unknown
        self.both += other.both
        self.national_only += other.national_only
        self.provincial_only += other.provincial_only
        self.neither += other.neither
        self.connection_unknown += other.connection_unknown


DURATION_NAMES = tuple(Durations.__dataclass_fields__)
_lengths: Callable[[Durations], tuple[Millis, ...]] = attrgetter(*DURATION_NAMES)
_INDEX = {name: index for index, name in enumerate(DURATION_NAMES)}
_PERIOD = _INDEX["period"]


@dataclass(slots=True)
class DeliveryDurations:
    """connected + not_connected + maintenance + unknown + out_of_scope is the period; `by_cause` divides
    not_connected."""

    connected: Millis = 0
    not_connected: Millis = 0
    maintenance: Millis = 0
    unknown: Millis = 0
    out_of_scope: Millis = 0
    by_cause: dict[str, Millis] = field(default_factory=dict)

    def add(self, other: "DeliveryDurations") -> None:
        self.connected += other.connected
        self.not_connected += other.not_connected
        self.maintenance += other.maintenance
        self.unknown += other.unknown
        self.out_of_scope += other.out_of_scope
        for cause, length in other.by_cause.items():
            self.by_cause[cause] = self.by_cause.get(cause, 0) + length


LEDGER_NAMES = ("connected", "not_connected", "maintenance", "unknown", "out_of_scope")
"""The partition of DeliveryDurations, in its order."""
_LEDGER = {name: index for index, name in enumerate(LEDGER_NAMES)}


class Account(NamedTuple):
    """One camera over one period."""

    camera: Durations
    deliveries: tuple[DeliveryDurations, ...]


def out_of_scope(period: Period, deliveries: int) -> Account:
    """Build the account of a camera that is not counted, with so many deliveries."""
    length = period.length
    ledgers = tuple([DeliveryDurations(out_of_scope=length) for _ in range(deliveries)])
    return Account(Durations(period=length, out_of_scope=length), ledgers)


def not_known(period: Period, named: Sequence[bool]) -> Account:
    """Build the account of a camera of which nobody knows what the register demanded; `named`: which of its deliveries
    may have been demanded. Neither charged nor excused."""
    length = period.length
    ledgers = tuple(
        [DeliveryDurations(unknown=length) if one else DeliveryDurations(out_of_scope=length) for one in named]
    )
    return Account(Durations(length, unknown=length, compliance_unknown=length, connection_unknown=length), ledgers)


def account(
    period: Period,
    camera: Sequence[Segment[Seen]],
    deliveries: Sequence[DeliveryLine],
    maintenance: Sequence[Segment[bool]],
) -> Account:
    """Account for every millisecond of `period`, in which the camera is in scope and its plan stays the same.

    All lines are sorted and free of overlap. Moments of the same codes are added up first: there are few kinds of
    moments, and each is entered once.
    """
    lengths: dict[tuple[Any, ...], Millis] = {}
    for start, end, values in overlay(period, _lines(camera, deliveries, maintenance)):
        codes = tuple(values)
        lengths[codes] = lengths.get(codes, 0) + end - start
    plan = _plan(deliveries)
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
        DeliveryDurations(sums[at], sums[at + 1], sums[at + 2], sums[at + 3], sums[at + 4], causes)
        for at, causes in zip(range(first, len(sums), len(LEDGER_NAMES)), by_cause, strict=True)
    ]
    return Account(Durations(*sums[:first]), tuple(ledgers))


def _lines(
    camera: Sequence[Segment[Seen]], deliveries: Sequence[DeliveryLine], maintenance: Sequence[Segment[bool]]
) -> list[Iterable[tuple[Millis, Millis, Any]]]:
    # `_value_` is the field behind an enum's `value`, which is a function: a report asks a hundred thousand times.
    seen = [(start, end, seen[0]._value_) for start, end, seen in camera]
    return [maintenance, seen, *(line.pieces for line in deliveries)]


type _Plan = tuple[tuple[DestinationRole | None, bool], ...]


def _plan(deliveries: Sequence[DeliveryLine]) -> _Plan:
    return tuple([(line.role, line.required) for line in deliveries])


type CameraKind = tuple[str, ...]
"""The names of Durations that a moment counts for: one of each partition, or the one that all of them share."""
type DeliveryKind = tuple[str, str | None]
"""The name of DeliveryDurations that a moment counts for, and the cause where it is not connected."""


class Kinds(NamedTuple):
    """What a moment counts for. A camera's moments are of a few dozen kinds, a delivery's of as many as causes."""

    camera: CameraKind
    deliveries: tuple[DeliveryKind, ...]


def nothing_counted(deliveries: int) -> Kinds:
    """Build a moment out of scope, of a camera with so many deliveries."""
    return Kinds(("out_of_scope",), (("out_of_scope", None),) * deliveries)


def nothing_known(named: Sequence[bool]) -> Kinds:
    """Build the moment of `not_known`."""
    names = tuple([("unknown" if one else "out_of_scope", None) for one in named])
    return Kinds(("unknown", "compliance_unknown", "connection_unknown"), names)


def kinds(
    period: Period,
    camera: Sequence[Segment[Seen]],
    deliveries: Sequence[DeliveryLine],
    maintenance: Sequence[Segment[bool]],
) -> list[Segment[Kinds]]:
    """List what `account` adds up, moment by moment and without gaps: its sums are the lengths of these segments."""
    plan = _plan(deliveries)
    return [
        Segment(start, end, _kinds(plan, tuple(values)))
        for start, end, values in overlay(period, _lines(camera, deliveries, maintenance))
    ]


@lru_cache(maxsize=100_000)
def _kinds(plan: _Plan, codes: tuple[Any, ...]) -> Kinds:
    entries, found = _entries(plan, codes)
    first, causes = len(DURATION_NAMES), dict(found)
    camera = tuple(DURATION_NAMES[entry] for entry in entries if entry < first)
    names = [LEDGER_NAMES[(entry - first) % len(LEDGER_NAMES)] for entry in entries if entry >= first]
    return Kinds(camera, tuple([(name, causes.get(number)) for number, name in enumerate(names)]))


type _Entries = tuple[tuple[int, ...], tuple[tuple[int, str], ...]]
"""Which sums a moment goes into, and under which cause it counts for which delivery."""


@lru_cache(maxsize=100_000)
def _entries(plan: _Plan, codes: tuple[Any, ...]) -> _Entries:
    """One sum of each partition. Few combinations exist, so each is decided once."""
    agreed, state, *connections = codes
    ledgers = range(len(DURATION_NAMES), len(DURATION_NAMES) + len(LEDGER_NAMES) * len(plan), len(LEDGER_NAMES))
    if agreed:
        names = ["maintenance" if required else "out_of_scope" for _, required in plan]
        return (_INDEX["maintenance"], *_ledger_entries(ledgers, names)), ()
    verdict_state = CameraState.UNKNOWN if state is None else CameraState(state)
    statuses = [None if code is None else code is True for code in connections]
    national, provincial = role_connections(plan, statuses)
    verdict = complies(verdict_state, national, provincial)
    compliance = "compliance_unknown" if verdict is None else "compliant" if verdict else "non_compliant"
    camera = _INDEX[verdict_state.value], _INDEX[compliance], _INDEX[connection_name(national, provincial)]
    names = [
        "out_of_scope" if not required else "unknown" if one is None else "connected" if one else "not_connected"
        for one, (_, required) in zip(statuses, plan, strict=True)
    ]
    causes = tuple(
        (number, code) for number, code in enumerate(connections) if isinstance(code, str) and plan[number][1]
    )
    return (*camera, *_ledger_entries(ledgers, names)), causes


def _ledger_entries(ledgers: Iterable[int], names: Iterable[str]) -> list[int]:
    return [ledger + _LEDGER[name] for ledger, name in zip(ledgers, names, strict=True)]
