"""Pages of things, ordered by one unique column; a cursor is the last value of the previous page."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from inventory.domain.text import fold
from vonggac.http import FieldError, ProblemError


@dataclass(frozen=True, slots=True)
class Page[T]:
    """The things of one page, and the cursor of the next one; None on the last page."""

    items: Sequence[T]
    next: str | None


async def fetch_page[T](
    session: AsyncSession,
    query: Select[T],
    key: InstrumentedAttribute[Any],
    *,
    cursor: str | None,
    limit: int,
    newest_first: bool = False,
) -> Page[T]:
    """Up to `limit` rows of `query` after `cursor`, by `key`. Raises ProblemError 422 for a cursor of another list."""
    if cursor is not None:
        position = _decode(cursor, key.type.python_type)
        query = query.where(key < position if newest_first else key > position)
    ordered = query.order_by(key.desc() if newest_first else key).limit(limit + 1)
    rows = (await session.scalars(ordered)).all()
    more = len(rows) > limit
    items = rows[:limit]
    return Page(items, _encode(getattr(items[-1], key.key)) if more else None)


def matches_search(column: InstrumentedAttribute[str], q: str) -> ColumnElement[bool]:
    """Whether the folded `column` contains every folded word of `q`."""
    words = fold(q).split()
    condition: ColumnElement[bool] = column.contains("", autoescape=True)
    for word in words:
        condition = condition & column.contains(word, autoescape=True)
    return condition


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def _decode(cursor: str, kind: type) -> Any:
    try:
        value = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return {UUID: UUID, int: int}.get(kind, str)(value)
    except (binascii.Error, ValueError):
        message = "use the `next` of the previous page, unchanged"
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            "The cursor does not fit this list.",
            [FieldError(field="cursor", message=message)],
        ) from None
