"""A body says what it means: `0` is no `false`, `"5"` no number, `0.5` no instant, and no year overflows a zone.

Pydantic's own strict mode knows JSON only where it parses it itself; FastAPI gives it what is parsed already, and a
day, an id or a word of a list would be refused with the rest. So the kinds of value are made strict one by one.

An instant may be given as a plain day: papers have days. It is 00:00 of that day in Asia/Ho_Chi_Minh.
"""

import re
from datetime import date
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from inventory.domain.days import start_of

FIRST_YEAR, LAST_YEAR = 1900, 2999
_STRICT = frozenset({"bool", "int", "float"})
_TIMES = frozenset({"date", "datetime", "time", "timedelta"})
_NUMBER = re.compile(r"\s*[+-]?[0-9._]+(?:[eE][+-]?[0-9]+)?\s*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"\s*([0-9]{4})-[0-9]{2}-")
_NO_SCHEMAS = frozenset(
    {"metadata", "serialization", "config", "cls", "function", "default", "default_factory", "expected", "members",
     "computed_fields"}
)  # fmt: skip
"""Keys of a core schema below which no values of a body are described."""


def strict(schema: CoreSchema, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Make a schema strict: every yes/no, number, day and instant in it is taken as it is meant.

    Models within it are strict where they are bodies (`Fields`) themselves.
    """
    made: CoreSchema = _Walk(handler).walk(schema)
    return made


class _Walk:
    """One way through a schema, and through the named types that it refers to."""

    def __init__(self, handler: GetCoreSchemaHandler) -> None:
        self._handler = handler
        self._walked: set[str] = set()

    def walk(self, part: Any) -> Any:
        if isinstance(part, list | tuple):
            return type(part)(self.walk(each) for each in part)
        if not isinstance(part, dict):
            return part
        kind = part.get("type")
        if kind == "definition-ref":
            self._walk_named(part)
            return part
        if kind == "function-before" and part["function"].get("function") in {_check_time, _check_instant}:
            return part
        made: Any = {name: self._below(name, inner) for name, inner in part.items()}
        if kind in _STRICT:
            made["strict"] = True
        elif kind in _TIMES:
            check = _check_instant if kind == "datetime" else _check_time
            return core_schema.no_info_before_validator_function(check, made)
        return made

    def _below(self, name: str, inner: Any) -> Any:
        if name == "fields" and isinstance(inner, dict):
            # Of a model: by their names, which may be any of those above.
            return {field: self.walk(schema) for field, schema in inner.items()}
        return inner if name in _NO_SCHEMAS else self.walk(inner)

    def _walk_named(self, reference: Any) -> None:
        """Make the type behind a reference strict in place, so that it keeps its name in the document."""
        if reference["schema_ref"] in self._walked:
            return
        self._walked.add(reference["schema_ref"])
        named: Any = self._handler.resolve_ref_schema(reference)
        if "model" in str(named["type"]) or named["type"] in {"definitions", "definition-ref"}:
            return
        name = named.pop("ref", None)
        made = self.walk(dict(named))
        named.clear()
        named.update(made)
        if name is not None:
            named["ref"] = name


def _check_time(value: object) -> object:
    """Raise ValueError for a number, and for a year that no plan has."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        msg = "is a number: write a day as 2026-11-24, an instant as 2026-11-24T07:00:00+07:00"
        raise ValueError(msg)
    found = _YEAR.match(value) if isinstance(value, str) else None
    if found is not None:
        _check_year(int(found[1]))
    return check_year(value) if isinstance(value, date) else value


def _check_instant(value: object) -> object:
    """Check an instant as a time; a plain day becomes the first instant of it in the province."""
    checked = _check_time(value)
    if isinstance(checked, str) and _DAY.fullmatch(checked.strip()):
        return start_of(date.fromisoformat(checked.strip()))
    return checked


def check_year[D: date](day: D) -> D:
    """Return a day or an instant as it is. Raises ValueError for a year that no plan has."""
    _check_year(day.year)
    return day


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        msg = f"has a year that is not between {FIRST_YEAR} and {LAST_YEAR}"
        raise ValueError(msg)
