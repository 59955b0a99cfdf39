"""Teams of the operator and their members (R14)."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Name, Phone

HEADINGS: Mapping[str, str] = {
    "code": "Mã tổ",
    "name": "Tên tổ",
    "agency_id": "Mã cơ quan",
    **PERIOD_HEADINGS,
}
MEMBER_HEADINGS: Mapping[str, str] = {
    "team_id": "Mã tổ",
    "full_name": "Họ và tên",
    "position": "Chức vụ",
    "phone": "Số điện thoại",
    **PERIOD_HEADINGS,
}


class TeamFields(Dated):
    """A team that surveys and connects."""

    code: Code
    name: Name
    agency_id: UUID = Field(description="The operator, or whoever sends the team.")


class TeamMemberFields(Dated):
    """One person of a team, for a period."""

    team_id: UUID
    full_name: Name = Field(description="In one field, as written.")
    position: Name
    phone: Phone | None = None
