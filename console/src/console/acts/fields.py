"""The fields of a form, of the JSON schema of a body: pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

DEEPEST = 6
LONG_TEXT = 200
"""A text that may be longer has several lines."""
_COMPONENTS = "#/components/schemas/"
_LABEL, VALUES, _NOUN = "x-vi", "x-vi-values", "x-noun"


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    LONG = "long"
    SECRET = "secret"  # noqa: S105 - a kind of field
    WHOLE = "whole"
    NUMBER = "number"
    DATE = "date"
    INSTANT = "instant"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    LINES = "lines"
    REFERENCE = "reference"
    REFERENCES = "references"
    GROUP = "group"
    ROWS = "rows"
    PAIRS = "pairs"
    JSON = "json"


SIMPLE = frozenset(Kind) - {Kind.GROUP, Kind.ROWS}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a closed list; `vietnamese` is "" where the service has no word for it."""

    value: str
    vietnamese: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `name`: where it stands in the body, with dots; of a row's field without the row."""

    name: str
    kind: Kind
    vietnamese: str = ""
    required: bool = False
    nullable: bool = False
    about: str = ""
    """In English, of the service's description."""
    choices: tuple[Choice, ...] = ()
    noun: str = ""
    """Path of the noun that it refers to."""
    fields: tuple["Field", ...] = ()
    """Of a group or of one row."""
    longest: int | None = None
    default: Any = None

    @property
    def word(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]


def fields_of(schema: Mapping[str, Any] | None, schemas: Mapping[str, Any], nouns: Mapping[str, str]) -> list[Field]:
    """Those of a body; `nouns` has the noun of a field by its name, where the schema says none."""
    return [*_of_object(schema or {}, schemas, nouns, 0)]


def choose(fields: Iterable[Field], order: tuple[str, ...]) -> list[Field]:
    """Those of `order`, in it; without one all, what is needed before what may stay empty."""
    given = {field.name: field for field in fields}
    if order:
        return [given[name] for name in order if name in given]
    return sorted(given.values(), key=lambda field: not field.required)


def _of_object(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], nouns: Mapping[str, str], depth: int
) -> Iterator[Field]:
    bare, _ = _resolve(schema, schemas)
    required = frozenset(bare.get("required", ()))
    for name, inner in bare.get("properties", {}).items():
        if "const" in inner and "default" in inner:
            continue  # There is nothing to choose, and the service knows it by itself.
        field = _of_one(name, inner, schemas, nouns, depth)
        yield replace(field, required=name in required and not field.nullable)


def _of_one(
    name: str, given: Mapping[str, Any], schemas: Mapping[str, Any], nouns: Mapping[str, str], depth: int
) -> Field:
    bare, nullable = _resolve(given, schemas)
    label = given.get(_LABEL, "")
    made = Field(
        name,
        Kind.TEXT,
        vietnamese=label if isinstance(label, str) else "",
        nullable=nullable,
        about=given.get("description", ""),
        longest=bare.get("maxLength"),
        default=given.get("default"),
        noun=given.get(_NOUN, ""),
    )
    if "enum" in bare:
        return replace(made, kind=Kind.CHOICE, choices=_choices(bare))
    match bare.get("type"):
        case "array":
            return _of_array(made, bare, schemas, nouns, depth)
        case "object" if bare.get("properties") and depth < DEEPEST:
            return replace(made, kind=Kind.GROUP, fields=tuple(_of_object(bare, schemas, nouns, depth + 1)))
        case "object" if isinstance(bare.get("additionalProperties"), dict):
            return replace(made, kind=Kind.PAIRS)
        case "boolean":
            return replace(made, kind=Kind.YES_NO)
        case "integer":
            return replace(made, kind=Kind.WHOLE)
        case "number":
            return replace(made, kind=Kind.NUMBER)
        case "string":
            return replace(made, **_of_text(made, bare, nouns))
    return replace(made, kind=Kind.JSON)


def _of_text(made: Field, bare: Mapping[str, Any], nouns: Mapping[str, str]) -> dict[str, Any]:
    match bare.get("format"):
        case "date":
            return {"kind": Kind.DATE}
        case "date-time":
            return {"kind": Kind.INSTANT}
        case "password":
            return {"kind": Kind.SECRET}
        case "uuid" if noun := made.noun or nouns.get(made.name, ""):
            return {"kind": Kind.REFERENCE, "noun": noun}
    return {"kind": Kind.LONG if (made.longest or 0) > LONG_TEXT else Kind.TEXT}


def _of_array(
    made: Field, bare: Mapping[str, Any], schemas: Mapping[str, Any], nouns: Mapping[str, str], depth: int
) -> Field:
    each, _ = _resolve(bare.get("items", {}), schemas)
    if "enum" in each:
        return replace(made, kind=Kind.CHOICES, choices=_choices(each))
    if each.get("format") == "uuid" and (noun := made.noun or nouns.get(made.name, "")):
        return replace(made, kind=Kind.REFERENCES, noun=noun)
    if each.get("type") == "string":
        return replace(made, kind=Kind.LINES)
    if each.get("properties") and depth < DEEPEST:
        return replace(made, kind=Kind.ROWS, noun="", fields=tuple(_of_object(each, schemas, nouns, depth + 1)))
    return replace(made, kind=Kind.JSON)


def _choices(bare: Mapping[str, Any]) -> tuple[Choice, ...]:
    words = bare.get(VALUES, {})
    return tuple(Choice(str(value), words.get(str(value), "")) for value in bare["enum"] if value is not None)


def _resolve(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Resolve references and alternatives to the schema behind them, and whether null is taken."""
    nullable = False
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].removeprefix(_COMPONENTS)]
        elif isinstance(schema.get("type"), list):
            nullable = nullable or "null" in schema["type"]
            schema = {**schema, "type": next(each for each in schema["type"] if each != "null")}
        elif "anyOf" in schema:
            nullable = nullable or any(each.get("type") == "null" for each in schema["anyOf"])
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        else:
            return schema, nullable
