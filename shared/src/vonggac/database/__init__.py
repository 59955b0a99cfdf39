"""PostgreSQL for the services that keep records: engine, sessions, migrations. Tables are the services' own."""

from vonggac.database.engine import Database, database_address, is_away, new_metadata
from vonggac.database.migrations import migrate, migrate_or_exit

__all__ = ["Database", "database_address", "is_away", "migrate", "migrate_or_exit", "new_metadata"]
