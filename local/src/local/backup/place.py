"""Where the records and the bus of a platform are: given by addresses, or those of a state folder (`make run`).

A platform that runs with the folder is copied as it runs; otherwise its servers are started for the time of the work.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local.backup.copy_folder import UnusableBackupError, checksum
from local.platform import environment
from local.platform.environment import DatabaseLogin
from local.platform.ports import LOOPBACK
from local.platform.process import to_the_end
from local.platform.state import ProcessRecord, StateFolder, StateInUseError
from local.platform.streams import Login
from vonggac.auth.keys import WORKERS_PUBLIC
from vonggac.bus.declared.permissions import OWNER
from vonggac.embedded import NatsServer, PostgresServer, free_port

NATS_PASSWORD = "nats.password"  # noqa: S105 - a file's name
_LISTENS = re.compile(r'^listen: "[^":]+:(\d+)"', re.MULTILINE)
_PORT_LINE = 3
"""Of PostgreSQL's postmaster.pid."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a backup is made of, and what a restore fills."""

    databases: Mapping[str, DatabaseLogin]
    nats_url: str
    nats_login: Login | None
    keys: Path | None
    """Folder with the workers' public key; None: not known here."""
    nats_ca_file: Path | None = None

    def workers_key(self) -> str | None:
        """SHA-256 of the workers' public key, None where it is not known."""
        file = self.keys / WORKERS_PUBLIC if self.keys is not None else None
        return checksum(file) if file is not None and file.exists() else None


def given(
    database_urls: Mapping[str, str], logins: Path, nats_url: str, keys: Path | None, nats_ca_file: Path | None
) -> Place:
    """`logins`: a folder with `<database>.password` for each and `nats.password`, of the owner of the streams."""
    return Place(
        databases={name: DatabaseLogin(url, logins / f"{name}.password") for name, url in database_urls.items()},
        nats_url=nats_url,
        nats_login=Login(OWNER.name, logins / NATS_PASSWORD),
        keys=keys,
        nats_ca_file=nats_ca_file,
    )


@asynccontextmanager
async def of_state(state: StateFolder, report: Callable[[str, str], None]) -> AsyncIterator[Place]:
    """Open the platform of a state folder, running or not. Raises UnusableBackupError, ServerError or OSError."""
    if not (state.root / "lock").exists():
        msg = f"{state.root} has no platform: `make run` makes one"
        raise UnusableBackupError(msg)
    try:
        with state.lock():
            async with started(state, report) as place:
                yield place
    except StateInUseError:
        yield _running(state)


@asynccontextmanager
async def new_state(state: StateFolder, report: Callable[[str, str], None]) -> AsyncIterator[Place]:
    """Start the servers of a state folder without data, for the time of the work.

    Work that fails leaves none either: when its reason is mended, it may begin again. Raises UnusableBackupError when
    there is data, StateInUseError when a platform runs with it.
    """
    with state.lock():
        for folder in (state.postgres, state.nats):
            if folder.exists() and any(folder.iterdir()):
                msg = (
                    f"{state.root} is not empty: {folder} has data, which is never replaced. Move it away, "
                    "or restore into another folder"
                )
                raise UnusableBackupError(msg)
        try:
            async with started(state, report) as place:
                yield place
        except BaseException:
            for folder in (state.postgres, state.nats):
                await to_the_end(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
            raise


@asynccontextmanager
async def started(state: StateFolder, report: Callable[[str, str], None]) -> AsyncIterator[Place]:
    """PostgreSQL with its roles and databases, and NATS, of a locked state folder; stopped in the end."""
    ProcessRecord(state).stop_leftovers(report)
    postgres = PostgresServer(state.postgres.absolute(), free_port())
    nats = NatsServer(state.nats.absolute(), free_port(), anonymous=False)
    try:
        await to_the_end(asyncio.to_thread(_start, postgres, nats))
        report("servers", "PostgreSQL and NATS are started for this alone")
        yield _place(state, postgres.port, nats.port)
    finally:
        await to_the_end(asyncio.to_thread(nats.stop))
        await to_the_end(asyncio.to_thread(postgres.stop))


def _start(postgres: PostgresServer, nats: NatsServer) -> None:
    postgres.start()
    for name in environment.RECORD_KEEPERS:
        postgres.create_role(name)
        postgres.create_database(name, name)
    nats.start()


def _running(state: StateFolder) -> Place:
    """Find the servers that a running platform has started. Raises UnusableBackupError when they are not up yet."""
    try:
        listens = _LISTENS.search((state.nats / "place.conf").read_text("utf-8"))
        port = int((state.postgres / "data" / "postmaster.pid").read_text("ascii").splitlines()[_PORT_LINE])
    except (OSError, IndexError, ValueError):
        listens = None
    if listens is None:
        msg = f"the platform of {state.root} is starting or stopping: try again when it runs"
        raise UnusableBackupError(msg)
    return _place(state, port, int(listens[1]))


def _place(state: StateFolder, postgres_port: int, nats_port: int) -> Place:
    server = PostgresServer(state.postgres.absolute(), postgres_port)
    return Place(
        databases={
            name: DatabaseLogin(server.address(name, name), server.password_file(name))
            for name in environment.RECORD_KEEPERS
        },
        nats_url=f"nats://{LOOPBACK}:{nats_port}",
        nats_login=Login(OWNER.name, state.nats_password(OWNER.name)),
        keys=state.keys,
    )
