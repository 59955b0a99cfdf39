"""Codes that are almost the same: of `KCL-01` and `kcl-1` nobody knows which one is meant."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Table, Text, any_, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.fields import folded_code
from inventory.storage.conflicts import code_alike, field_conflict
from inventory.storage.queries.sight import sees
from inventory.storage.tables import Thing, Unit


def is_alike(column: ColumnElement[Any], codes: Iterable[str]) -> ColumnElement[bool]:
    """Whether each code of a column is one of these, whatever its case and padding."""
    folded = {folded_code(code) for code in codes}
    alike: ColumnElement[bool] = func.folded_code(column) == any_(literal(list(folded), ARRAY(Text)))
    return alike


async def refuse_alike_code(
    session: AsyncSession, kind: type[Thing], given: Mapping[str, Any], before: Thing | None
) -> None:
    """Raise ProblemError 409 that names another code which differs only in case or leading zeros.

    `given`: the fields as they will be. Indexes over folded codes refuse what two long writes do at the same time.
    """
    code, table = given.get("code"), kind.__table__.c
    if code is None or (before is not None and code == getattr(before, "code", None)):
        return
    alike = select(table.id, table.code).where(is_alike(table.code, [code]), table.code != code)
    if before is not None:
        alike = alike.where(table.id != before.id)
    if kind is Unit:
        # Codes of units are those of one level, one after the other.
        first, last = given["valid_from"], given["valid_to"]
        if first is not None and last is not None and last < first:
            # The fields say so themselves, and the database has no such period.
            return
        days = func.daterange(cast(first, Date), cast(last, Date), "[]")
        here = func.daterange(table.valid_from, table.valid_to, "[]").op("&&")(days)
        alike = alike.where(table.level == given["level"], here)
    row = (await session.execute(alike.order_by(table.created_at).limit(1))).first()
    if row is not None:
        other = row.code if await sees(session, kind, row.id) else None
        raise field_conflict("code", code_alike(other))


async def free_codes(session: AsyncSession, kind: type[Thing], wanted: Mapping[UUID, str]) -> Sequence[Thing]:
    """Let the things of one write pass codes on to each other: A to B while B goes to A.

    `wanted`: id of each to the code that it gets, all of them in this transaction. Those that leave a code for another
    of them stand under their ids meanwhile, which the history never shows. They are returned as they were: keep them,
    since the session reads again what nobody keeps.
    """
    held = (await session.scalars(select(kind).where(kind.id.in_(wanted)))).all()
    got = {folded_code(code) for code in wanted.values()}
    leaving = [thing for thing in held if vars(thing)["code"] != wanted[thing.id]]
    freed = [thing.id for thing in leaving if folded_code(vars(thing)["code"]) in got]
    if freed:
        table = kind.__table__
        assert isinstance(table, Table)
        meanwhile = func.concat("~", cast(table.c.id, Text))
        await session.execute(update(table).where(table.c.id.in_(freed)).values(code=meanwhile))
    return held
