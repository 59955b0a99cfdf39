"""Codes that are almost the same: of `KCL-01` and `kcl-1` nobody knows which one is meant."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Date, Text, any_, cast, func, literal, select
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
    """Raises ProblemError 409 for a code that differs from another one only in case or leading zeros; names that one.

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
