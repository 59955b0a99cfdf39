"""What is on record of a noun and of what its rows refer to, read in a few queries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.nouns.noun import Noun
from inventory.nouns.registry import noun_named
from inventory.storage.queries.sight import seen, sight_of
from inventory.storage.tables import Thing
from inventory.storage.tables.base import DERIVED

type Key = tuple[Any, ...]
CHUNK = 1000
"""Rows that the driver holds at a time."""


@dataclass(frozen=True, slots=True)
class Register:
    """`present`: key to row, of what the file names. `ids`, `codes`: noun to its ids by code, and its codes by id.

    `others`: codes of the noun that the file does not name.
    """

    present: Mapping[Key, Mapping[str, Any]]
    ids: Mapping[str, Mapping[str, UUID]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[UUID, str]] = field(default_factory=dict)
    others: Collection[str] = ()


async def read_register(session: AsyncSession, noun: Noun, named: Collection[str]) -> Register:
    """What the session's caller sees of the noun; its rows without what belongs to the search.

    `named`: the codes of the file, of a noun that is found by its code: of the rest nothing else is read.
    """
    table = noun.table.__table__.c
    query = select(*[column for column in table if column.name not in DERIVED])
    if not (sight := sight_of(session)).is_everything:
        query = query.where(table.id.in_(select(seen(noun.table, None, sight).c.id)))
    others: set[str] = set()
    if noun.key == ("code",):
        others = {*await session.scalars(query.with_only_columns(table.code))} - {*named}
        query = query.where(table.code == any_(literal(list(named), ARRAY(Text))))
    present: dict[Key, Mapping[str, Any]] = {}
    async for rows in (await session.stream(query)).mappings().partitions(CHUNK):
        for values in map(dict, rows):
            present[key_of(noun, values)] = values
    ids = {name: await ids_by_code(session, noun_named(name).table) for name in set(noun.references.values())}
    codes = {name: {id_: code for code, id_ in known.items()} for name, known in ids.items()}
    return Register(present, ids, codes, others)


def key_of(noun: Noun, values: Mapping[str, Any]) -> Key:
    """The values that find a record."""
    return tuple(values.get(name) for name in noun.key)


async def ids_by_code(session: AsyncSession, kind: type[Thing]) -> dict[str, UUID]:
    """Code to id of everything of a kind; empty for a kind without codes."""
    columns: Any = kind.__table__.c
    if "code" not in columns:
        return {}
    if not (sight := sight_of(session)).is_everything:
        columns = seen(kind, None, sight).c
    # A unit's code may have had another unit before: the one that stands longest is meant.
    query = select(columns.code, columns.id).order_by(columns.valid_to.asc().nulls_last())
    return {row.code: row.id for row in await session.execute(query)}
