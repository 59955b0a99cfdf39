"""One database out into a file and back in, by PostgreSQL's own programs.

They come with the wheel of the embedded server, else they are found on PATH. A program may be newer than the server.
"""

import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from local.backup.copy_folder import DatabaseCopy, UnusableBackupError
from local.platform.environment import DatabaseLogin
from vonggac.embedded.postgres import postgres_binaries
from vonggac.settings.passwords import read_password

CONNECT_WITHIN_S = 10
NOTED_FOR = timedelta(days=400)
_NOTE = "insert into backups (finished_at, began_at, size_bytes) values (%s, %s, %s)"
_RELATIONS = """
select count(*) from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""


class DatabaseError(OSError):
    """A database cannot be reached, or refused; the message says what it said."""


class RecordDatabase:
    """The database of one record keeper. Every method blocks and raises DatabaseError."""

    def __init__(self, name: str, login: DatabaseLogin) -> None:
        url = make_url(login.url)
        self.name = name
        # Without the password: arguments show in the process list.
        self._address = make_conninfo(
            host=url.host,
            port=url.port,
            user=url.username,
            dbname=url.database,
            **{name: value for name, value in url.query.items() if isinstance(value, str)},
        )
        self._password = str(url.password) if url.password is not None else read_password(login.password_file)

    def describe(self) -> DatabaseCopy:
        """Read the server's version and the tables' revision, now."""
        with self._connect() as connection:
            version = connection.info.server_version
            table = connection.execute("select to_regclass('public.alembic_version')").fetchone()
            revision = None
            if table is not None and table[0] is not None:
                row = connection.execute("select version_num from alembic_version").fetchone()
                revision = str(row[0]) if row is not None else None
        return DatabaseCopy(name=self.name, postgres=version // 10_000, revision=revision)

    def dump(self, file: Path) -> None:
        """Tables, data and all else of one moment; the service goes on."""
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")

    def note_backup(self, began_at: datetime, finished_at: datetime, size_bytes: int) -> bool:
        """Note a complete backup, for the alert of an old one; False where the tables are of an older release."""
        with self._connect() as connection:
            table = connection.execute("select to_regclass('public.backups')").fetchone()
            if table is None or table[0] is None:
                return False
            connection.execute(_NOTE, (finished_at, began_at, size_bytes))
            connection.execute("delete from backups where finished_at < %s", (finished_at - NOTED_FOR,))
        return True

    def require_empty(self, copy: DatabaseCopy) -> None:
        """Raise UnusableBackupError when something is in it, or when its server is older than the copy's."""
        with self._connect() as connection:
            row = connection.execute(_RELATIONS).fetchone()
            version = connection.info.server_version // 10_000
        if row is not None and int(str(row[0])) > 0:
            msg = (
                f"the database {self.name} is not empty ({row[0]} tables and sequences): restore into a new one; "
                "what is there is never replaced"
            )
            raise UnusableBackupError(msg)
        if version < copy.postgres:
            msg = f"the backup of {self.name} is of PostgreSQL {copy.postgres}, this is {version}: use that or newer"
            raise UnusableBackupError(msg)

    def load(self, file: Path) -> None:
        """All of it or nothing, in one transaction; then the planner's statistics."""
        self._run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(file))
        with self._connect() as connection:
            connection.autocommit = True
            connection.execute("analyze")

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        try:
            return psycopg.connect(self._address, password=self._password, connect_timeout=CONNECT_WITHIN_S)
        except psycopg.Error as error:
            raise DatabaseError(f"the database {self.name} does not answer: {str(error).strip()}") from None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(program), f"--dbname={self._address}", "--no-password", *arguments],
            env={**os.environ, "PGPASSWORD": self._password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DatabaseError(f"{program} of the database {self.name} failed: {done.stderr.strip()}")


def _program(name: str) -> str:
    """Find a client program of PostgreSQL. Raises DatabaseError."""
    try:
        beside = postgres_binaries() / name
    except FileNotFoundError:
        beside = None
    found = str(beside) if beside is not None and beside.exists() else shutil.which(name)
    if found is None:
        raise DatabaseError(f"{name} is missing: install PostgreSQL's client programs")
    return found
