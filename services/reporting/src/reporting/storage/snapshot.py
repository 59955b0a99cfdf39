"""Reading: one unchanging view of all tables for the whole of a report."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.database import Database


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncSession]:
    """A read-only REPEATABLE READ transaction."""
    async with database.transaction() as session:
        await session.execute(text("set transaction isolation level repeatable read read only"))
        yield session
