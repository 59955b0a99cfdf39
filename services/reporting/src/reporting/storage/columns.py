"""Thousands of rows as one row of arrays, an array per column, in binary.

What carries a row over costs more than what is in it; numbers as text would cost PostgreSQL and us as much again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession


async def columns(session: AsyncSession, query: str, given: Mapping[str, Any]) -> list[Sequence[Any]]:
    """The arrays that `query` gives, all as long, within the session's transaction. Parameters as psycopg has them."""
    pooled = await (await session.connection()).get_raw_connection()
    connection: Any = pooled.driver_connection
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, given)
        found = await cursor.fetchone()
    return [column or () for column in found]
