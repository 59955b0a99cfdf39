"""Quarantine facilities (R23)."""

from datetime import date
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import Code, Fields, Line, Name
from vonggac.events.inventory import FacilityStatus, FacilityType


class FacilityFacts(Fields):
    """The fields of a facility, without its unit and agency."""

    code: Code
    name: Name
    type: FacilityType
    status: FacilityStatus = FacilityStatus.ACTIVE
    address: Line | None = None
    beds: int | None = Field(default=None, ge=0, le=100_000, description="Capacity in beds.")
    decision_number: Name | None = Field(default=None, description="Decision that founds the facility.")
    decision_date: date | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90, description="Degrees, WGS 84.")
    longitude: float | None = Field(default=None, ge=-180, le=180, description="Degrees, WGS 84.")
    restricted: bool = Field(default=False, description="Military site: its address and streams are restricted.")


class FacilityFields(FacilityFacts):
    """A facility with its unit and its managing agency."""

    unit_id: UUID
    managing_agency_id: UUID
