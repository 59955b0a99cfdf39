"""Agencies: organisations with a part in the mandate and a validity period."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Name
from vonggac.events.inventory import AgencyRole

HEADINGS = {
    "code": "Mã cơ quan",
    "name": "Tên cơ quan",
    "role": "Vai trò",
    "parent_id": "Mã cơ quan cấp trên",
    "unit_id": "Mã địa bàn",
    "successor_id": "Mã cơ quan kế nhiệm",
    **PERIOD_HEADINGS,
}


class AgencyFields(Dated):
    """The fields of an agency."""

    code: Code
    name: Name
    role: AgencyRole = Field(description="The agency's role in the mandate.")
    parent_id: UUID | None = Field(default=None, description="The agency above it, such as the People's Committee.")
    unit_id: UUID | None = Field(default=None, description="The administrative unit it answers for.")
    successor_id: UUID | None = Field(default=None, description="The agency that has its work after `valid_to`.")

    @model_validator(mode="after")
    def _who_is_succeeded_has_ended(self) -> Self:
        if self.successor_id is not None and self.valid_to is None:
            msg = "successor_id needs valid_to, the last day on which the agency stood"
            raise ValueError(msg)
        return self
