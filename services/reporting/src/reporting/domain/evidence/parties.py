"""Who can end it that a centre does not receive a camera: us, the centre, the camera, the line, or nobody knows.

The rule is `vonggac.events.forwarder`, one for every delivery, pulled or pushed. A centre is named for the time
between two checks of ours that were good; before the first and after the last of them nobody knows.
"""

from collections.abc import Iterator, Mapping, Sequence

from reporting.domain.evidence.claims import Status
from reporting.domain.instants import Millis
from reporting.domain.segments import Period, Segment, overlay
from vonggac.events.causes import Cause
from vonggac.events.forwarder import Responsibility, find_responsible
from vonggac.events.inventory.serving import SelfCheckOutcome


def party_of(
    status: Status | None, check: SelfCheckOutcome | None = None, refused_for: str | None = None
) -> Responsibility:
    """Who can end it. `status`: as the delivery's forwarder showed it; None where none did.

    `refused_for`: why it refused the centre; of use only while it did.
    """
    if status is None:
        return Responsibility.UNKNOWN
    reason = refused_for if status.cause == Cause.REFUSED.value else None
    return find_responsible(status.state, status.cause, check=check, refused_for=reason)


def divide(
    period: Period,
    lost: Sequence[Segment[bool]],
    statuses: Sequence[Segment[Status]],
    checks: Sequence[Segment[SelfCheckOutcome]] = (),
    refusals: Sequence[Segment[str]] = (),
) -> Iterator[tuple[Millis, Millis, Responsibility]]:
    """Divide the time in which a delivery was not connected by who can end it. Its lengths add up to that of `lost`.

    `checks`: what those of its address agree on. `refusals`: why its centre was refused.
    """
    for start, end, (away, status, check, refused_for) in overlay(period, [lost, statuses, checks, refusals]):
        if away:
            yield start, end, party_of(status, check, refused_for)


def add_up(parts: Iterator[tuple[Millis, Millis, Responsibility]]) -> Mapping[Responsibility, Millis]:
    """Add up the length of each party's time, in the order of the parties; those without any have 0."""
    sums = dict.fromkeys(Responsibility, 0)
    for start, end, party in parts:
        sums[party] += end - start
    return sums
