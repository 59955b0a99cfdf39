"""Whether the tables are as this version needs them."""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from reporting.migrations import SCRIPTS
from vonggac.database import Database
from vonggac.database.migrations import is_outdated, newest_revision


async def migrations_missing(database: Database) -> str | None:
    """Readiness: None when the tables are at the newest revision, or of a newer release; otherwise one line."""
    wanted = await asyncio.to_thread(newest_revision, SCRIPTS)
    try:
        async with database.engine.connect() as connection:
            present = await connection.scalar(text("select version_num from alembic_version"))
    except (DBAPIError, OSError):
        return "the tables are missing: run `python -m reporting migrate`"
    if not await asyncio.to_thread(is_outdated, SCRIPTS, present):
        return None
    return f"the tables are at {present}, not {wanted}: run `python -m reporting migrate`"
