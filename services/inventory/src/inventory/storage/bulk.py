"""Many rows as one statement of the caller's transaction: appended by COPY."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

YIELD_EVERY = 250
"""Rows between two yields to the event loop: writing a row only buffers it."""


async def copy_rows(
    session: AsyncSession, table: type[DeclarativeBase] | str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append `rows` to `table`, a temporary one by its name.

    Values are what psycopg adapts; enums as their value, JSON as `Jsonb`.
    Raises psycopg.Error.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver = cast("psycopg.AsyncConnection[Any]", connection.driver_connection)
    names = psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(name) for name in columns)
    target = psycopg.sql.Identifier(table if isinstance(table, str) else table.__tablename__)
    statement = psycopg.sql.SQL("copy {} ({}) from stdin").format(target, names)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for number, row in enumerate(rows):
            await copy.write_row(row)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)


async def refresh_statistics(session: AsyncSession, kinds: Iterable[type[DeclarativeBase]]) -> None:
    """After thousands of rows: PostgreSQL plans by what it has counted, which it does by itself a minute later."""
    tables = [name for kind in kinds for name in (kind.__tablename__, f"{kind.__tablename__}_history")]
    await session.execute(text(f"analyze {', '.join(tables)}"))
