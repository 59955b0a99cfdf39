"""How one camera stands now, in the words of the accounts: its state, both roles, and whether it complies."""

from collections.abc import Sequence
from typing import NamedTuple

from reporting.domain.compliance import connection_name
from reporting.domain.instants import Millis
from reporting.domain.scope import Camera, Delivery, Facility, Named, Reason
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import Moment, StateNow
from vonggac.events.inventory import DestinationRole

OUT_OF_SCOPE = CameraState.OUT_OF_SCOPE.value
NOT_THERE = frozenset({Reason.NOT_YET, Reason.REMOVED, Reason.ELSEWHERE})
"""A camera that is not on record now has no present."""
CONNECTED, NOT_CONNECTED, UNKNOWN = "connected", "not_connected", "unknown"


class RoleNow(NamedTuple):
    """How the deliveries that the plan demands for a role stand; the one shown is the worst of them.

    `connected` is of all of them: False where the plan has none, None while unknown.
    """

    connected: bool | None
    deliveries: int
    delivery_id: str | None = None
    destination: Named | None = None
    required_proof: str | None = None
    state: StateNow | None = None


class Reached(NamedTuple):
    """One delivery of the plan of now. `word`: connected, not_connected, unknown or out_of_scope."""

    destination: Named
    role: str | None
    word: str


class Row(NamedTuple):
    """One camera that is on record now."""

    id: str
    code: str
    name: str
    facility: Facility
    camera: StateNow
    confirmed: StateNow
    national: RoleNow
    provincial: RoleNow
    compliant: bool | None
    deliveries: tuple[Reached, ...]

    @property
    def is_out_of_scope(self) -> bool:
        return self.camera.state == OUT_OF_SCOPE

    @property
    def connection(self) -> str:
        """both, national_only, provincial_only, neither or connection_unknown; of one out of scope: that word."""
        if self.is_out_of_scope:
            return OUT_OF_SCOPE
        return connection_name(self.national.connected, self.provincial.connected)

    @property
    def lacking_since(self) -> Millis | None:
        """Since when a centre that the plan names has not received it, or nobody knows whether it has.

        None: both receive it, it is out of scope, or the beginning is not known.
        """
        if self.is_out_of_scope:
            return None
        lacking = (one.state for one in (self.national, self.provincial) if one.connected is not True)
        return min((state.since for state in lacking if state is not None and state.since is not None), default=None)

    @property
    def verdict(self) -> str:
        """compliant, non_compliant, compliance_unknown; of one out of scope: that word."""
        if self.is_out_of_scope:
            return OUT_OF_SCOPE
        if self.compliant is None:
            return "compliance_unknown"
        return "compliant" if self.compliant else "non_compliant"


def is_there(camera: Camera) -> bool:
    """Whether the camera is on record now."""
    absence = camera.pieces[-1].value.absence if camera.pieces else None
    return absence is None or absence.reason not in NOT_THERE


def row_of(camera: Camera, now: Moment) -> Row:
    """Build the row of a camera that is on record now."""
    piece = camera.pieces[-1].value
    named = {one.id for one in piece.deliveries}
    gone = now.camera.state == OUT_OF_SCOPE
    found = [
        (planned, state, connected)
        for planned, state, connected in zip(camera.deliveries, now.deliveries, now.connected, strict=True)
        if planned.id in named
    ]
    reached = tuple(
        [
            Reached(planned.destination, planned.role, _word(connected, off=gone or not planned.enabled))
            for planned, _, connected in found
        ]
    )
    return Row(
        id=camera.id,
        code=camera.code,
        name=camera.name,
        facility=piece.facility,
        camera=now.camera,
        confirmed=now.confirmed,
        national=_role(DestinationRole.NATIONAL, found, now.national),
        provincial=_role(DestinationRole.PROVINCIAL, found, now.provincial),
        compliant=now.compliant,
        deliveries=reached,
    )


type _Found = Sequence[tuple[Delivery, StateNow, bool | None]]


def _role(role: DestinationRole, found: _Found, connected: bool | None) -> RoleNow:
    of_role = [one for one in found if one[0].role == role.value and one[0].enabled]
    if not of_role:
        return RoleNow(connected, 0)
    planned, state, _ = min(of_role, key=lambda one: _BADNESS[one[2]])
    return RoleNow(connected, len(of_role), planned.id, planned.destination, planned.required_proof, state)


_BADNESS = {False: 0, None: 1, True: 2}


def _word(connected: bool | None, *, off: bool) -> str:
    if off:
        return OUT_OF_SCOPE
    if connected is None:
        return UNKNOWN
    return CONNECTED if connected else NOT_CONNECTED
