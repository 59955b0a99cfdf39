"""Units and facilities."""

from inventory.domain.places.facility import HEADINGS as FACILITY_HEADINGS
from inventory.domain.places.facility import FacilityFields, asks_reason
from inventory.domain.places.unit import HEADINGS as UNIT_HEADINGS
from inventory.domain.places.unit import UnitFields
from inventory.nouns.noun import Noun
from inventory.nouns.units import UnitWriter, check_unit
from inventory.storage.tables import Facility, Unit
from vonggac.events.inventory import FacilityV1, UnitV1

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
    payload=FacilityV1,
    headings=FACILITY_HEADINGS,
    references={"unit_id": "unit", "managing_agency_id": "agency"},
    filters=("code", "type", "status", "unit_id", "managing_agency_id", "restricted"),
    sorts=("code", "name", "type", "status", "beds"),
    searched_through=("unit_id", "managing_agency_id"),
    asks_reason=asks_reason,
)
