"""Runs a service's Alembic migrations, from the command line and from tests alike.

Each revision is a transaction, and so is each step of one that would hold a table for long (vonggac.database.steps).
What waits for a lock gives up before the running service waits behind it, and is tried again; what is done stays done.
"""

import random
import sys
from collections.abc import Collection
from pathlib import Path
from time import monotonic, sleep

from alembic import command, context
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, engine_from_config, pool, text
from sqlalchemy.exc import DBAPIError, OperationalError

from vonggac.database.compatibility import (
    IncompatibleTablesError,
    check_newer,
    is_known,
    is_outdated,
    newest_revision,
    prepare_statement,
    read_tables,
    tables_missing,
    write_lowest_compatible,
)
from vonggac.database.engine import DatabaseSettings, database_address
from vonggac.database.steps import LOCK_TIMEOUT, STEP_TABLE
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

__all__ = [
    "config", "is_outdated", "migrate", "migrate_or_exit", "newest_revision", "run_env", "tables_missing",
]  # fmt: skip

MIGRATION_LOCK = 1742_2021
"""Advisory lock: two pods that start at the same time migrate one after the other."""
TURN_PATIENCE_S = 1800.0
LOCK_PATIENCE_S = 600.0
"""How long the migrations are tried again without getting any further."""
_PAUSE_S = (0.2, 3.0)
_PASSING = {"55P03": "a lock", "40P01": "a deadlock", "23505": "a row that was written meanwhile"}
"""SQLSTATE of what another attempt mends: lock_not_available, deadlock_detected, unique_violation (of a new index)."""
_TRY_LOCK = text(f"select pg_try_advisory_lock({MIGRATION_LOCK})")
_HAS_STEPS = text(f"select to_regclass('{STEP_TABLE}') is not null")
_READ_STEPS = text(f"select revision, step, position, done from {STEP_TABLE} order by 1, 2")  # noqa: S608 # a name of ours


def config(scripts: Path, url: str | URL) -> Config:
    """Build an Alembic config for the folder `scripts` (its env.py calls `run_env`)."""
    settings = Config()
    settings.set_main_option("script_location", str(scripts))
    settings.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    settings.attributes["url"] = url
    return settings


def migrate(scripts: Path, url: str | URL, *, lock_patience_s: float = LOCK_PATIENCE_S) -> str | None:
    """Bring the database at `url` to the newest revision. Raises what PostgreSQL or Alembic raises.

    Tables of a newer release that work with this one stay as they are, and a line says so; otherwise None. Raises
    IncompatibleTablesError for those that do not. What waits for a lock is tried again while it gets further, and
    `lock_patience_s` after that.
    """
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        tables = read_tables(connection)
    if tables is not None and not is_known(scripts, tables.revision):
        if (fault := check_newer(scripts, tables)) is not None:
            raise IncompatibleTablesError(fault)
        return f"the tables are at {tables.revision}, of a newer release: nothing to do"
    _upgrade(engine, config(scripts, url), lock_patience_s)
    return None


def _upgrade(engine: Engine, settings: Config, lock_patience_s: float) -> None:
    """Run what is missing, again and again while only passing faults stop it."""
    progress, since, pause_s = _read_progress(engine), monotonic(), _PAUSE_S[0]
    while True:
        try:
            command.upgrade(settings, "head")
        except DBAPIError as error:
            reason = _PASSING.get(getattr(error.orig, "sqlstate", None) or "")
            if reason is None:
                raise
            if (now := _read_progress(engine)) != progress:
                progress, since, pause_s = now, monotonic(), _PAUSE_S[0]
            elif monotonic() - since >= lock_patience_s:
                raise
            log.info("migrations_wait", waits_for=reason)
        else:
            return
        sleep(random.uniform(_PAUSE_S[0], pause_s))  # noqa: S311 # no secret
        pause_s = min(_PAUSE_S[1], pause_s * 1.5)


def _read_progress(engine: Engine) -> object:
    """How far the migrations are: the revision, and the steps of the one that has begun."""
    with engine.connect() as connection:
        steps = connection.execute(_READ_STEPS).all() if connection.scalar(_HAS_STEPS) else []
        return read_tables(connection), list(map(tuple, steps))


def migrate_or_exit(scripts: Path, settings: DatabaseSettings) -> None:
    """Run the command `migrate` of a service: exit status 1 with one line when a file or PostgreSQL is missing."""
    try:
        newer = migrate(scripts, database_address(settings))
    except (OSError, ValueError) as error:
        raise SystemExit(f"the tables are not migrated: {error}") from None
    except OperationalError as error:
        advice = ""
        if getattr(error.orig, "sqlstate", None) in _PASSING:
            advice = (
                "; end what holds it (pg_stat_activity has long transactions), and run this again: it goes on from here"
            )
        raise SystemExit(f"the tables are not migrated: {str(error.orig).strip()}{advice}") from None
    if newer is not None:
        sys.stdout.write(f"{newer}\n")


def run_env(metadata: MetaData) -> None:
    """Run the body of a service's migrations/env.py: each revision in a transaction of its own."""
    given = context.config.attributes.get("url")
    if given is None:
        engine = engine_from_config(context.config.get_section("alembic") or {}, poolclass=pool.NullPool)
    else:
        engine = create_engine(given, poolclass=pool.NullPool)
    with engine.connect() as connection:
        _acquire_migration_lock(connection)
        _run(connection, metadata)
    engine.dispose()


def _acquire_migration_lock(connection: Connection) -> None:
    """Take the lock of migrations for this session. Raises TimeoutError.

    Asked for again and again: who waited inside a statement would hold a snapshot, and an index that the other one
    builds concurrently would wait for that.
    """
    until = monotonic() + TURN_PATIENCE_S
    while not connection.scalar(_TRY_LOCK):
        connection.commit()
        if monotonic() >= until:
            msg = f"another migration of this database has run for {TURN_PATIENCE_S / 60:.0f} minutes"
            raise TimeoutError(msg)
        sleep(0.2)
    connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
    # A bound of the role's would end an index that is being built; locks are held for a moment alone.
    connection.execute(text("set statement_timeout = 0"))
    connection.commit()


def _run(connection: Connection, metadata: MetaData) -> None:
    scripts = Path(context.script.dir)
    is_empty = read_tables(connection) is None
    if (statement := prepare_statement(connection)) is not None:
        connection.execute(statement)
    connection.commit()

    def note_compatible(heads: Collection[str], **_applied: object) -> None:
        for revision in heads:
            write_lowest_compatible(connection, scripts, revision)

    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=note_compatible,  # type: ignore[arg-type] # alembic gives all by name
        empty_database=is_empty,
    )
    with context.begin_transaction():
        context.run_migrations()
    # Tables that a release migrated which said nothing yet.
    if (tables := read_tables(connection)) is not None and tables.lowest_compatible is None:
        write_lowest_compatible(connection, scripts, tables.revision)
    if connection.scalar(_HAS_STEPS):
        connection.execute(text(f"drop table {STEP_TABLE}"))
    connection.commit()
