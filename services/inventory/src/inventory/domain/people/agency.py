"""Agencies: organisations with a part in the mandate and a validity period."""

from datetime import date

from pydantic import Field

from inventory.domain.fields import Code, Fields, Name, ValidTo
from vonggac.events.inventory import AgencyRole


class AgencyFields(Fields):
    """The fields of an agency."""

    code: Code
    name: Name
    role: AgencyRole = Field(description="The agency's role in the mandate.")
    valid_from: date | None = Field(default=None, description="First day the agency exists under this name.")
    valid_to: ValidTo = Field(default=None, description="Last day, included.")
