"""Shapes that several answers share: a facility with the names of then, and the numbers of a line of the board."""

from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from reporting.domain.mandate.progress import COUNT_NAMES, Counts
from reporting.domain.percentages import rounded
from reporting.domain.scope import Facility, Named
from vonggac.events.inventory import FacilityType


class NamedResponse(BaseModel):
    """A unit or an agency under the code and name that it had at the instant; null while only its id is known."""

    id: UUID
    code: str | None
    name: str | None


class FacilityAtResponse(BaseModel):
    """A facility as it was at the instant."""

    id: UUID
    code: str
    name: str
    type: FacilityType
    restricted: bool
    unit: NamedResponse
    agency: NamedResponse


class ProgressFigures(BaseModel):
    """A line of the board. Facilities are counted while they are approved or active; every number is how many rows
    say so."""

    facilities: int = Field(description="Approved or active.")
    with_cameras: int
    without_cameras: int
    surveyed: int = Field(description="With an approved survey (R03).")
    plan_agreed: int = Field(description="With a connection plan in force (R04).")
    plan_excepted: int = Field(description="Forwarded by an exception, without an agreed plan.")
    connected_national: int = Field(
        description="Every camera of a required area is up and at the national centre, as that centre demands it."
    )
    connected_provincial: int = Field(description="The same at the provincial centre.")
    connected_both: int
    connection_unknown: int = Field(description="Nobody could look; never counted as connected nor as not.")
    sufficient: int = Field(description="No required area is uncovered (R07).")
    insufficient: int = Field(description="An area was found uncovered, or lost its camera.")
    unassessed: int = Field(description="Neither: some required areas are not assessed.")
    overdue: int = Field(description="With an obligation that is overdue.")
    blocked: int = Field(description="With a reason on record why it cannot be connected.")
    without_focal_point: int = Field(description="Nobody is in office as focal point on the day (R17).")
    planned: int = Field(description="Facilities that are not counted: planned.")
    suspended: int = Field(description="Facilities that are not counted: suspended.")
    closed: int = Field(description="Facilities that are not counted: closed.")
    cameras: int = Field(description="Cameras of the counted facilities, also those switched off.")
    cameras_in_scope: int
    cameras_national: int
    cameras_provincial: int
    cameras_both: int
    cameras_unknown: int
    cameras_needed: int = Field(description="Cameras still to be installed in the areas that were found uncovered.")
    blocked_by: dict[str, int] = Field(description="Facilities by kind of reason; one may have several.")
    facilities_both_percent: float | None = Field(description="Of the counted facilities; unrounded.")
    facilities_both_percent_rounded: str | None
    cameras_both_percent: float | None = Field(description="Of the cameras in scope; unrounded.")
    cameras_both_percent_rounded: str | None


class ProgressLine(ProgressFigures):
    """One unit, agency or type (its id is null)."""

    id: UUID | None
    code: str | None
    name: str | None


class UnitLine(ProgressLine):
    """One unit, under the name of then."""

    ended_on: date | None = Field(description="Its last day, where it was known then to end.")
    succeeded_by: list[NamedResponse] = Field(description="The units that follow it, as far as they were known then.")


def facility_shape(one: Facility) -> FacilityAtResponse:
    return FacilityAtResponse(
        id=one.id,
        code=one.code,
        name=one.name,
        type=FacilityType(one.type),
        restricted=one.restricted,
        unit=named_shape(one.unit),
        agency=named_shape(one.agency),
    )


def named_shape(one: Named) -> NamedResponse:
    return NamedResponse(id=one.id, code=one.code, name=one.name)


def figures_of(counts: Counts) -> dict[str, Any]:
    """Build the fields of ProgressFigures."""
    facilities = _percent(counts.connected_both, counts.facilities)
    cameras = _percent(counts.cameras_both, counts.cameras_in_scope)
    plain = asdict(counts)
    return {
        **{name: plain[name] for name in COUNT_NAMES},
        "blocked_by": dict(sorted(counts.blocked_by.items())),
        "facilities_both_percent": facilities,
        "facilities_both_percent_rounded": rounded(facilities),
        "cameras_both_percent": cameras,
        "cameras_both_percent_rounded": rounded(cameras),
    }


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
