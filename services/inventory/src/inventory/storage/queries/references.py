"""References that forbid the removal of a thing."""

from http import HTTPStatus
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.http import ProblemError

NAMED = 5


async def refuse_while_referred(session: AsyncSession, what: str, names: Select[Any]) -> None:
    """Raises ProblemError 409 when `names` selects anything; it has the count and the first few names."""
    count = await session.scalar(select(func.count()).select_from(names.subquery())) or 0
    if not count:
        return
    first = (await session.scalars(names.order_by(names.selected_columns[0]).limit(NAMED))).all()
    listed = ", ".join(str(name) for name in first) + (", …" if count > len(first) else "")
    msg = f"{count} {what} still refer to it: {listed}; remove or move them first"
    raise ProblemError(HTTPStatus.CONFLICT, "referred_to", msg)
