"""Runs a service's Alembic migrations, from the command line and from tests alike."""

import asyncio
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, MetaData, create_engine, engine_from_config, pool, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from vonggac.database.engine import Database, DatabaseSettings, database_address

LOCK_TIMEOUT = "4s"
MIGRATION_LOCK = 1742_2021
"""Advisory lock: two pods that start at the same time migrate one after the other."""


def config(scripts: Path, url: str | URL) -> Config:
    """An Alembic config for the folder `scripts` (its env.py calls `run_env`)."""
    settings = Config()
    settings.set_main_option("script_location", str(scripts))
    settings.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    settings.attributes["url"] = url
    return settings


def migrate(scripts: Path, url: str | URL) -> str | None:
    """Bring the database at `url` to the newest revision. Raises what PostgreSQL or Alembic raises.

    Tables of a newer release stay as they are: this one runs with them. A line says so then; otherwise None.
    """
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    if present is not None and not _is_known(scripts, present):
        return f"the tables are at {present}, of a newer release: nothing to do"
    command.upgrade(config(scripts, url), "head")
    return None


def migrate_or_exit(scripts: Path, settings: DatabaseSettings) -> None:
    """The command `migrate` of a service: exit status 1 with one line when a file or PostgreSQL is missing."""
    try:
        newer = migrate(scripts, database_address(settings))
    except (OSError, ValueError) as error:
        raise SystemExit(f"the tables are not migrated: {error}") from None
    except OperationalError as error:
        raise SystemExit(f"the tables are not migrated: {error.orig}") from None
    if newer is not None:
        sys.stdout.write(f"{newer}\n")


def is_outdated(scripts: Path, present: str | None) -> bool:
    """Whether the scripts have something to do for tables at `present`.

    In a rolling upgrade the tables are of the next release already: it has added to them, and this one runs with them.
    """
    return present is None or (present != newest_revision(scripts) and _is_known(scripts, present))


async def tables_missing(database: Database, scripts: Path, command_line: str) -> str | None:
    """Readiness: None when the tables are at the newest revision, or of a newer release; otherwise one line.

    `command_line`: what brings them there.
    """
    wanted = await asyncio.to_thread(newest_revision, scripts)
    try:
        async with database.engine.connect() as connection:
            present = await connection.scalar(text("select version_num from alembic_version"))
    except ProgrammingError:
        return f"the tables are missing: run `{command_line}`"
    except (DBAPIError, OSError):
        return "not known: PostgreSQL does not answer"
    if not await asyncio.to_thread(is_outdated, scripts, present):
        return None
    return f"the tables are at {present}, not {wanted}: run `{command_line}`"


def _is_known(scripts: Path, revision: str) -> bool:
    return revision in {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}


def newest_revision(scripts: Path) -> str:
    """The newest revision of the scripts."""
    head = ScriptDirectory(str(scripts)).get_current_head()
    assert head is not None
    return head


def run_env(metadata: MetaData) -> None:
    """The body of a service's migrations/env.py.

    A migration waits at most LOCK_TIMEOUT for a lock: it fails before it blocks the running service.
    """
    given = context.config.attributes.get("url")
    if given is None:
        engine = engine_from_config(context.config.get_section("alembic") or {}, poolclass=pool.NullPool)
    else:
        engine = create_engine(given, poolclass=pool.NullPool)
    with engine.begin() as connection:
        _run(connection, metadata)
    engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    connection.execute(text(f"select pg_advisory_xact_lock({MIGRATION_LOCK})"))
    connection.execute(text(f"set local lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=False
    )
    with context.begin_transaction():
        context.run_migrations()
