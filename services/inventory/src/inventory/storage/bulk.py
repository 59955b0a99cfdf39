"""COPY of many rows, as one statement of the caller's transaction."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

YIELD_EVERY = 250
"""Rows between two yields to the event loop: writing a row only buffers it."""


async def copy_rows(
    session: AsyncSession, table: type[DeclarativeBase], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append `rows` to `table`. Values are what psycopg adapts; enums as their value, JSON as `Jsonb`.

    Raises psycopg.Error.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver = cast("psycopg.AsyncConnection[Any]", connection.driver_connection)
    names = psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(name) for name in columns)
    statement = psycopg.sql.SQL("copy {} ({}) from stdin").format(psycopg.sql.Identifier(table.__tablename__), names)
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for number, row in enumerate(rows):
            await copy.write_row(row)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
