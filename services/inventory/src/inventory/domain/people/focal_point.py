"""Focal points: the officer responsible for a facility's cameras (R17)."""

from datetime import date
from uuid import UUID

from pydantic import Field

from inventory.domain.fields import PERIOD_HEADINGS, Email, Fields, Line, Name, Phone, ValidTo

HEADINGS = {
    "facility_id": "Mã cơ sở",
    "full_name": "Họ và tên",
    "position": "Chức vụ",
    "phone": "Điện thoại",
    "email": "Email",
    "unit": "Đơn vị",
    "appointment_document": "Văn bản cử",
    "appointment_signed_on": "Ngày văn bản cử",
    "appointment_file": "Tệp văn bản cử",
    **PERIOD_HEADINGS,
}


class Person(Fields):
    """The officer of a facility: the four fields that the mandate demands."""

    full_name: Name = Field(description="In one field, as written.")
    position: Name
    phone: Phone
    email: Email | None = None


class FocalPointFields(Person):
    """A focal point of one facility for a period; a successor is a new entry, so the history stays."""

    facility_id: UUID
    unit: Name | None = Field(default=None, description="Unit the officer belongs to.")
    valid_from: date
    valid_to: ValidTo = Field(default=None, description="Last day, included; empty while in office.")
    appointment_document: Line | None = None
    appointment_signed_on: date | None = None
    appointment_file: Name | None = None
