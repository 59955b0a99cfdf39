"""Which releases work with the tables as they are: the tables say so themselves, beside their revision.

A revision with whose tables older releases cannot work has `lowest_compatible = "<revision>"` in its file, mostly its
own; releases that know that one work with them. A revision without it keeps what the one before says.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from vonggac.database.engine import Database

# Also of tables that a release without the column migrated last.
_READ = text("select version_num, to_jsonb(alembic_version) ->> 'lowest_compatible' from alembic_version")
_EXISTS = text("select to_regclass('alembic_version') is not null")
_HAS_COLUMN = text(
    "select exists (select from pg_attribute where attrelid = to_regclass('alembic_version') "
    "and attname = 'lowest_compatible')"
)
_CREATE = text(
    "create table if not exists alembic_version ("
    "version_num varchar(32) not null constraint alembic_version_pkc primary key, lowest_compatible varchar(32))"
)
_ADD_COLUMN = text("alter table alembic_version add column if not exists lowest_compatible varchar(32)")
_WRITE = text(
    "update alembic_version set lowest_compatible = :lowest "
    "where version_num = :revision and lowest_compatible is distinct from :lowest"
)


@dataclass(frozen=True)
class TablesAt:
    """The revision that tables are at, and the lowest one whose release works with them; None: they do not say."""

    revision: str
    lowest_compatible: str | None


class IncompatibleTablesError(ValueError):
    """Tables of a newer release with which this one cannot work; the text says how to mend it."""


def read_tables(connection: Connection) -> TablesAt | None:
    """Read what the tables say of themselves; None: no migration has run."""
    if not connection.scalar(_EXISTS):
        return None
    row = connection.execute(_READ).one_or_none()
    return None if row is None else TablesAt(*row)


def newest_revision(scripts: Path) -> str:
    """Find the newest revision of the scripts."""
    head = ScriptDirectory(str(scripts)).get_current_head()
    assert head is not None
    return head


def lowest_compatible(scripts: Path, revision: str) -> str:
    """Find the lowest revision whose release works with tables at `revision`, as the files of the revisions say."""
    lowest = revision
    for script in ScriptDirectory(str(scripts)).walk_revisions("base", revision):
        if (declared := getattr(script.module, "lowest_compatible", None)) is not None:
            return str(declared)
        lowest = script.revision
    return lowest


def is_known(scripts: Path, revision: str) -> bool:
    """Whether the scripts have this revision."""
    return revision in {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}


def is_outdated(scripts: Path, present: str | None) -> bool:
    """Whether the scripts have something to do for tables at `present`; never for those of a newer release."""
    return present is None or (present != newest_revision(scripts) and is_known(scripts, present))


def check_newer(scripts: Path, tables: TablesAt) -> str | None:
    """None when a release with these scripts works with tables that it does not know; otherwise why not, and the mend.

    In a rolling upgrade the tables are of the next release already: it has added to them, and says so.
    """
    own, mend = newest_revision(scripts), "start the newer release again, or restore the backup that was made before it"
    if tables.lowest_compatible is None:
        return (
            f"the tables are at {tables.revision}, which this release ({own}) does not know, and they do not say "
            f"that it works with them: {mend}"
        )
    if not is_known(scripts, tables.lowest_compatible):
        return (
            f"the tables are at {tables.revision} and work with releases from {tables.lowest_compatible} on, "
            f"and this one is at {own}: {mend}"
        )
    return None


async def tables_missing(database: Database, scripts: Path, command_line: str) -> str | None:
    """Readiness: None when the tables are at the newest revision, or newer and compatible; otherwise one line.

    `command_line`: what brings them there.
    """
    try:
        async with database.engine.connect() as connection:
            tables = await connection.run_sync(read_tables)
    except ProgrammingError:
        tables = None
    except (DBAPIError, OSError):
        return "not known: PostgreSQL does not answer"
    if tables is None:
        return f"the tables are missing: run `{command_line}`"
    return await asyncio.to_thread(_find_fault, scripts, tables, command_line)


def _find_fault(scripts: Path, tables: TablesAt, command_line: str) -> str | None:
    if is_outdated(scripts, tables.revision):
        return f"the tables are at {tables.revision}, not {newest_revision(scripts)}: run `{command_line}`"
    return None if is_known(scripts, tables.revision) else check_newer(scripts, tables)


def prepare_statement(connection: Connection) -> TextClause | None:
    """Choose the statement that gives the table of revisions its column; None: it has it."""
    if connection.scalar(_HAS_COLUMN):
        return None
    return _ADD_COLUMN if connection.scalar(_EXISTS) else _CREATE


def write_lowest_compatible(connection: Connection, scripts: Path, revision: str) -> None:
    """Write beside `revision` which releases work with it, in the transaction that is open."""
    connection.execute(_WRITE, {"revision": revision, "lowest": lowest_compatible(scripts, revision)})
