"""PostgreSQL for the services that keep records: engine, sessions, migrations. Tables are the services' own."""

from vonggac.database.engine import Database, new_metadata
from vonggac.database.migrations import migrate

__all__ = ["Database", "migrate", "new_metadata"]
