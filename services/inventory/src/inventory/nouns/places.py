"""Units and facilities."""

from inventory.domain.places.coverage import HEADINGS as COVERAGE_HEADINGS
from inventory.domain.places.coverage import CoverageFields
from inventory.domain.places.facility import HEADINGS as FACILITY_HEADINGS
from inventory.domain.places.facility import FacilityFields, asks_reason
from inventory.domain.places.lifecycle import FACILITY as FACILITY_STATES
from inventory.domain.places.unit import HEADINGS as UNIT_HEADINGS
from inventory.domain.places.unit import UnitFields
from inventory.nouns.facilities import (
    FacilityResponse,
    FacilityWithOfficer,
    check_decision,
    facility_guards,
    with_officer,
    without_focal_point,
)
from inventory.nouns.noun import Filter, Noun
from inventory.nouns.units import UnitWriter, check_unit
from inventory.storage.tables import Coverage, Facility, Unit
from vonggac.events.inventory import CoverageV1, FacilityV1, UnitV1

UNIT = Noun(
    name="unit",
    path="units",
    vietnamese="đơn vị hành chính",
    group="places",
    about="Administrative units of three levels, with their validity and succession.",
    table=Unit,
    fields=UnitFields,
    payload=UnitV1,
    headings=UNIT_HEADINGS,
    key=("level", "code", "valid_from"),
    references={"parent_id": "unit"},
    mentions={"succeeds.unit_id": "unit"},
    filters=("code", "level", "parent_id"),
    sorts=("code", "name", "level"),
    check=check_unit,
    writer=UnitWriter(),
)

FACILITY = Noun(
    name="facility",
    path="facilities",
    vietnamese="cơ sở cách ly",
    group="places",
    about="Quarantine facilities with their status (R23).",
    table=Facility,
    fields=FacilityFields,
    shown=FacilityResponse,
    item=FacilityWithOfficer,
    expand=with_officer,
    shows_others=True,
    payload=FacilityV1,
    headings=FACILITY_HEADINGS,
    references={"unit_id": "unit", "managing_agency_id": "agency"},
    filters=("code", "type", "status", "unit_id", "managing_agency_id", "restricted"),
    more_filters={"without_focal_point": Filter(bool, without_focal_point)},
    sorts=("code", "name", "type", "status", "beds"),
    machine=FACILITY_STATES,
    guards=facility_guards,
    check=check_decision,
    searched_through=("unit_id", "managing_agency_id"),
    asks_reason=asks_reason,
)

COVERAGE = Noun(
    name="coverage",
    path="coverages",
    vietnamese="khu vực được giám sát",
    group="places",
    about="The verdict about each area that a facility has to watch (R07).",
    table=Coverage,
    fields=CoverageFields,
    payload=CoverageV1,
    headings=COVERAGE_HEADINGS,
    key=("facility_id", "area"),
    label="area",
    references={"facility_id": "facility"},
    filters=("facility_id", "area", "verdict"),
    sorts=("facility_id", "area", "verdict"),
    searched_through=("facility_id",),
)
