"""Rows of a large answer, some at a time, by a cursor of the server that is closed whatever happens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncResult, AsyncSession


@asynccontextmanager
async def open_cursor[*Columns](session: AsyncSession, query: Select[*Columns]) -> AsyncIterator[AsyncResult[*Columns]]:
    """Yield the rows of `query` as they come from the server.

    Who leaves amid them, by an error or because the caller has gone, leaves no cursor open.
    """
    result = await session.stream(query)
    try:
        yield result
    finally:
        await result.close()
