"""One reporting database for all tests of a process."""

from sqlalchemy import Engine, create_engine, text

from reporting.migrations import SCRIPTS
from reporting.storage.tables import metadata
from vonggac.database.migrations import newest_revision
from vonggac.embedded import PostgresServer
from vonggac.testing.fixtures import empty_tables

_END_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""


class CommonDatabase:
    """The database that all tests use, one after the other: emptying it costs a quarter of making one."""

    def __init__(self, server: PostgresServer, superuser: Engine, template: str) -> None:
        self._superuser, self._template = superuser, template
        self._newest = newest_revision(SCRIPTS)
        self.url = server.url("reporting", "reporting")
        self.engine = create_engine(server.url("reporting"), pool_pre_ping=True)

    def make(self) -> None:
        self.engine.dispose()
        with self._superuser.connect() as connection:
            connection.execute(text("drop database if exists reporting with (force)"))
            connection.execute(text(f"create database reporting template {self._template} owner reporting"))

    def empty(self) -> None:
        """As `make` leaves it, whatever the test before has done."""
        with self.engine.begin() as connection:
            connection.execute(text(_END_OTHERS))
            whole = connection.scalar(text("select version_num from alembic_version")) == self._newest
            if whole:
                empty_tables(connection, metadata)
                connection.execute(text("insert into ledger_state (id) values (1)"))
        if not whole:
            # A test that migrates did not reach its end.
            self.make()
