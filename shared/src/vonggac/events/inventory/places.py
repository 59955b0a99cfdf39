"""Units and facilities."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from vonggac.events.inventory.state import State


class DistrictV1(State):
    """A district-level unit; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.district.v1"
    code: str = Field(description="Official code of the unit at that time; text, for its leading zeros.")
    name: str
    valid_from: date | None = None
    valid_to: date | None = None


class FacilityType(StrEnum):
    """Kind of quarantine facility."""

    MILITARY = "military"
    HEALTH = "health"
    SCHOOL = "school"
    DORMITORY = "dormitory"
    PUBLIC_BUILDING = "public_building"
    HOTEL = "hotel"
    FIELD_HOSPITAL = "field_hospital"
    FACTORY = "factory"


class FacilityStatus(StrEnum):
    """Lifecycle (R23)."""

    PLANNED = "planned"
    APPROVED = "approved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class FacilityV1(State):
    """A quarantine facility; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.facility.v1"
    code: str
    name: str
    type: FacilityType
    status: FacilityStatus
    district_id: UUID
    managing_agency_id: UUID
    restricted: bool = Field(default=False, description="Military site: its address and streams are not for others.")
