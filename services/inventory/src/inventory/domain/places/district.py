"""District-level units with a validity period."""

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Line, Name

HEADINGS = {"code": "Mã huyện", "name": "Tên huyện", "legal_basis": "Căn cứ pháp lý", **PERIOD_HEADINGS}


class DistrictFields(Dated):
    """The fields of a district-level unit."""

    code: Code = Field(description="Official code of the unit, as text for its leading zeros.")
    name: Name
    legal_basis: Line | None = Field(default=None, description="Decision that founded or dissolved the unit.")
