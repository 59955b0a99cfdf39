"""Agencies: organisations with a part in the mandate and a validity period."""

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Name
from vonggac.events.inventory import AgencyRole

HEADINGS = {"code": "Mã cơ quan", "name": "Tên cơ quan", "role": "Vai trò", **PERIOD_HEADINGS}


class AgencyFields(Dated):
    """The fields of an agency."""

    code: Code
    name: Name
    role: AgencyRole = Field(description="The agency's role in the mandate.")
