"""From a record to what stands in the inputs of its form, and what a person changed of it: pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from console.acts.fields import Field, Kind
from console.acts.reading import Typed, count_rows
from console.words.dates import LOCAL


def write_record(
    fields: Sequence[Field], record: Mapping[str, Any], codes: Mapping[str, str], prefix: str = ""
) -> dict[str, list[str]]:
    """Write what stands in each input; `codes`: of the ids that it refers to."""
    return dict(_inputs(fields, record, codes, prefix))


def _inputs(
    fields: Sequence[Field], record: Mapping[str, Any], codes: Mapping[str, str], prefix: str
) -> Iterator[tuple[str, list[str]]]:
    for field in fields:
        name, value = prefix + field.name, record.get(field.name)
        if field.kind is Kind.GROUP:
            yield from _inputs(field.fields, value or {}, codes, name + ".")
        elif field.kind is Kind.ROWS:
            for number, row in enumerate(value or ()):
                yield from _inputs(field.fields, row, codes, f"{name}.{number}.")
        else:
            yield name, write_value(field, value, codes)


def write_value(field: Field, value: Any, codes: Mapping[str, str]) -> list[str]:
    """One value as a person would type it; several of a list to choose of."""
    if value is None:
        return [""]
    match field.kind:
        case Kind.CHOICES:
            return [str(each) for each in value]
        case Kind.YES_NO:
            return ["true" if value else "false"]
        case Kind.INSTANT:
            return [write_instant(str(value))]
        case Kind.LINES:
            return ["\n".join(str(each) for each in value)]
        case Kind.REFERENCE:
            return [codes.get(str(value), str(value))]
        case Kind.REFERENCES:
            return ["\n".join(codes.get(str(each), str(each)) for each in value)]
        case Kind.PAIRS:
            return ["\n".join(f"{key} = {each}" for key, each in value.items())]
        case Kind.JSON:
            return [json.dumps(value, ensure_ascii=False)]
        case Kind.NUMBER:
            return [f"{value:g}"]
    return [str(value)]


def write_instant(text: str) -> str:
    """As the input of a browser has it, in local time, no more exact than it is."""
    moment = datetime.fromisoformat(text).astimezone(LOCAL).replace(tzinfo=None)
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def ids_in(fields: Sequence[Field], record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every noun and id that a record refers to."""
    for field in fields:
        value = record.get(field.name)
        if not value:
            continue
        if field.kind is Kind.GROUP:
            yield from ids_in(field.fields, value)
        elif field.kind is Kind.ROWS:
            for row in value:
                yield from ids_in(field.fields, row)
        elif field.kind is Kind.REFERENCE:
            yield field.noun, str(value)
        elif field.kind is Kind.REFERENCES:
            yield from ((field.noun, str(each)) for each in value)


def changed_fields(fields: Sequence[Field], before: Typed, typed: Typed) -> list[Field]:
    """Those in which something was changed; a group or rows count whole."""
    return [field for field in fields if _values(field, before) != _values(field, typed)]


def _values(field: Field, typed: Typed) -> dict[str, list[str]]:
    if field.kind is Kind.GROUP:
        parts = [_values(_rename_field(each, f"{field.name}.{each.name}"), typed) for each in field.fields]
        return {name: values for part in parts for name, values in part.items()}
    if field.kind is Kind.ROWS:
        rows = range(count_rows(field.name, typed))
        parts = [
            _values(_rename_field(each, f"{field.name}.{row}.{each.name}"), typed)
            for row in rows
            for each in field.fields
        ]
        return {name: values for part in parts for name, values in part.items()}
    values = [text for each in typed.get(field.name, ()) if (text := each.replace("\r\n", "\n").strip())]
    return {field.name: sorted(values)} if values else {}


def _rename_field(field: Field, name: str) -> Field:
    return Field(name, field.kind, fields=field.fields)
