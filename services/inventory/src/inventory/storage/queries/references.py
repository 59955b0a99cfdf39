"""References that forbid the removal of a thing."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, any_, func, literal, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.tables import Thing
from vonggac.http import ProblemError

NAMED = 5


def is_mentioned(kind: type[Thing], where: str, thing_id: UUID) -> ColumnElement[bool]:
    """Whether each thing of a kind names this one. `where`: a column of ids, or of records and the id in them."""
    name, _, inner = where.partition(".")
    column: Any = kind.__table__.c[name]
    if not inner:
        return literal(thing_id, Uuid()) == any_(column)
    # A part of a record, which the column's own type would not take.
    found: ColumnElement[bool] = type_coerce(column, JSONB()).contains([{inner: str(thing_id)}])
    return found


async def refuse_while_referred(session: AsyncSession, what: str, names: Select[Any]) -> None:
    """Raises ProblemError 409 when `names` selects anything; it has the count and the first few names."""
    count = await session.scalar(select(func.count()).select_from(names.subquery())) or 0
    if not count:
        return
    first = (await session.scalars(names.order_by(names.selected_columns[0]).limit(NAMED))).all()
    listed = ", ".join(str(name) for name in first) + (", …" if count > len(first) else "")
    msg = f"{count} {what} still refer to it: {listed}; remove or move them first"
    raise ProblemError(HTTPStatus.CONFLICT, "referred_to", msg)
