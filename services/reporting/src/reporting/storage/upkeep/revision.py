"""Whether the tables are as this version needs them."""

from reporting.migrations import SCRIPTS
from vonggac.database import Database
from vonggac.database.migrations import tables_missing


async def migrations_missing(database: Database) -> str | None:
    """Readiness: None when the tables are at the newest revision, or of a newer release; otherwise one line."""
    return await tables_missing(database, SCRIPTS, "python -m reporting migrate")
