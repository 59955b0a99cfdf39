"""Thousands of rows as one row of arrays, an array per column, in binary.

What carries a row over costs more than what is in it; numbers as text would cost PostgreSQL and us as much again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

LARGE_VALUES = 50_000
"""About a megabyte."""


async def columns(session: AsyncSession, query: str, given: Mapping[str, Any]) -> list[Sequence[Any]]:
    """Read the arrays that `query` gives, all as long, in the session's transaction. Parameters as psycopg has them."""
    pooled = await (await session.connection()).get_raw_connection()
    connection: Any = pooled.driver_connection
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, given)
        found = [column or () for column in await cursor.fetchone()]
    await renew_after(session, found)
    return found


async def renew_after(session: AsyncSession, row: Sequence[Sequence[Any]]) -> None:
    """Call for each row of arrays: a large one costs its connection, which is made anew when it is next asked for.

    As long as a connection stands, libpq keeps a buffer as large as its largest row, and PostgreSQL's process what it
    made that row in, for each connection of the pool. A new one takes some ten milliseconds.
    """
    if sum(map(len, row)) > LARGE_VALUES:
        pooled = await (await session.connection()).get_raw_connection()
        pooled.invalidate(soft=True)
