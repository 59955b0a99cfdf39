"""Who can end it that a centre does not receive a camera: us, the centre, the camera, the line, or nobody knows.

A centre is named only on proof that it could have received, and without one nobody knows. The rule is one for every
delivery, pulled or pushed.
"""

from collections.abc import Iterator, Mapping, Sequence

from reporting.domain.evidence.claims import Status
from reporting.domain.instants import Millis
from reporting.domain.segments import Period, Segment, overlay
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility

_OURS = frozenset({DeliveryState.STOPPED.value, DeliveryState.DISABLED.value, DeliveryState.RELEASED.value})
_OUR_CAUSES = frozenset(
    cause.value
    for cause in (Cause.SECRET_UNREADABLE, Cause.SECRET_MOVED, Cause.INTERNAL_ERROR, Cause.TRANSPORT_UNSUPPORTED)
)
_OF_THE_LINE = frozenset({Cause.ROUTE.value})
_OF_EITHER = frozenset({Cause.DNS.value, Cause.TIMEOUT.value})
"""Of a camera that cannot be had: whether it or its line is down, nobody can know from one camera."""


def party_of(status: Status | None) -> Responsibility:
    """Who can end it. `status`: as the delivery's forwarder showed it; None where none did."""
    if status is None:
        return Responsibility.UNKNOWN
    state, cause, _ = status
    if state == DeliveryState.WAITING_FOR_CAMERA.value:
        if cause is None or cause in _OF_EITHER:
            return Responsibility.UNKNOWN
        return Responsibility.LINE if cause in _OF_THE_LINE else Responsibility.CAMERA
    if state in _OURS or cause in _OUR_CAUSES:
        return Responsibility.US
    return Responsibility.UNKNOWN


def divide(
    period: Period, lost: Sequence[Segment[bool]], statuses: Sequence[Segment[Status]]
) -> Iterator[tuple[Millis, Millis, Responsibility]]:
    """The time in which a delivery was not connected, with who can end it. Its lengths add up to that of `lost`."""
    for start, end, (away, status) in overlay(period, [lost, statuses]):
        if away:
            yield start, end, party_of(status)


def add_up(parts: Iterator[tuple[Millis, Millis, Responsibility]]) -> Mapping[Responsibility, Millis]:
    """The length of each party's time, in the order of the parties; those without any have 0."""
    sums = dict.fromkeys(Responsibility, 0)
    for start, end, party in parts:
        sums[party] += end - start
    return sums
