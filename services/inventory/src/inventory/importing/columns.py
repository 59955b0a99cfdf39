"""The columns of a noun's file: technical name, Vietnamese heading, and how a cell becomes a value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from inventory.domain.text import fold

REVISION = "revision"
ERRORS = "errors"
ORDINAL = "ordinal"
NOT_READ = frozenset({ERRORS, ORDINAL})
"""What an earlier answer added, and the numbers of the rows."""
_NO_LETTER = re.compile(r"[^a-z0-9]+")


class Kind(StrEnum):
    """How a cell of the column is read."""

    TEXT = "text"
    CODE = "code"
    PHONE = "phone"
    WHOLE = "whole"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CODES = "codes"
    TEXTS = "texts"
    """Several texts, with semicolons between them."""
    IDENTIFIER = "identifier"
    RECORDS = "records"
    """Records of several fields, as the API has them: a JSON array."""
    RECORD = "record"
    """One record of several fields, as the API has it: a JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. `path`: where its value stands in the noun's fields, `("expected", "codec")` for a nested one."""

    name: str
    heading: str
    kind: Kind = Kind.TEXT
    path: tuple[str, ...] = ()
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    """Value to its Vietnamese word."""
    reference: str | None = None
    """The noun whose code stands in the cell."""
    secret: bool = False
    """Never shown, never exported; a marked file holds HIDDEN in its place."""
    may_hold_secret: bool = False
    """An address, perhaps with a login: shown without it."""
    example: str = ""
    suggestions: tuple[str, ...] = ()
    """Texts that a template offers; any other is taken too."""


def folded_heading(text: str) -> str:
    """Fold a heading to the form that is compared: no case, diacritics, punctuation or required mark."""
    return _NO_LETTER.sub(" ", fold(text)).strip()


@dataclass(frozen=True)
class Columns:
    """All columns that a noun's file may have. `key`: names of the columns that find the record."""

    noun: str
    vietnamese: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("code",)
    sheet: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other headings that people use, to the column's name."""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def by_heading(self) -> dict[str, str]:
        """Folded heading or technical name to the column's name."""
        names = {folded_heading(heading): name for heading, name in {**ALIASES, **self.aliases}.items()}
        names |= {folded_heading(column.heading): column.name for column in self.columns}
        return names | {folded_heading(column.name): column.name for column in self.columns}

    @cached_property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def select(self, wanted: Callable[[Column], bool]) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if wanted(column))

    def heading(self, name: str) -> str:
        """Return the Vietnamese heading of a column; the name itself when the file knows none."""
        if name in self.by_name:
            return self.by_name[name].heading
        return HEADINGS.get(name, name)


HEADINGS = {REVISION: "Phiên bản", ERRORS: "Lỗi"}
ALIASES = {
    REVISION: REVISION,
    HEADINGS[REVISION]: REVISION,
    HEADINGS[ERRORS]: ERRORS,
    "Lỗi / Errors": ERRORS,
    ERRORS: ERRORS,
    **dict.fromkeys(("STT", "TT", "Số TT", "Số thứ tự", "No."), ORDINAL),
}
"""Columns of every file: the revision of an export, and what is not read: the mistakes of a marked file, and the
numbers of the rows, with which people begin a list."""
