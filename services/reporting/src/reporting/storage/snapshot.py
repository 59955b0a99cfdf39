"""Reading: one unchanging view of all tables for the whole of a report."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.database import Database


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncSession]:
    """Open a read-only REPEATABLE READ transaction, each statement planned for what it is asked."""
    async with database.transaction() as session:
        await session.execute(text("set transaction isolation level repeatable read read only"))
        # A plan for any number of ids and any period takes a hundred times as long with thousands of ids.
        await session.execute(text("set local plan_cache_mode = force_custom_plan"))
        yield session
