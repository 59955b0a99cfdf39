"""What a facility says itself: the safety briefing and the access of a team; somebody else records it by its document.

The letter (3.1, 3.2) gives both to the facility and the agency that manages it (R16, R21).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, Self

from pydantic import AwareDatetime, Field, model_validator

from inventory.domain.fields import Fields, Name

RECORDED_BY = "Who recorded it by its document; null: the facility's own word."


class Word(NamedTuple):
    """Something that a facility says: who said it and when, the document that stands for it, and who recorded it."""

    fields: tuple[str, ...]
    """What is said; the first names who said it."""
    document: tuple[str, ...]
    """Number, day and file; empty: nobody records it for the facility."""
    recorded_by: str
    """The column of who recorded it by its document; None: it is the facility's own word."""
    english: str
    vietnamese: str


BRIEFING = Word(
    ("briefed_by", "briefed_at"),
    ("briefing_document", "briefing_signed_on", "briefing_file"),
    "briefing_recorded_by",
    "the safety briefing",
    "việc phổ biến an toàn",
)
ACCESS = Word(
    ("access_given_by", "access_from", "access_to"),
    ("access_document", "access_signed_on", "access_file"),
    "access_recorded_by",
    "the access of the team",
    "việc bố trí cho đoàn vào làm việc",
)
ANSWER = Word(
    ("answers",),
    ("document_number", "signed_on", "document_file"),
    "recorded_by",
    "an answer to a request for information",
    "câu trả lời yêu cầu cung cấp thông tin",
)
APPOINTMENT = Word(
    ("full_name", "facility_id", "position", "phone", "email", "unit", "valid_from", "valid_to"),
    ("appointment_document", "appointment_signed_on", "appointment_file"),
    "recorded_by",
    "who its focal point is (R17)",
    "việc cử cán bộ đầu mối (R17)",
)
DECLARATION = Word(
    ("form",),
    (),
    "",
    "the declaration of a site",
    "việc tự kê khai hiện trạng",
)
BRIEFING_HEADINGS: Mapping[str, str] = {
    "briefing_document": "Số văn bản về hướng dẫn an toàn",
    "briefing_signed_on": "Ngày văn bản về hướng dẫn an toàn",
    "briefing_file": "Tệp văn bản về hướng dẫn an toàn",
}
ACCESS_HEADINGS: Mapping[str, str] = {
    "access_given_by": "Người xác nhận cho vào",
    "access_from": "Được vào từ",
    "access_to": "Được vào đến",
    "access_document": "Số văn bản cho vào",
    "access_signed_on": "Ngày văn bản cho vào",
    "access_file": "Tệp văn bản cho vào",
}


class BriefingDocument(Fields):
    """The document of a briefing that somebody else records."""

    briefing_document: Name | None = Field(
        default=None, description="Number of the document that stands for the facility's word on the briefing."
    )
    briefing_signed_on: date | None = Field(default=None, description="Day on that document.")
    briefing_file: Name | None = Field(default=None, description="Name of its file.")

    @model_validator(mode="after")
    def _briefing_document_is_whole(self) -> Self:
        _check_document(self, BRIEFING)
        return self


class Access(Fields):
    """When a team may come in, as the facility or its managing agency confirms it (R21)."""

    access_given_by: Name | None = Field(default=None, description="Who confirms that the team may come in.")
    access_from: AwareDatetime | None = None
    access_to: AwareDatetime | None = None
    access_document: Name | None = Field(
        default=None, description="Number of the document that stands for the facility's word on the access."
    )
    access_signed_on: date | None = Field(default=None, description="Day on that document.")
    access_file: Name | None = Field(default=None, description="Name of its file.")

    @model_validator(mode="after")
    def _access_is_whole(self) -> Self:
        given = {name for name in ACCESS.fields if getattr(self, name) is not None}
        if given and given != set(ACCESS.fields):
            msg = "access_given_by, access_from and access_to go together"
            raise ValueError(msg)
        if self.access_from is not None and self.access_to is not None and self.access_to <= self.access_from:
            msg = "access_to must be later than access_from"
            raise ValueError(msg)
        _check_document(self, ACCESS)
        return self


def _check_document(given: Any, word: Word) -> None:
    """Raise ValueError for a document without its number, day or file."""
    present = [name for name in word.document if getattr(given, name) is not None]
    if present and len(present) < len(word.document):
        msg = f"{', '.join(word.document)} go together: a document has its number, its day and its file"
        raise ValueError(msg)


def find_said(word: Word, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a write says the word anew. Taking it back says nothing."""
    if after.get(word.fields[0]) is None:
        return False
    return any(before.get(name) != after.get(name) for name in (*word.fields, *word.document))


def has_document(word: Word, after: Mapping[str, Any]) -> bool:
    """Whether a document stands for the word."""
    return all(after.get(name) is not None for name in word.document)


def lies_outside(access: tuple[Any, Any], planned: tuple[Any, Any]) -> bool:
    """Whether a visit is planned for another time than the one that was confirmed."""
    return None not in access and None not in planned and (planned[1] < access[0] or planned[0] > access[1])
