"""Units and facilities."""

from inventory.domain.places.district import HEADINGS as DISTRICT_HEADINGS
from inventory.domain.places.district import DistrictFields
from inventory.domain.places.facility import HEADINGS as FACILITY_HEADINGS
from inventory.domain.places.facility import FacilityFields, asks_reason
from inventory.nouns.noun import Noun
from inventory.storage.tables import District, Facility
from vonggac.events.inventory import DistrictV1, FacilityV1

DISTRICT = Noun(
    name="district",
    path="districts",
    vietnamese="huyện",
    group="places",
    about="District-level units.",
    table=District,
    fields=DistrictFields,
    payload=DistrictV1,
    headings=DISTRICT_HEADINGS,
    filters=("code",),
    sorts=("code", "name"),
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
    references={"district_id": "district", "managing_agency_id": "agency"},
    filters=("code", "type", "status", "district_id", "managing_agency_id", "restricted"),
    sorts=("code", "name", "type", "status", "beds"),
    searched_through=("district_id", "managing_agency_id"),
    asks_reason=asks_reason,
)
