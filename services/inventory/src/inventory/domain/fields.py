"""Field types of bodies and CSV rows. Each ValueError names the right form."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import CoreSchema

from inventory.domain.strictness import strict
from inventory.domain.text import clean, clean_lines

NONE_OF_THEM = frozenset({"none", "khong"})
"""Where a cell of a file lists codes, the word for an empty list: it is no code of what is listed."""
LONGEST_CODE = 64
_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CODE - 1}}}")
_PADDING = re.compile(r"(?<!\d)0+(?=\d)")
_PHONE = re.compile(r"\(?\+?[0-9][0-9 .()-]{4,23}[0-9]")
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\".]+")


def check_code(text: str) -> str:
    """Raise ValueError unless `text` is 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit."""
    if not _CODE.fullmatch(text):
        msg = "a code is 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or digit, e.g. QT-KCL-01"
        raise ValueError(msg)
    return text


def folded_code(code: str) -> str:
    """Fold a code to the form in which almost equal codes are the same: no case, no leading zeros of a number.

    The database has a function of this name, over which codes are unique; a test compares both.
    """
    return _PADDING.sub("", code.lower())


def _check_phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        msg = "a phone number is 6 to 25 digits, spaces, dots or dashes, perhaps with + first, e.g. 0233 3852 123"
        raise ValueError(msg)
    return text


def _check_email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        msg = "an e-mail address looks like ten@quangtri.gov.vn"
        raise ValueError(msg)
    return text


def _check_not_reserved(code: str) -> str:
    if code.lower() in NONE_OF_THEM:
        msg = f"'{code}' means none of them in the lists of a CSV file; choose another code"
        raise ValueError(msg)
    return code


type Code = Annotated[str, AfterValidator(check_code)]
ListedCode = Annotated[Code, AfterValidator(_check_not_reserved)]
"""Of what a cell of a file lists by its codes."""
type Name = Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=200)]
type Line = Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=500)]
type Note = Annotated[str, AfterValidator(clean_lines), StringConstraints(min_length=1, max_length=2000)]
type Phone = Annotated[str, AfterValidator(clean), AfterValidator(_check_phone)]
type Email = Annotated[str, AfterValidator(clean), AfterValidator(_check_email), StringConstraints(max_length=254)]


class Fields(BaseModel):
    """A body; an unknown field is refused by name, and nothing is taken for something else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return strict(handler(source), handler)


PERIOD_HEADINGS = {"valid_from": "Từ ngày", "valid_to": "Đến ngày"}
"""Headings of the period of validity, which every noun has."""


def check_period(valid_to: date | None, info: ValidationInfo) -> date | None:
    """Check a `valid_to` declared after `valid_from` in its model; both days belong to the period."""
    valid_from = info.data.get("valid_from")
    if valid_to is not None and valid_from is not None and valid_to < valid_from:
        msg = f"must not be before valid_from ({valid_from.isoformat()})"
        raise ValueError(msg)
    return valid_to


type ValidTo = Annotated[date | None, AfterValidator(check_period)]


class Dated(Fields):
    """A body with a period of validity; both days belong to it. It says what is in force, and stops nothing itself."""

    valid_from: date | None = Field(default=None, description="First day on which it is in force.")
    valid_to: ValidTo = Field(default=None, description="Last day, included.")
