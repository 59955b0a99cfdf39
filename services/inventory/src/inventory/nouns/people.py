"""Agencies and focal points."""

from inventory.domain.people.agency import HEADINGS as AGENCY_HEADINGS
from inventory.domain.people.agency import AgencyFields
from inventory.domain.people.focal_point import HEADINGS as FOCAL_POINT_HEADINGS
from inventory.domain.people.focal_point import FocalPointFields
from inventory.nouns.noun import Noun
from inventory.storage.tables import Agency, FocalPoint
from vonggac.events.inventory import AgencyV1, FocalPointV1

AGENCY = Noun(
    name="agency",
    path="agencies",
    vietnamese="cơ quan",
    group="people",
    about="The agencies of the mandate, each with its role.",
    table=Agency,
    fields=AgencyFields,
    payload=AgencyV1,
    headings=AGENCY_HEADINGS,
    filters=("code", "role"),
    sorts=("code", "name", "role"),
)

FOCAL_POINT = Noun(
    name="focal_point",
    path="focal-points",
    vietnamese="cán bộ đầu mối",
    group="people",
    about="The officers who answer for facilities (R17); predecessors stay on record.",
    table=FocalPoint,
    fields=FocalPointFields,
    payload=FocalPointV1,
    headings=FOCAL_POINT_HEADINGS,
    label="full_name",
    key=("facility_id", "full_name", "valid_from"),
    references={"facility_id": "facility"},
    filters=("facility_id",),
    sorts=("full_name", "valid_from"),
    searched_through=("facility_id",),
)
