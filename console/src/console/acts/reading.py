"""From what was typed to what a service takes, and back: pure. A mistake is a value, and what was typed stays."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.acts.fields import Field, Kind
from console.words.catalogue import mark
from console.words.dates import LOCAL

type Typed = Mapping[str, Sequence[str]]
"""Values by the names of the inputs."""

WRITE_NUMBER = mark("Write a number, such as 12.")
WRITE_DAY = mark("Write a day as dd/mm/yyyy, such as 07/05/2021.")
WRITE_INSTANT = mark("Write a day and a time as dd/mm/yyyy hh:mm, such as 07/05/2021 14:30.")
WRITE_JSON = mark("This is not JSON.")
WRITE_PAIRS = mark("Write one per line, as key = value.")
NEEDED = mark("This is needed.")
NOT_FOUND = mark("Nothing in the register has this code. Choose one of the list, or write its code.")
BLANK_ROWS = 2
_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_ROW = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Mistake:
    """At one input; `text` is for the catalogue."""

    name: str
    text: str


class Missing:
    """Nothing was given."""


MISSING = Missing()


def first(typed: Typed, name: str) -> str:
    """Return what stands in one input."""
    return (typed.get(name) or ("",))[0].strip()


def read_body(
    fields: Sequence[Field], typed: Typed, ids: Mapping[tuple[str, str], str], prefix: str = ""
) -> tuple[dict[str, Any], list[Mistake]]:
    """Read the body and its mistakes; what is left empty is left out. `ids`: of a noun and a code, for references."""
    body: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for field in fields:
        name = prefix + field.name
        value, wrong = _read(field, name, typed, ids)
        mistakes += wrong
        if value is not MISSING:
            body[field.name] = value
        elif field.required and not wrong:
            mistakes.append(Mistake(name, NEEDED))
    return body, mistakes


def _read(field: Field, name: str, typed: Typed, ids: Mapping[tuple[str, str], str]) -> tuple[Any, list[Mistake]]:
    if field.kind is Kind.GROUP:
        if not is_filled(field.fields, typed, name + "."):
            return MISSING, []
        return read_body(field.fields, typed, ids, name + ".")
    if field.kind is Kind.ROWS:
        return _read_rows(field, name, typed, ids)
    if field.kind is Kind.CHOICES:
        chosen = [each for each in typed.get(name, ()) if each]
        return (chosen or MISSING), []
    text = first(typed, name)
    if not text:
        return MISSING, []
    if field.kind in {Kind.REFERENCE, Kind.REFERENCES}:
        return _read_references(field, name, text, ids)
    try:
        return _READ[field.kind](text), []
    except ValueError as error:
        return MISSING, [Mistake(name, str(error))]


def _read_rows(field: Field, name: str, typed: Typed, ids: Mapping[tuple[str, str], str]) -> tuple[Any, list[Mistake]]:
    rows: list[dict[str, Any]] = []
    mistakes: list[Mistake] = []
    for number in range(count_rows(name, typed)):
        prefix = f"{name}.{number}."
        if is_filled(field.fields, typed, prefix):
            row, wrong = read_body(field.fields, typed, ids, prefix)
            rows.append(row)
            mistakes += wrong
    return (rows or MISSING), mistakes


def _read_references(
    field: Field, name: str, text: str, ids: Mapping[tuple[str, str], str]
) -> tuple[Any, list[Mistake]]:
    codes = codes_of(text) if field.kind is Kind.REFERENCES else [code_of(text)]
    found = [ids.get((field.noun, code)) for code in codes]
    if None in found:
        return MISSING, [Mistake(name, NOT_FOUND)]
    return (found if field.kind is Kind.REFERENCES else found[0]), []


def code_of(text: str) -> str:
    """Of «CODE — name», as the list offers it, or a code alone."""
    return text.split(" — ", 1)[0].strip()


def codes_of(text: str) -> list[str]:
    """Several, one a line or with commas."""
    return [code for each in re.split(r"[\n,;]", text) if (code := code_of(each))]


def is_filled(fields: Sequence[Field], typed: Typed, prefix: str) -> bool:
    """Whether anything stands in a group or a row."""
    for field in fields:
        name = prefix + field.name
        if field.kind is Kind.GROUP:
            if is_filled(field.fields, typed, name + "."):
                return True
        elif field.kind is Kind.ROWS:
            if any(is_filled(field.fields, typed, f"{name}.{row}.") for row in range(count_rows(name, typed))):
                return True
        elif any(each.strip() for each in typed.get(name, ())):
            return True
    return False


def count_rows(name: str, typed: Typed) -> int:
    """How many rows of a field were sent."""
    start = len(name) + 1
    numbers = [
        int(found[0])
        for each in typed
        if each.startswith(name + ".") and (found := _ROW.match(each[start:])) is not None
    ]
    return min(max(numbers, default=-1) + 1, 200)


def references(fields: Sequence[Field], typed: Typed, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every noun and code that was typed."""
    for field in fields:
        name = prefix + field.name
        if field.kind is Kind.GROUP:
            yield from references(field.fields, typed, name + ".")
        elif field.kind is Kind.ROWS:
            for row in range(count_rows(name, typed)):
                yield from references(field.fields, typed, f"{name}.{row}.")
        elif field.kind is Kind.REFERENCE and (text := first(typed, name)):
            yield field.noun, code_of(text)
        elif field.kind is Kind.REFERENCES and (text := first(typed, name)):
            yield from ((field.noun, code) for code in codes_of(text))


def _whole(text: str) -> int:
    try:
        return int(text.replace(".", "").replace(" ", ""))
    except ValueError:
        raise ValueError(WRITE_NUMBER) from None


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValueError(WRITE_NUMBER) from None


def _day(text: str) -> str:
    found = _DAY.fullmatch(text)
    written = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else text
    try:
        return datetime.strptime(written, "%Y-%m-%d").date().isoformat()  # noqa: DTZ007 - a day
    except ValueError:
        raise ValueError(WRITE_DAY) from None


def _instant(text: str) -> str:
    written = _DAY.sub(lambda found: f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}", text)
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(WRITE_INSTANT) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=LOCAL)).isoformat()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(WRITE_JSON) from None


def _pairs(text: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        key, sign, value = line.partition("=")
        if not sign or not key.strip():
            raise ValueError(WRITE_PAIRS)
        made[key.strip()] = value.strip()
    return made


_READ: Mapping[Kind, Any] = {
    Kind.TEXT: str,
    Kind.LONG: lambda text: text.replace("\r\n", "\n"),
    Kind.SECRET: str,
    Kind.CHOICE: str,
    Kind.WHOLE: _whole,
    Kind.NUMBER: _number,
    Kind.DATE: _day,
    Kind.INSTANT: _instant,
    Kind.YES_NO: lambda text: text == "true",
    Kind.LINES: lambda text: [line.strip() for line in text.splitlines() if line.strip()],
    Kind.JSON: _json,
    Kind.PAIRS: _pairs,
}
