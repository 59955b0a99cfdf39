"""What is read of an instant and a day that a caller asks about: one thing, and lists that follow from several."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import RequestContext
from inventory.api.named import name_actors
from inventory.storage.conflicts import not_found
from inventory.storage.queries.clocks import in_force, read_one_instant, settled_instant
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.sight import missing_for
from inventory.storage.tables import Change, Thing
from vonggac.http import ProblemError
from vonggac.http.lists import PageQuery

type Row = Mapping[str, Any]
type Reading[R] = Callable[[AsyncSession, Recorded], Awaitable[Sequence[R]]]

LATEST = select(func.max(Change.changed_at))


async def read_item(session: AsyncSession, kind: type[Thing], recorded: Recorded, thing_id: UUID) -> Row:
    """One thing as it was on record then. Raises ProblemError 404, or 410 when it was removed."""
    things, valid_on = recorded(kind), recorded.valid_on
    query: Select[Any] = select(things, (in_force(things, valid_on) if valid_on else true()).label("in_force"))
    row = (await session.execute(query.where(things.c.id == thing_id))).mappings().one_or_none()
    singular = kind.noun.replace("_", " ")
    if row is None and recorded.as_of is None:
        raise await missing_for(session, kind, thing_id)
    if row is None:
        raise not_found(kind.noun, f"there was no {singular} with this id on record then")
    if not row["in_force"]:
        msg = f"this {singular} was not in force on {valid_on}"
        raise ProblemError(HTTPStatus.NOT_FOUND, "not_in_force", msg)
    return cast("Row", row)


async def answer_derived[R, S: BaseModel](
    context: RequestContext,
    page: PageQuery[R, S],
    clocks: tuple[datetime | None, date | None],
    read: Reading[R],
    *,
    shown: Callable[[R], S],
    **more: Any,
) -> Response:
    """Answer a page of the rows that `read` finds; the pages after it show the same instant.

    `clocks`: as_of and valid_on. `more`: of the envelope.
    """
    as_of, valid_on = clocks
    instant = page.as_of or as_of
    async with context.read_transaction() as session:
        await read_one_instant(session)
        rows = await read(session, context.recorded(instant, valid_on))
        found = page.cut(rows, as_of=instant)
        if instant is None and found.next is not None:
            latest, instant = await session.scalar(LATEST), await settled_instant(session)
            if instant != latest:
                rows = await read(session, context.recorded(instant, valid_on))
            found = page.cut(rows, as_of=instant)
        answers = await name_actors(session, [shown(row) for row in found.rows])
    return page.answer(found, answers, **more)
