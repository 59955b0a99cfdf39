"""Pages of a query by keyset: the condition "behind the last row of the page before", in the list's order.

Cheaper than an offset, and no row is shown twice or left out when others come or go in between.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, Select, String, Text, and_, false, func, or_, tuple_


class Ordered(Protocol):
    """One level of a sort, as `vonggac.http.lists.sorting.Ordering` is."""

    @property
    def name(self) -> str: ...

    @property
    def descending(self) -> bool: ...

    @property
    def longest(self) -> int | None: ...


def keyset_page[Q: Select[Any]](
    query: Q,
    columns: Mapping[str, ColumnElement[Any]],
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
) -> Q:
    """`query` in order, behind the row whose values are `last`, with one row more than `limit`.

    None is last, or first when descending, as PostgreSQL has it; a column that may hold none is known by its own
    `nullable`. Long texts are compared by their beginning. The last ordering has to be of a unique column.
    """
    ordered = [(_beginning(columns[one.name], one.longest), one.descending) for one in orderings]
    if last is not None:
        query = query.where(behind(ordered, last))
    return query.order_by(*(column.desc() if descending else column.asc() for column, descending in ordered)).limit(
        limit + 1
    )


def behind(ordered: Sequence[tuple[ColumnElement[Any], bool]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes behind the one with the values `last`."""
    directions = {descending for _, descending in ordered}
    if len(directions) == 1 and not any(_may_be_null(column) for column, _ in ordered):
        # One comparison of rows, which an index over these columns answers.
        row, values = tuple_(*(column for column, _ in ordered)), tuple_(*last)
        return row < values if directions.pop() else row > values
    steps: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (column, descending), value in zip(ordered, last, strict=True):
        steps.append(and_(*equal, _beyond(column, value, descending=descending)))
        equal.append(column.is_not_distinct_from(value))
    return or_(*steps)


def _beyond(column: ColumnElement[Any], value: Any, *, descending: bool) -> ColumnElement[bool]:
    if descending:
        return column.is_not(None) if value is None else column < value
    if value is None:
        return false()
    return or_(column > value, column.is_(None)) if _may_be_null(column) else column > value


def _beginning(column: ColumnElement[Any], longest: int | None) -> ColumnElement[Any]:
    if longest is None or not isinstance(column.type, String):
        return column
    beginning: Any = func.left(column, longest, type_=Text())
    beginning.nullable = _may_be_null(column)
    return cast("ColumnElement[Any]", beginning)


def _may_be_null(column: ColumnElement[Any]) -> bool:
    return bool(getattr(column, "nullable", True))
