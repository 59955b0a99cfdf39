"""References that forbid the removal of a thing."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, any_, func, literal, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.queries.sight import select_visible, sight_of
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


async def refuse_while_referred(
    session: AsyncSession, other: type[Thing], label: str, refers: ColumnElement[bool]
) -> None:
    """Raise ProblemError 409 when any of the others `refers`, with their count and the first few by their `label`.

    Those that the session's caller does not see are counted alone.
    """
    table, sight = other.__table__.c, sight_of(session)
    count = await session.scalar(select(func.count()).where(refers)) or 0
    if not count:
        return
    names = select(table[label]).where(refers)
    if not sight.is_everything:
        names = names.where(table.id.in_(select(select_visible(other, None, sight).c.id)))
    first = [str(name) for name in await session.scalars(names.order_by(table[label]).limit(NAMED))]
    what = f"{count} {other.__tablename__.replace('_', ' ')} still refer to it"
    if first:
        what += f": {', '.join(first)}{', …' if count > len(first) else ''}; remove or move them first"
    else:
        what += ", outside what the token is for: ask somebody whose token covers them to remove or move them first"
    raise ProblemError(HTTPStatus.CONFLICT, "referred_to", what)
