"""The shapes of the present, and rows in them."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from reporting.domain.instants import VIETNAM, Millis, to_local
from reporting.domain.scope import Facility
from reporting.reports.accounts import StateNow
from reporting.reports.present.counts import CONFIRMED_NAMES, COUNT_NAMES, Group, Present
from reporting.reports.present.rows import RoleNow, Row
from vonggac.events.inventory import FacilityType
from vonggac.http.lists import PageOf

type Proofs = Mapping[str, tuple[datetime, float | None]]
"""When the newest read-back of a delivery matched, and its delay."""
Connection = Literal["both", "national_only", "provincial_only", "neither", "unknown", "out_of_scope"]


class StateCounts(BaseModel):
    """Cameras by state; they add up to all."""

    up: int
    down: int
    maintenance: int
    unknown: int
    out_of_scope: int


class CameraCounts(StateCounts):
    """Cameras by how they stand now. Three times a partition of `total`, each with `out_of_scope`: the states; both,
    national_only, provincial_only, neither, connection_unknown; compliant, non_compliant, compliance_unknown."""

    total: int
    national_connected: int
    provincial_connected: int
    both: int
    national_only: int
    provincial_only: int
    neither: int
    connection_unknown: int
    compliant: int
    non_compliant: int
    compliance_unknown: int


class FacilityCounts(BaseModel):
    """Facilities that are counted now."""

    total: int
    with_cameras: int
    without_cameras: int


class CauseCount(BaseModel):
    """Cameras in a state for a cause."""

    state: str
    cause: str
    cameras: int


class GroupCounts(BaseModel):
    """One unit, agency, type (id is null) or facility."""

    id: UUID | None
    code: str | None
    name: str | None
    facilities: int
    facilities_with_cameras: int
    cameras: CameraCounts


class FacilityGroup(GroupCounts):
    """One facility, and whose it is."""

    type: FacilityType
    restricted: bool
    unit_id: UUID
    unit_code: str | None
    agency_id: UUID
    agency_code: str | None
    lacking_since: datetime | None = Field(
        description="Since when a centre that the plan names has lacked one of its cameras, or nobody knows: the "
        "longest of them."
    )


class DestinationCounts(BaseModel):
    """Deliveries to one destination that the plan of now demands, by whether it receives as it demands."""

    id: UUID
    code: str | None
    name: str | None
    role: str | None
    deliveries: int
    connected: int
    not_connected: int
    unknown: int
    out_of_scope: int


class PresentResponse(BaseModel):
    """How all stands now, for this reader."""

    as_of: datetime = Field(description="The moment of which all of this is.")
    version: str = Field(description="Changes with every change of it. Of one process: another one has others.")
    narrowed: bool = Field(description="Whether this reader does not see every facility.")
    cameras: CameraCounts
    confirmed: StateCounts = Field(description="By confirmed state: down is confirmed by a second failed probe.")
    facilities: FacilityCounts
    by_cause: list[CauseCount]
    by_unit: list[GroupCounts]
    by_agency: list[GroupCounts]
    by_type: list[GroupCounts]
    by_facility: list[FacilityGroup]
    by_destination: list[DestinationCounts]


class RoleResponse(BaseModel):
    """How the deliveries to one centre stand; of several the worst one is shown."""

    connected: bool | None = Field(
        description="All that the plan demands; false where it has none, null while unknown."
    )
    deliveries: int = Field(description="How many the plan demands now.")
    delivery_id: UUID | None
    destination_id: UUID | None
    destination_code: str | None
    required_proof: str | None
    state: str | None
    cause: str | None
    since: datetime | None
    verified_at: datetime | None = Field(description="When a read-back last gave the camera's picture.")
    delay_s: float | None


class PresentCamera(BaseModel):
    """How one camera stands now."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    facility_id: UUID
    facility_code: str
    facility_name: str
    facility_type: FacilityType
    restricted: bool
    unit_id: UUID
    unit_code: str | None
    unit_name: str | None
    agency_id: UUID
    agency_code: str | None
    agency_name: str | None
    state: str = Field(description="up, down, maintenance, unknown, out_of_scope.")
    cause: str | None
    since: datetime | None = Field(description="null: longer than is known.")
    confirmed_state: str
    confirmed_cause: str | None
    confirmed_since: datetime | None
    national: RoleResponse
    provincial: RoleResponse
    connection: Connection
    compliant: bool | None = Field(description="null while unknown, and out of scope.")


class PresentCameras(PageOf[PresentCamera]):
    """A page of cameras as they stand now."""

    as_of: datetime
    version: str
    narrowed: bool


def to_local_or_none(at: Millis | None) -> datetime | None:
    """Convert the moment to Vietnam time; None stays None."""
    return None if at is None else to_local(at)


def counts(cameras: Counter[str]) -> dict[str, int]:
    """All names of `CameraCounts`."""
    return {name: cameras[name] for name in COUNT_NAMES}


def present(found: Present) -> dict[str, Any]:
    """`PresentResponse` without what is of the board."""
    total, sums = found.total, found.sums
    without = total.facilities - total.facilities_with_cameras
    causes = sorted(sums.causes.items(), key=lambda one: (-one[1], one[0][0], one[0][1] or ""))
    return {
        "cameras": counts(total.cameras),
        "confirmed": {name: sums.confirmed[name] for name in CONFIRMED_NAMES},
        "facilities": {
            "total": total.facilities,
            "with_cameras": total.facilities_with_cameras,
            "without_cameras": without,
        },
        "by_cause": [{"state": state, "cause": cause, "cameras": count} for (state, cause), count in causes],
        "by_unit": [_group(one) for one in found.by_unit],
        "by_agency": [_group(one) for one in found.by_agency],
        "by_type": [_group(one) for one in found.by_type],
        "by_facility": [_facility(one, group) for one, group in found.by_facility],
        "by_destination": _destinations(found),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "code": group.code,
        "name": group.name,
        "facilities": group.facilities,
        "facilities_with_cameras": group.facilities_with_cameras,
        "cameras": counts(group.cameras),
    }


def _facility(one: Facility, group: Group) -> dict[str, Any]:
    return {
        **_group(group),
        "type": one.type,
        "restricted": one.restricted,
        "unit_id": one.unit.id,
        "unit_code": one.unit.code,
        "agency_id": one.agency.id,
        "agency_code": one.agency.code,
        "lacking_since": to_local_or_none(group.lacking_since),
    }


def _destinations(found: Present) -> list[dict[str, Any]]:
    lines: dict[UUID, dict[str, Any]] = {}
    for (destination, role, word), count in found.sums.destinations.items():
        words = dict.fromkeys(("deliveries", "connected", "not_connected", "unknown", "out_of_scope"), 0)
        line = lines.setdefault(destination.id, {**destination._asdict(), "role": role, **words})
        line[word] += count
        line["deliveries"] += count
    return sorted(lines.values(), key=lambda line: (line["role"] or "\uffff", line["code"] or "", str(line["id"])))


def camera(row: Row, proofs: Proofs | None = None) -> PresentCamera:
    """Convert a row to its shape. `proofs`: of its deliveries."""
    place = row.facility
    fields = {
        "camera_id": UUID(row.id),
        "camera_code": row.code,
        "camera_name": row.name,
        "facility_id": place.id,
        "facility_code": place.code,
        "facility_name": place.name,
        "facility_type": FacilityType(place.type),
        "restricted": place.restricted,
        "unit_id": place.unit.id,
        "unit_code": place.unit.code,
        "unit_name": place.unit.name,
        "agency_id": place.agency.id,
        "agency_code": place.agency.code,
        "agency_name": place.agency.name,
        **_state(row.camera),
        **_state(row.confirmed, "confirmed_"),
        "national": _role(row.national, proofs or {}),
        "provincial": _role(row.provincial, proofs or {}),
        "connection": "unknown" if row.connection == "connection_unknown" else row.connection,
        "compliant": row.compliant,
    }
    # Checked where they were made: a page has a thousand.
    return PresentCamera.model_construct(**fields)


def _state(state: StateNow | None, prefix: str = "") -> dict[str, Any]:
    if state is None:
        return {f"{prefix}state": None, f"{prefix}cause": None, f"{prefix}since": None}
    return {
        f"{prefix}state": state.state,
        f"{prefix}cause": state.cause,
        f"{prefix}since": to_local_or_none(state.since),
    }


def _role(role: RoleNow, proofs: Proofs) -> RoleResponse:
    at, delay_s = proofs.get(role.delivery_id or "", (None, None))
    fields = {
        "connected": role.connected,
        "deliveries": role.deliveries,
        "delivery_id": None if role.delivery_id is None else UUID(role.delivery_id),
        "destination_id": None if role.destination is None else role.destination.id,
        "destination_code": None if role.destination is None else role.destination.code,
        "required_proof": role.required_proof,
        **_state(role.state),
        "verified_at": None if at is None else at.astimezone(VIETNAM),
        "delay_s": delay_s,
    }
    return RoleResponse.model_construct(**fields)
