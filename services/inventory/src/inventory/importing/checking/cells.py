"""One cell to the value of its column."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from inventory.domain.fields import NONE_OF_THEM
from inventory.domain.places.areas import check_area
from inventory.domain.text import LOGIN_ADVICE, fold, holds_login
from inventory.importing.cells import dates, numbers, words
from inventory.importing.cells.text import ErrorCell, LiteralCell, check_encoding, is_scientific, lacks_zero
from inventory.importing.columns import Column, Kind
from inventory.importing.mistakes import RefusalError, refuse
from inventory.importing.mistakes.secrets import hide_secrets, was_hidden
from inventory.importing.mistakes.translated import translate
from inventory.importing.reading.sheet import RawCell

LEFT_OUT = "[…]"
"""Stands in a workbook for records that are longer than a cell of it may be: they stay as they are on record."""
BETWEEN_TEXTS = ";"
NO_CODES = "none"
_NOTHING = NONE_OF_THEM | {"không"}
_BETWEEN_CODES = re.compile(r"[;|,\s]+")
_BETWEEN_WORDS = re.compile(r"[;|,\n]")
_CHECKS: Mapping[str, Callable[[object], object]] = {"area": check_area}
_ALWAYS_NEW = frozenset({Kind.RECORD, Kind.RECORDS})
_MOST_KNOWN = 1000
_LONGEST_KNOWN = 100
_WHOLE_BELOW = 10**15
"""A spreadsheet keeps fifteen digits of a number."""
_WHAT = {Kind.PHONE: ("the number", "số điện thoại"), Kind.CODE: ("the code", "mã")}


class Converter:
    """Converts the cells of one column. Raises RefusalError for a cell that is not taken.

    Most cells of a column repeat, so it knows the values of the first different ones; of no secret.
    """

    def __init__(self, column: Column) -> None:
        self.column = column
        self._known: dict[str, Any] = {}
        self._holds_no_secret = not column.secret and not column.may_hold_secret
        self._may_know = self._holds_no_secret and column.kind not in _ALWAYS_NEW
        self._convert: Callable[[RawCell], Any] = {
            Kind.TEXT: self._text,
            Kind.CODE: self._code,
            Kind.PHONE: self._phone,
            Kind.WHOLE: numbers.whole,
            Kind.DECIMAL: numbers.decimal,
            Kind.DATE: dates.day,
            Kind.INSTANT: dates.instant,
            Kind.YES_NO: words.yes_no,
            Kind.CHOICE: self._choice,
            Kind.CODES: self._codes,
            Kind.TEXTS: self._texts,
            Kind.IDENTIFIER: self._identifier,
            Kind.RECORDS: self._records,
            Kind.RECORD: self._record,
        }[column.kind]

    def convert(self, cell: RawCell) -> Any:
        """Convert a cell that is not empty to its value."""
        if not isinstance(cell, str):
            return self._convert(cell)
        if isinstance(cell, ErrorCell):
            refuse("formula_error")
        # A text behind an apostrophe equals the same one without, which may mean something else.
        is_literal = isinstance(cell, LiteralCell)
        if cell in self._known and not is_literal:
            return self._known[cell]
        check_encoding(cell)
        if was_hidden(cell) and not (is_literal and self._holds_no_secret):
            refuse("hidden_secret")
        if self._holds_no_secret and holds_login(cell):
            raise RefusalError(translate(LOGIN_ADVICE))
        value = self._convert(cell)
        if self._may_know and not is_literal and len(self._known) < _MOST_KNOWN and len(cell) <= _LONGEST_KNOWN:
            self._known[cell] = value
        return value

    @cached_property
    def _lookup(self) -> Mapping[str, str]:
        return words.lookup_of(self.column.choices)

    def _choice(self, cell: RawCell) -> str:
        try:
            _CHECKS.get(self.column.name, str)(cell)
        except ValueError as error:
            raise RefusalError(translate(str(error))) from None
        return words.choice(cell, self.column.choices, self._lookup)

    def _text(self, cell: RawCell) -> str:
        if isinstance(cell, str):
            if isinstance(cell, LiteralCell):
                return str(cell)
            if not self.column.secret and is_scientific(cell):
                refuse("digits_lost")
            return cell
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            refuse("remade")
        if abs(cell) >= _WHOLE_BELOW:
            refuse("digits_lost")
        return to_text(cell)

    def _code(self, cell: RawCell) -> str:
        if not isinstance(cell, str):
            if self.column.reference is not None:
                return self._text(cell)
            self._refuse_number()
        return self._text(cell)

    def _phone(self, cell: RawCell) -> str:
        if not isinstance(cell, str):
            self._refuse_number()
        text = self._text(cell)
        if not isinstance(cell, LiteralCell) and lacks_zero(text):
            refuse("lost_zero_phone", value=text.removesuffix(".0"))
        return text

    def _refuse_number(self) -> None:
        what, what_vi = _WHAT[self.column.kind]
        refuse("number_for_text", what=what, what_vi=what_vi)

    def _codes(self, cell: RawCell) -> tuple[str, ...]:
        text = self._text(cell)
        if text.lower() in _NOTHING:
            return ()
        if self.column.choices:
            return tuple(dict.fromkeys(self._words(text)))
        return tuple(dict.fromkeys(code for code in _BETWEEN_CODES.split(text) if code))

    def _words(self, text: str) -> Iterator[str]:
        """Words of the list; a technical one holds no space, so there may be spaces between those alone."""
        for part in filter(None, (part.strip() for part in _BETWEEN_WORDS.split(text))):
            if part in self.column.choices or fold(part) in self._lookup:
                yield words.choice(part, self.column.choices, self._lookup)
            else:
                yield from (words.choice(each, self.column.choices, self._lookup) for each in part.split())

    def _texts(self, cell: RawCell) -> tuple[str, ...]:
        text = self._text(cell)
        found = _from_json(text) if text.startswith("[") else None
        if isinstance(found, list) and all(isinstance(each, str) for each in found):
            return tuple(found)
        parts = (part.strip() for line in text.splitlines() for part in line.split(BETWEEN_TEXTS))
        return tuple(part for part in parts if part)

    def _identifier(self, cell: RawCell) -> UUID:
        try:
            return UUID(self._text(cell))
        except ValueError:
            refuse("no_identifier")

    def _records(self, cell: RawCell) -> Any:
        text = self._text(cell)
        if text == LEFT_OUT:
            return KEPT
        found = _from_json(text)
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            refuse("no_records")
        return tuple(found)

    def _record(self, cell: RawCell) -> Any:
        text = self._text(cell)
        if text == LEFT_OUT:
            return KEPT
        found = _from_json(text)
        if not isinstance(found, dict):
            refuse("no_record")
        return found


class _Kept:
    """Of a cell that says nothing."""


KEPT = _Kept()
"""The value of a cell that LEFT_OUT stands in."""


def _from_json(text: str) -> Any:
    """None for what is no JSON. Raises RefusalError for an object that has a name twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RefusalError:
        raise
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            refuse("name_twice", name=hide_secrets(name))
        found[name] = value
    return found


def to_text(cell: RawCell) -> str:
    """Convert a raw cell to text: a whole number without a decimal point, a date as ISO."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, date | datetime | time):
        return cell.isoformat()
    return str(cell) if not isinstance(cell, timedelta) else str(cell.total_seconds())
