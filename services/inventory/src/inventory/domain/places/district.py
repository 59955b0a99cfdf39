"""District-level units with a validity period."""

from datetime import date

from pydantic import Field

from inventory.domain.fields import Code, Fields, Line, Name, ValidTo


class DistrictFields(Fields):
    """The fields of a district-level unit."""

    code: Code = Field(description="Official code of the unit, as text for its leading zeros.")
    name: Name
    valid_from: date | None = Field(default=None, description="First day of the unit.")
    valid_to: ValidTo = Field(default=None, description="Last day, included.")
    legal_basis: Line | None = Field(default=None, description="Decision that founded or dissolved the unit.")
