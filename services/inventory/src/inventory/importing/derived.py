"""Columns from a noun's declaration: its fields, their types, its headings and references."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from inventory.domain.fields import Code, Phone
from inventory.importing.choices import OF_LITERALS, SUGGESTED, WORDS
from inventory.importing.columns import Column, Columns, Kind
from inventory.importing.overrides import OVERRIDES, Overrides
from inventory.nouns.noun import Noun
from inventory.nouns.registry import noun_named

_KINDS: Mapping[Any, Kind] = {
    str: Kind.TEXT,
    int: Kind.WHOLE,
    float: Kind.DECIMAL,
    bool: Kind.YES_NO,
    date: Kind.DATE,
    datetime: Kind.INSTANT,
    AwareDatetime: Kind.INSTANT,
}
_ID, _IDS = "_id", "_ids"
_EXAMPLES = {
    Kind.DATE: "07/05/2021",
    Kind.INSTANT: "07/05/2021 14:30",
    Kind.YES_NO: "có",
    Kind.PHONE: "0233 3852 123",
    Kind.RECORDS: '[{"…": "…"}]',
    Kind.RECORD: '{"…": "…"}',
    Kind.TEXTS: "…; …",
}


def columns_of(noun: Noun) -> Columns:
    """All columns of a noun's files."""
    return _columns_named(noun.name)


@cache
def _columns_named(name: str) -> Columns:
    noun = noun_named(name)
    overrides = OVERRIDES.get(noun.name, Overrides())
    made = [
        column
        for name, info in noun.fields.model_fields.items()
        if name not in overrides.hidden
        for column in _of_field(noun, overrides, (name,), info)
    ]
    key = tuple(code_column(name) if name in noun.references else name for name in noun.key)
    order = {name: place for place, name in enumerate(overrides.order or (*key, "name"))}
    last = {"valid_from": 1, "valid_to": 2}

    def place(column: Column) -> tuple[int, bool, int]:
        return order.get(column.name, len(order)), not column.required, last.get(column.name, 0)

    made = sorted([*made, *overrides.more], key=place)
    return Columns(noun.name, noun.vietnamese, tuple(made), key, sheet_name(noun), overrides.aliases)


def sheet_name(noun: Noun) -> str:
    """Name of the noun's sheet in a workbook."""
    return noun.vietnamese[:1].upper() + noun.vietnamese[1:31]


def code_column(field: str) -> str:
    """`facility_id` is written as `facility_code`, `facility_ids` as `facility_codes`."""
    if field.endswith(_IDS):
        return f"{field.removesuffix(_IDS)}_codes"
    return f"{field.removesuffix(_ID)}_code" if field.endswith(_ID) else field


def _of_field(noun: Noun, overrides: Overrides, path: tuple[str, ...], info: FieldInfo) -> Iterator[Column]:
    name = path[-1]
    dotted = ".".join(path)
    kind, inner, optional = _kind(info)
    heading = overrides.headings.get(dotted) or noun.headings.get(dotted) or noun.headings.get(name)
    required = info.is_required() and len(path) == 1
    if dotted in overrides.whole:
        kind = Kind.RECORD
    elif isinstance(inner, type) and issubclass(inner, BaseModel):
        for child, child_info in inner.model_fields.items():
            yield from _of_field(noun, overrides, (*path, child), child_info)
        return
    if _is_structured(inner):
        if get_origin(inner) not in {tuple, list} or len(path) > 1:
            return
        kind = Kind.RECORDS
    column = overrides.names.get(dotted, name)
    reference = noun.references.get(dotted) or overrides.lists.get(dotted)
    choices: Mapping[str, str] = {}
    if reference is not None:
        column, kind = code_column(name), Kind.CODES if dotted in overrides.lists else Kind.CODE
        heading = heading or f"Mã {noun_named(reference).vietnamese}"
    elif inner is UUID:
        kind = Kind.IDENTIFIER
    if isinstance(inner, type) and issubclass(inner, Enum):
        kind = Kind.CHOICE
        known = noun.machine.vietnamese if noun.machine is not None and name == "status" else WORDS.get(inner, {})
        choices = {str(each.value): str(known.get(each, each.value)) for each in inner}
    elif get_origin(inner) is Literal:
        kind = Kind.CHOICE
        choices = {str(each): OF_LITERALS.get(str(each), str(each)) for each in get_args(inner)}
    elif kind is Kind.CODES and isinstance(each := _bare(get_args(inner)[0])[0], type) and issubclass(each, Enum):
        choices = {str(one.value): str(WORDS.get(each, {}).get(one, one.value)) for one in each}
    yield Column(
        name=column,
        heading=heading or info.title or column,
        kind=kind,
        path=path,
        required=required and not optional,
        choices=choices,
        reference=reference,
        may_hold_secret=column in overrides.addresses,
        example=_EXAMPLES.get(kind, str((info.examples or [""])[0])),
        suggestions=SUGGESTED.get(dotted, ()),
    )


def _is_structured(inner: Any) -> bool:
    """Whether it is a mapping, which no cell holds, or a collection of records."""
    if get_origin(inner) is dict or get_origin(inner) is Mapping:
        return True
    parts = get_args(inner) if get_origin(inner) in {tuple, list} else ()
    return bool(parts) and isinstance(parts[0], type) and issubclass(parts[0], BaseModel)


def _kind(info: FieldInfo) -> tuple[Kind, Any, bool]:
    """Find the kind, the bare type, and whether None is taken."""
    inner, aliases, optional = _bare(info.annotation)
    if Code in aliases or inner is Code:
        return Kind.CODE, str, optional
    if Phone in aliases:
        return Kind.PHONE, str, optional
    if get_origin(inner) in {tuple, list, frozenset, set}:
        of, names, _ = _bare(get_args(inner)[0])
        return Kind.TEXTS if of is str and Code not in names else Kind.CODES, inner, optional
    return _KINDS.get(inner, Kind.TEXT), inner, optional


def _bare(annotation: Any) -> tuple[Any, set[Any], bool]:
    aliases: set[Any] = set()
    optional = False
    while True:
        if isinstance(annotation, TypeAliasType):
            aliases.add(annotation)
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in {Union, UnionType}:
            parts = [part for part in get_args(annotation) if part is not NoneType]
            optional = optional or len(parts) < len(get_args(annotation))
            annotation = parts[0]
        else:
            return annotation, aliases, optional
