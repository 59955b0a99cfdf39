"""Teams of the operator and their members (R14)."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import Code, Fields, Name, Phone, ValidTo

HEADINGS: Mapping[str, str] = {
    "code": "Mã tổ",
    "name": "Tên tổ",
    "agency_id": "Mã cơ quan",
    "valid_from": "Từ ngày",
    "valid_to": "Đến ngày",
}
MEMBER_HEADINGS: Mapping[str, str] = {
    "team_id": "Mã tổ",
    "full_name": "Họ và tên",
    "position": "Chức vụ",
    "phone": "Số điện thoại",
    "valid_from": "Từ ngày",
    "valid_to": "Đến ngày",
}


class TeamFields(Fields):
    """A team that surveys and connects."""

    code: Code
    name: Name
    agency_id: UUID = Field(description="The operator, or whoever sends the team.")
    valid_from: date | None = None
    valid_to: ValidTo = None


class TeamMemberFields(Fields):
    """One person of a team, for a period."""

    team_id: UUID
    full_name: Name = Field(description="In one field, as written.")
    position: Name
    phone: Phone | None = None
    valid_from: date | None = None
    valid_to: ValidTo = None
