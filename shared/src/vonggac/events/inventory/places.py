"""Units and facilities."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from vonggac.events.envelope import MESSAGE
from vonggac.events.inventory.state import State


class UnitLevel(StrEnum):
    """Level of an administrative unit; from 01/7/2025 there are no districts."""

    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"


class EarlierUnit(BaseModel):
    """A unit that another one follows."""

    model_config = MESSAGE

    unit_id: UUID
    kind: str = Field(description="merged, split, renamed or moved.")


class UnitV1(State):
    """An administrative unit; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.unit.v1"
    code: str = Field(description="Official code of the unit at that time; text, for its leading zeros.")
    name: str
    level: UnitLevel = UnitLevel.DISTRICT
    parent_id: UUID | None = Field(default=None, description="The unit that it belongs to.")
    valid_from: date | None = None
    valid_to: date | None = None
    succeeds: tuple[EarlierUnit, ...] = Field(default=(), description="The units that it follows.")


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


OUT_OF_SERVICE = frozenset({FacilityStatus.SUSPENDED, FacilityStatus.CLOSED})
"""Facilities of which nothing is probed or forwarded."""


class FacilityV1(State):
    """A quarantine facility; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.facility.v1"
    code: str
    name: str
    type: FacilityType
    status: FacilityStatus
    unit_id: UUID
    managing_agency_id: UUID
    beds: int | None = Field(default=None, description="Capacity.")
    occupancy: int | None = Field(default=None, description="People in it, as one total.")
    restricted: bool = Field(default=False, description="Military site: its address and streams are not for others.")
    address: str | None = Field(
        default=None, description="As it is written; that of a restricted one is not published."
    )

    founded_on: date | None = Field(
        default=None, description="Day of the decision that founds it, else its first day in force."
    )

    @field_validator("address")
    @classmethod
    def _not_of_restricted(cls, given: str | None, info: ValidationInfo) -> str | None:
        return None if info.data.get("restricted") else given


class CoverageVerdict(StrEnum):
    """Of one area of one facility (R07)."""

    COVERED = "covered"
    NOT_COVERED = "not_covered"
    NOT_APPLICABLE = "not_applicable"


class CoverageV1(State):
    """What was found of one area that a facility has to watch (R07); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.coverage.v1"
    facility_id: UUID
    area: str
    verdict: CoverageVerdict
    reason: str | None = Field(default=None, description="Why the area does not apply.")
    cameras_needed: int = 0
