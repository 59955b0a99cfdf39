"""Records as rows of a noun's columns, without secrets."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.importing.checking.cells import BETWEEN_TEXTS, NO_CODES
from inventory.importing.columns import REVISION, Column, Kind
from inventory.importing.derived import columns_of
from inventory.importing.overrides import DESTINATIONS
from inventory.importing.storing.people import read_people_in_office
from inventory.nouns.noun import Noun
from inventory.nouns.people import PERSON
from inventory.nouns.registry import noun_named
from inventory.storage.queries.cursors import open_cursor
from inventory.storage.queries.sight import hide_contacts, select_visible, sight_of
from inventory.storage.tables import Delivery, Destination, Thing
from inventory.storage.tables.base import DERIVED

CHUNK = 500
type Value = Any


@dataclass(frozen=True, slots=True)
class References:
    """What the rows need of other nouns."""

    codes: Mapping[str, Mapping[UUID, str]]
    destinations: Mapping[UUID, list[str]]
    people: Mapping[UUID, Mapping[str, Any]]


def exported_columns(noun: Noun) -> tuple[Column, ...]:
    """List the columns of an export: all but secrets, then the revision."""
    shown = columns_of(noun).select(lambda column: not column.secret)
    return (*shown, Column(name=REVISION, heading="Phiên bản", kind=Kind.WHOLE))


async def exported_rows(
    session: AsyncSession, noun: Noun, today: date, only: tuple[str, UUID] | None = None
) -> AsyncGenerator[dict[str, Value]]:
    """Read what the session's caller sees, in the order of the noun's key, some hundreds at a time.

    `only`: a field and the id that it holds.
    """
    references = await _read_references(session, noun, today)
    columns = exported_columns(noun)
    things = select_visible(noun.table, None, sight_of(session))
    query: Select[Any] = select(*(column for column in things.c if column.name not in {*DERIVED, "etag"}))
    if only is not None:
        query = query.where(things.c[only[0]] == only[1])
    query = query.order_by(*(things.c[name] for name in noun.key), things.c.id)
    async with open_cursor(session, query) as found:
        async for rows in found.mappings().partitions(CHUNK):
            for row in rows:
                yield {column.name: _value(row, column, references) for column in columns}


async def _read_references(session: AsyncSession, noun: Noun, today: date) -> References:
    named = {column.reference for column in columns_of(noun).columns if column.reference is not None}
    codes = {name: await _codes(session, noun_named(name).table) for name in named}
    destinations: dict[UUID, list[str]] = {}
    if noun.name == "camera":
        query = select(Delivery.camera_id, Destination.code)
        query = query.join(Destination, Destination.id == Delivery.destination_id)
        for camera_id, code in await session.execute(query.order_by(Destination.code)):
            destinations.setdefault(camera_id, []).append(code)
    people = await read_people_in_office(session, today) if noun.name == "facility" else {}
    if not sight_of(session).people:
        people = {facility_id: hide_contacts(person) for facility_id, person in people.items()}
    return References(codes, destinations, people)


async def _codes(session: AsyncSession, kind: type[Thing]) -> dict[UUID, str]:
    columns = select_visible(kind, None, sight_of(session)).c
    if "code" not in columns:
        return {}
    return {row.id: row.code for row in await session.execute(select(columns.id, columns.code))}


_FIELDS = {column: field for field, column in PERSON.items()}


def _value(row: RowMapping, column: Column, references: References) -> Value:
    if column.name == REVISION:
        return row["revision"]
    if column.name == DESTINATIONS and not column.path:
        return " ".join(references.destinations.get(row["id"], ())) or NO_CODES
    if not column.path:
        return references.people.get(row["id"], {}).get(_FIELDS.get(column.name, ""))
    value: Any = row.get(column.path[0])
    for name in column.path[1:]:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    if column.reference is not None and value is not None:
        # Of what the caller does not see the id, as in lists: no code, and it is refused where somebody sends it back.
        codes, ids = references.codes.get(column.reference, {}), value if _is_list(value) else (value,)
        return " ".join(codes.get(each, str(each)) for each in ids)
    if column.kind in {Kind.RECORDS, Kind.RECORD}:
        return to_json(value, exclude_none=True).decode() if value else None
    if column.kind is Kind.TEXTS and value:
        return _texts(value)
    if isinstance(value, Enum):
        return value.value
    return " ".join(map(str, value)) if _is_list(value) else value


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _texts(texts: Sequence[str]) -> str:
    if any(BETWEEN_TEXTS in text or text.startswith("[") for text in texts):
        return to_json(texts).decode()
    return f"{BETWEEN_TEXTS} ".join(texts)
