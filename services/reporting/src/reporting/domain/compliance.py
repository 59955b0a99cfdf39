"""The accounts of one camera over a period: where each millisecond went.

A camera complies at a moment iff its state is up and every required delivery is connected, where both roles, national
and provincial, must have one (R09, R10). Three-valued: one thing that is certainly wrong makes the moment
non-compliant, otherwise one unknown thing makes it unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reporting.domain.deliveries import PROVES, Standing
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


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery's course. `required` is False when it or its destination is switched off."""

    role: DestinationRole | None
    proof: str
    required: bool
    segments: Sequence[Segment[Standing]]


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

    def add(self, other: "Durations") -> None:
        for name in DURATION_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


DURATION_NAMES = tuple(Durations.__dataclass_fields__)


@dataclass(slots=True)
class DeliveryDurations:
    """connected + not_connected + maintenance + unknown is the period; `by_cause` divides not_connected."""

    connected: Millis = 0
    not_connected: Millis = 0
    maintenance: Millis = 0
    unknown: Millis = 0
    by_cause: dict[str, Millis] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """One camera over one period."""

    camera: Durations
    deliveries: tuple[DeliveryDurations, ...]


def connected(standing: Standing | None, proof: str) -> bool | None:
    """Whether a delivery in that standing is as its destination demands; None while unknown."""
    return None if standing is None else standing.state in PROVES[proof]


def account(
    period: Period,
    camera: Sequence[Segment[Seen]],
    deliveries: Sequence[DeliveryLine],
    maintenance: Sequence[Segment[bool]],
) -> Account:
    """Account for every millisecond of `period`. All lines are sorted and free of overlap."""
    result = Account(Durations(period=period.length), tuple(DeliveryDurations() for _ in deliveries))
    for start, end, values in overlay(period, [maintenance, camera, *(line.segments for line in deliveries)]):
        length = end - start
        if values[0]:
            result.camera.maintenance += length
            for durations in result.deliveries:
                durations.maintenance += length
        else:
            _add(result, length, values[1], values[2:], deliveries)
    return result


def _add(
    result: Account,
    length: Millis,
    seen: Seen | None,
    standings: Sequence[Standing | None],
    deliveries: Sequence[DeliveryLine],
) -> None:
    state = seen.state if seen is not None else CameraState.UNKNOWN
    if state is CameraState.UP:
        result.camera.up += length
    elif state is CameraState.DOWN:
        result.camera.down += length
    else:
        result.camera.unknown += length
    for durations, line, standing in zip(result.deliveries, deliveries, standings, strict=True):
        _add_delivery(durations, length, standing, line.proof)
    national, provincial = role_connections(deliveries, standings)
    _add_connection(result.camera, length, national, provincial)
    verdict = complies(state, national, provincial)
    if verdict is None:
        result.camera.compliance_unknown += length
    elif verdict:
        result.camera.compliant += length
    else:
        result.camera.non_compliant += length


def complies(state: CameraState, national: bool | None, provincial: bool | None) -> bool | None:
    """The conjunction of R10; None where it cannot be told."""
    if state is CameraState.DOWN or national is False or provincial is False:
        return False
    return True if state is CameraState.UP and national and provincial else None


def role_connections(
    deliveries: Sequence[DeliveryLine], standings: Sequence[Standing | None]
) -> tuple[bool | None, bool | None]:
    """Whether national and provincial centre have the camera: every required delivery of the role, at least one.

    A role without a required delivery is not connected: that is certain, not unknown.
    """
    found: dict[DestinationRole, list[bool | None]] = {DestinationRole.NATIONAL: [], DestinationRole.PROVINCIAL: []}
    for line, standing in zip(deliveries, standings, strict=True):
        if line.required and line.role is not None:
            found[line.role].append(connected(standing, line.proof))
    return _all(found[DestinationRole.NATIONAL]), _all(found[DestinationRole.PROVINCIAL])


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


def _add_connection(camera: Durations, length: Millis, national: bool | None, provincial: bool | None) -> None:
    name = connection_name(national, provincial)
    setattr(camera, name, getattr(camera, name) + length)


def _add_delivery(durations: DeliveryDurations, length: Millis, standing: Standing | None, proof: str) -> None:
    if standing is None:
        durations.unknown += length
    elif standing.state in PROVES[proof]:
        durations.connected += length
    else:
        durations.not_connected += length
        cause = standing.cause or NO_CAUSE
        durations.by_cause[cause] = durations.by_cause.get(cause, 0) + length
