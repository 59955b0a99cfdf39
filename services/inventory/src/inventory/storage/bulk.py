"""Many rows as one statement of the caller's transaction: appended by COPY, or changed by an UPDATE."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

YIELD_EVERY = 250
"""Rows between two yields to the event loop: writing a row only buffers it."""


async def update_rows(
    session: AsyncSession, table: type[DeclarativeBase], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Set `columns` of the rows whose id is the first value of each of `rows`; returns how many there were.

    One statement, so that the triggers of the history run once. Values as of `copy_rows`. Raises psycopg.Error.
    """
    connection = await (await session.connection()).get_raw_connection()
    driver = cast("psycopg.AsyncConnection[Any]", connection.driver_connection)
    sql, target = psycopg.sql, psycopg.sql.Identifier(table.__tablename__)
    names = [sql.Identifier(name) for name in columns]
    listed = sql.SQL(", ").join([sql.Identifier("id"), *names])
    staged = sql.Identifier(f"staged_{table.__tablename__}")
    async with driver.cursor() as cursor:
        await cursor.execute(
            sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
                staged, listed, target
            )
        )
        async with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(staged, listed)) as copy:
            for number, row in enumerate(rows):
                await copy.write_row(row)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        await cursor.execute(sql.SQL("analyze {}").format(staged))
        values = sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(name) for name in names)
        await cursor.execute(sql.SQL("update {} t set {} from {} s where s.id = t.id").format(target, values, staged))
        updated = cursor.rowcount
        await cursor.execute(sql.SQL("drop table {}").format(staged))
    return updated


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
