"""The document of a step: its day, number and file, beside the day of entry. Lateness counts the day on paper."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from inventory.domain.fields import Fields, Name

PAPER_HEADINGS: Mapping[str, str] = {
    "signed_on": "Ngày văn bản",
    "document_number": "Số văn bản",
    "document_file": "Tệp văn bản",
    "document_sha256": "SHA-256 của văn bản",
}
PAPER = frozenset(PAPER_HEADINGS)
"""Fields that say what the document is; they may be recorded after the step."""
SHA256 = r"^[0-9a-f]{64}$"


class Paper(Fields):
    """The document that a step stands on. A day on paper needs its number, a file needs both."""

    signed_on: date | None = Field(
        default=None, description="Day on the document; lateness counts it, and not the day of entry."
    )
    document_number: Name | None = Field(default=None, description="Number and symbol of the document, as printed.")
    document_file: Name | None = Field(default=None, description="Name of the file of the signed document.")
    document_sha256: str | None = Field(
        default=None, pattern=SHA256, description="Of that file, 64 hexadecimal digits in lower case."
    )

    @model_validator(mode="after")
    def _paper_is_whole(self) -> Self:
        check_paper(self.signed_on, self.document_number, (self.document_file, self.document_sha256), "signed_on")
        return self


def check_paper(day: date | None, number: str | None, file: tuple[str | None, str | None], field: str) -> None:
    """Raise ValueError unless day and number, and name and digest of the file, go together. `field`: of the day."""
    if (day is None) != (number is None):
        number_field = "document_number" if field == "signed_on" else "acceptance_number"
        msg = f"{field} and {number_field} go together: a day on paper counts by its document, so give both or neither"
        raise ValueError(msg)
    if (file[0] is None) != (file[1] is None):
        msg = "the file of a document needs its name and its SHA-256: give both or neither"
        raise ValueError(msg)
    if file[0] is not None and day is None:
        msg = f"the file of a document needs {field} and its number too"
        raise ValueError(msg)


class Cause(NamedTuple):
    """What a document cannot be older than: its day, and what it is in both languages."""

    day: date
    english: str
    vietnamese: str


class WrongDay(NamedTuple):
    """Why a day on paper cannot be; both days stand in it, in both languages."""

    english: str
    vietnamese: str


def find_wrong_day(day: date, today: date, causes: tuple[Cause, ...]) -> WrongDay | None:
    """Why the day on paper cannot be: later than now, or before one of its causes. None: it can."""
    if day > today:
        return WrongDay(
            f"is {day.isoformat()}, a day to come, and it is {today.isoformat()} now: "
            "give the day on the document, never later than today",
            f"là ngày {in_vietnam(day)}, chưa tới, hôm nay là {in_vietnam(today)}: "
            "ghi ngày trên văn bản, không muộn hơn hôm nay",
        )
    for cause in sorted(causes, reverse=True):
        if day < cause.day:
            return WrongDay(
                f"is {day.isoformat()}, before {cause.day.isoformat()}, {cause.english}: "
                "give the day on the document as it was signed, or correct the other day",
                f"là ngày {in_vietnam(day)}, trước ngày {in_vietnam(cause.day)}, {cause.vietnamese}: "
                "ghi đúng ngày trên văn bản, hoặc sửa ngày kia",
            )
    return None


def in_vietnam(day: date) -> str:
    """As letters write a day (Decree 30/2020): 08/5/2021, 10/02/2021."""
    month = f"{day.month:02}" if day.month <= 2 else str(day.month)
    return f"{day.day:02}/{month}/{day.year}"
