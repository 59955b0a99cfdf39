"""The records of a noun and of what its rows refer to, read in a few queries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.fields import folded_code
from inventory.importing.checking.codes import OnRecord
from inventory.importing.derived import columns_of
from inventory.nouns.noun import Noun
from inventory.nouns.registry import noun_named
from inventory.storage.queries.codes import is_alike
from inventory.storage.queries.cursors import open_cursor
from inventory.storage.queries.sight import select_visible, sight_of
from inventory.storage.tables import Thing
from inventory.storage.tables.base import DERIVED

type Key = tuple[Any, ...]
CHUNK = 1000
"""Rows that the driver holds at a time."""


@dataclass(frozen=True, slots=True)
class Register:
    """`present`: key to row, of what the file names. `ids`, `codes`: noun to its ids by code, and its codes by id.

    `several`: of a noun the codes that several have had, one after the other. `others`: codes of the noun that the file
    does not name. `taken`: codes that the file names and others have or almost have, out of the caller's sight. `more`:
    key to the second row with it, the third …, in the order of an export; two records may have one key where it is no
    code.
    """

    present: Mapping[Key, Mapping[str, Any]]
    ids: Mapping[str, OnRecord[UUID]] = field(default_factory=dict)
    codes: Mapping[str, Mapping[UUID, str]] = field(default_factory=dict)
    others: Collection[str] = ()
    several: Mapping[str, Mapping[str, Sequence[UUID]]] = field(default_factory=dict)
    coming: Mapping[UUID, str] = field(default_factory=dict)
    """Codes that the file itself brings, each under an id that stands for it until its row is stored."""
    taken: Collection[str] = ()
    more: Mapping[Key, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


type Brought = Mapping[str, Collection[str]]
"""Of a file: each noun of which it has a table, to the codes of its rows."""


async def read_register(session: AsyncSession, noun: Noun, brought: Brought) -> Register:
    """Read what the session's caller sees of the noun; its rows without what belongs to the search.

    Of a noun that is found by its code, nothing but codes is read of what the file does not name.
    """
    named = brought[noun.name]
    table = noun.table.__table__.c
    query = select(*[column for column in table if column.name not in DERIVED])
    if not (sight := sight_of(session)).is_everything:
        query = query.where(table.id.in_(select(select_visible(noun.table, None, sight).c.id)))
    others: set[str] = set()
    taken: set[str] = set()
    if noun.key == ("code",):
        others = {*await session.scalars(query.with_only_columns(table.code))} - {*named}
        of_file = table.code == any_(literal(list(named), ARRAY(Text)))
        query = query.where(of_file)
        if not sight.is_everything:
            taken = await _find_taken_codes(session, noun, named)
    else:
        query = query.order_by(table.id)
    present: dict[Key, Any] = {}
    more: dict[Key, list[Any]] = {}
    # Rows as they come: of twenty thousand, as many dictionaries weigh twice as much.
    async with open_cursor(session, query) as found:
        stream: Any = found.mappings()
        async for rows in stream.partitions(CHUNK):
            for row in rows:
                key = key_of(noun, row)
                if present.setdefault(key, row) is not row:
                    more.setdefault(key, []).append(row)
    referred = {column.reference for column in columns_of(noun).columns if column.reference is not None}
    codes = {name: await _codes_by_id(session, noun_named(name).table) for name in referred}
    coming: dict[UUID, str] = {}
    for name, known in codes.items():
        new = {uuid4(): code for code in {*brought.get(name, ())} - {*known.values()}}
        coming |= new
        known |= new
    ids = {name: OnRecord({code: id_ for id_, code in known.items()}) for name, known in codes.items()}
    several = {name: _of_several(known) for name, known in codes.items() if len(known) > len(ids[name])}
    return Register(present, ids, codes, others, several, coming, taken, more)


async def _find_taken_codes(session: AsyncSession, noun: Noun, named: Collection[str]) -> set[str]:
    """Find the codes of a file that others have, out of the caller's sight, or almost have."""
    table, ours = noun.table.__table__.c, select_visible(noun.table, None, sight_of(session)).c
    by_folded: dict[str, list[str]] = {}
    for code in named:
        by_folded.setdefault(folded_code(code), []).append(code)
    hidden = select(table.code).where(is_alike(table.code, named), table.id.not_in(select(ours.id)))
    own = {*await session.scalars(select(ours.code).where(ours.code == any_(literal(list(named), ARRAY(Text)))))}
    return {code for other in await session.scalars(hidden) for code in by_folded[folded_code(other)]} - own


def key_of(noun: Noun, values: Mapping[str, Any]) -> Key:
    """Return the values that find a record."""
    return tuple(values.get(name) for name in noun.key)


async def _codes_by_id(session: AsyncSession, kind: type[Thing]) -> dict[UUID, str]:
    """Read the code of everything of a kind, of several with one code the one that is meant last."""
    columns: Any = kind.__table__.c
    if "code" not in columns:
        return {}
    if not (sight := sight_of(session)).is_everything:
        columns = select_visible(kind, None, sight).c
    # A unit's code may have had another unit before: the one that stands longest is meant.
    query = select(columns.code, columns.id).order_by(columns.valid_to.asc().nulls_last())
    return {row.id: row.code for row in await session.execute(query)}


def _of_several(codes: Mapping[UUID, str]) -> dict[str, list[UUID]]:
    found: dict[str, list[UUID]] = {}
    for id_, code in codes.items():
        found.setdefault(code, []).append(id_)
    return {code: ids[::-1] for code, ids in found.items() if len(ids) > 1}
