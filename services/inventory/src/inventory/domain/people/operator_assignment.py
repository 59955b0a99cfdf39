"""Operator assignments: which operator connects the cameras of a province, and since when (R02)."""

from datetime import date
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import Fields, Line, ValidTo
from vonggac.events.inventory import AgencyRole, UnitLevel


class OperatorAssignmentFields(Fields):
    """One operator for one province in one period; the next operator is a new entry, so the history stays."""

    unit_id: UUID = Field(description="The province.")
    agency_id: UUID = Field(description="The operator: an agency of the role operator.")
    valid_from: date = Field(description="First day.")
    valid_to: ValidTo = Field(default=None, description="Last day, included; empty while it is in force.")
    document: Line | None = Field(default=None, description="The document that assigns it.")


HEADINGS = {
    "unit_id": "Mã tỉnh",
    "agency_id": "Mã đơn vị vận hành",
    "valid_from": "Từ ngày",
    "valid_to": "Đến ngày",
    "document": "Văn bản giao nhiệm vụ",
}
"""Headings of files, by column."""


def check_operator(role: AgencyRole) -> None:
    """Raise ValueError unless the agency is an operator."""
    if role is not AgencyRole.OPERATOR:
        msg = f"is an agency of the role {role}: give an agency of the role operator"
        raise ValueError(msg)


def check_province(level: UnitLevel) -> None:
    """Raise ValueError unless the unit is a province."""
    if level is not UnitLevel.PROVINCE:
        msg = f"is a unit of the level {level}: give a province"
        raise ValueError(msg)


def refuse_other_operator(assigned: str, other: str, day: date) -> tuple[str, str]:
    """Write the refusal of an operator that is not assigned, in English and Vietnamese. Both by code and name."""
    detail = (
        f"the operator that is assigned to the province of this facility on {day.isoformat()} is {assigned}: it alone "
        f"agrees, surveys and connects there, and {other} does not; name {assigned}, or end its assignment first"
    )
    vietnamese = (
        f"đơn vị vận hành được phân công cho tỉnh của cơ sở này ngày {day:%d/%m/%Y} là {assigned}: chỉ đơn vị đó thống "
        f"nhất, khảo sát và kết nối, {other} thì không; hãy ghi {assigned}, hoặc kết thúc phân công đó trước"
    )
    return detail, vietnamese
