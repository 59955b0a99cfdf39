"""Whether a camera complies at a moment (R09, R10).

It does iff it is up and every required delivery is connected, where both roles, national and provincial, must have one.
Three-valued: one thing that is certainly wrong makes the moment non-compliant, otherwise one unknown thing makes it
unknown.
"""

from collections.abc import Mapping, Sequence

from reporting.domain.claims import PROVES, Status
from reporting.domain.timeline import CameraState
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import DestinationRole, RequiredProof

ACKNOWLEDGED = DeliveryState.ACKNOWLEDGED.value
VERIFIED = RequiredProof.VERIFIED.value


def connected(status: Status | None, proof: str, *, read_back_failed: bool = False) -> bool | None:
    """Whether a delivery in that status is as its destination demands; None while unknown.

    Where a read-back is demanded and media is only acknowledged, the delivery is not connected if a read-back was tried
    and failed. If nobody could look, it is unknown: a blind verifier makes nobody non-compliant.
    """
    if status is None:
        return None
    if status.state in PROVES[proof]:
        return True
    if proof == VERIFIED and status.state == ACKNOWLEDGED and not read_back_failed:
        return None
    return False


def complies(state: CameraState, national: bool | None, provincial: bool | None) -> bool | None:
    """The conjunction of R10; None where it is unknown."""
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
