"""Pytest fixtures: one nats-server and one PostgreSQL per test run, fresh streams and databases per test."""

import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
import structlog
from nats.js.api import StreamConfig, StreamInfo
from pydantic import SecretStr
from sqlalchemy import URL, Connection, Engine, MetaData, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from vonggac.auth import AccessScope, Role
from vonggac.auth.keys import ensure_keys, token_issuer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.testing.processes import ForgetfulServer
from vonggac.testing.waiting import eventually


@dataclass(frozen=True)
class NatsAt:
    """Bus settings; without a user for a test that must be able to do everything."""

    nats_url: str
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    nats_password_file: Path | None = None
    nats_store_bytes: int | None = None
    nats_ca_file: Path | None = None


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vonggac-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def nats_server(servers_folder: Path) -> Iterator[NatsServer]:
    server = NatsServer(servers_folder / "nats", free_port())
    server.start()
    yield server
    server.stop()


def login_of(server: NatsServer, user: str) -> dict[str, Any]:
    """Build settings of a service that logs in to NATS as it does on a platform, with its own permissions alone."""
    return {"nats_url": server.url, "nats_user": user, "nats_password_file": server.password_file(user)}


OTHER_POSTGRES = "VONGGAC_TEST_POSTGRES"
"""Environment variable: the folder of another PostgreSQL's programs, to run the tests on that one."""


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[PostgresServer]:
    other = os.environ.get(OTHER_POSTGRES)
    binaries = Path(other) if other else None
    server = PostgresServer(servers_folder / "postgres", free_port(), durable=False, binaries=binaries)
    server.start()
    yield server
    server.stop()


_EMPTY = """
do $$
declare
  name text;
  filled boolean;
begin
  -- Triggers rest: those that write history, and the foreign keys, of which nothing is left to guard.
  set local session_replication_role = replica;
  foreach name in array string_to_array('{tables}', ' ') loop
    execute format('select exists (select from %I)', name) into filled;
    if filled then
      execute format('delete from %I', name);
    end if;
  end loop;
  perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null;
end $$
"""
"""`truncate` would make new files for each table and index, the empty ones too."""


def empty_tables(connection: Connection, metadata: MetaData) -> None:
    """Delete every row and begin every sequence anew, as a superuser: cheaper than another database."""
    tables = " ".join(table.name for table in metadata.sorted_tables)
    connection.execute(text(_EMPTY.format(tables=tables)))


class _Dialects:
    """Makes engines as SQLAlchemy does; those of one address share what was compiled, and what is known of the server.

    Each test starts its service anew. To compile its statements anew is a tenth of what that costs.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[URL, str], AsyncEngine] = {}

    def create(self, url: str | URL, **options: Any) -> AsyncEngine:
        """One with a pool of its own, which no other loop has used."""
        key = make_url(url), repr(options)
        if key not in self._first:
            self._first[key] = create_async_engine(url, **options)
        first = self._first[key].sync_engine
        made = Engine(first.pool.recreate(), first.dialect, first.url, hide_parameters=first.hide_parameters)
        made._compiled_cache = first._compiled_cache
        return AsyncEngine(made)


@pytest.fixture(scope="session", autouse=True)
def _statements_are_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vonggac.database.engine.create_async_engine", _Dialects().create)
        yield


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """Create an empty database of its own."""
    name = f"test_{uuid4().hex}"
    postgres_server.create_database(name)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


_followed_by_bus = pytest.StashKey[bool]()
"""Of a test: the next one of this process uses `bus` too."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    item.stash[_followed_by_bus] = "bus" in getattr(nextitem, "fixturenames", ())


@pytest_asyncio.fixture
async def bus(request: pytest.FixtureRequest, nats_server: NatsServer) -> AsyncIterator[Bus]:
    """Connect to the test server with the topology freshly declared."""
    connected = await Bus.connect(NatsAt(nats_server.url), name="test")
    try:
        await forget_topology(connected, nats_server, keep_untouched=True)
        try:
            await topology.declare(connected.js)
        except topology.UnchangeableError:
            await forget_topology(connected, nats_server)
            await topology.declare(connected.js)
        yield connected
        # Who uses `bus` cleans up at first, and needs not make again what nobody wrote to.
        if not request.node.stash.get(_followed_by_bus, False):
            await forget_topology(connected, nats_server)
    finally:
        await connected.close()


@pytest.fixture
def forgetful_server(tmp_path: Path) -> Iterator[ForgetfulServer]:
    """Start a nats-server of the test's own, which can be set back to an older disk."""
    server = ForgetfulServer(tmp_path / "nats", free_port())
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def connected_as(user: str, server: NatsServer) -> AsyncIterator[Bus]:
    """Connect with the login of a service, and so in its account."""
    connected = await Bus.connect(NatsAt(**login_of(server, user)), name=user)
    try:
        yield connected
    finally:
        await connected.close()


@pytest_asyncio.fixture
async def prober_bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    """Where the prober asks forwarders for keyframes."""
    async with connected_as("prober", nats_server) as connected:
        yield connected


@pytest_asyncio.fixture
async def reporting_bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    """From where reporting says to workers what was lost."""
    async with connected_as("reporting", nats_server) as connected:
        yield connected


@pytest_asyncio.fixture
async def forwarder_bus(nats_server: NatsServer) -> AsyncIterator[Bus]:
    """Where forwarders ask each other and listen."""
    async with connected_as("forwarder", nats_server) as connected:
        yield connected


@pytest_asyncio.fixture
async def forgetful_bus(forgetful_server: ForgetfulServer) -> AsyncIterator[Bus]:
    """Connect to it, with the topology declared."""
    connected = await Bus.connect(NatsAt(forgetful_server.url), name="test")
    await topology.declare(connected.js)
    yield connected
    await connected.close()


async def forget_topology(bus: Bus, server: NatsServer, *, keep_untouched: bool = False) -> None:
    """Delete every stream of the platform; `keep_untouched`: but those that are as `topology.declare` makes them.

    nats-server answers a deletion when it has moved the stream's folder aside, and removes it afterwards. A stream of
    the same name that is deleted meanwhile cannot be moved there: it stays on disk, and the next one of that name
    starts with its messages or fails on its half removed files. So earlier deletions must be complete first.
    """
    await eventually(lambda: not put_aside(server), what="removal of the streams deleted before")
    existing = {str(info.config.name): info for info in await bus.js.streams_info()}
    wanted = {str(config.name): config for config in (*topology.buckets(1), *reversed(topology.streams(1)))}
    touched = {
        name: config
        for name, config in wanted.items()
        if name in existing and not (keep_untouched and _is_untouched(existing[name], config))
    }
    # A queue that outlives its source searches for the next one of that name seconds later.
    if any(config.sources or name == topology.INVENTORY for name, config in touched.items()):
        touched |= {name: config for name, config in wanted.items() if config.sources or name == topology.INVENTORY}
    for name in wanted:
        if name in touched and name in existing:
            await bus.js.delete_stream(name)


def _is_untouched(existing: StreamInfo, declared: StreamConfig) -> bool:
    """Whether nothing was ever stored there, and `topology.declare` can mend what else was done to it."""
    consumers = sum(consumer.stream == declared.name for consumer in topology.CONSUMERS)
    state, config = existing.state, existing.config
    return (state.last_seq, state.consumer_count, config.storage, config.retention or declared.retention) == (
        0,
        consumers,
        declared.storage,
        declared.retention or config.retention,
    )


def put_aside(server: NatsServer) -> list[Path]:
    """Folders of deleted streams that the server has not removed yet."""
    return list(server.folder.glob("jetstream/jetstream/*/streams/.*"))


@pytest.fixture(scope="session")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the folder of what simulators have encoded, for all workers of the run."""
    here = tmp_path_factory.getbasetemp()
    folder = (here.parent if "PYTEST_XDIST_WORKER" in os.environ else here) / "clips"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def keys_folder(servers_folder: Path) -> Path:
    """Key files as the embedded default makes them."""
    ensure_keys(servers_folder / "keys")
    return servers_folder / "keys"


@pytest.fixture(scope="session")
def token_for(keys_folder: Path) -> Callable[..., str]:
    """Make a bearer token of a role, with a scope where parts of one are given; `subject`: another person; `name`,
    `post`: what it says of who that is."""
    issuer = token_issuer(keys_folder)

    def make(role: Role, *parts: str, subject: str | None = None, name: str = "", post: str = "") -> str:
        scope = AccessScope.parse(parts) if parts else None
        return issuer.issue(
            subject=subject or f"test-{role}",
            roles=frozenset({role}),
            valid_for=timedelta(hours=1),
            scope=scope,
            name=name,
            post=post,
        )

    return make


@pytest.fixture
def patient_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for another's login waits to its end, however busy this machine is.

    On a platform nobody is kept waiting for longer than a second, and a login more is made then.
    """
    monkeypatch.setattr("vonggac.logins.lock.PATIENCE_S", 60.0)
    monkeypatch.setattr("vonggac.logins.guard.PATIENCE_S", 60.0)
    monkeypatch.setattr("vonggac.logins.guard.SHORT_CLAIM_LASTS", timedelta(seconds=60))


@pytest.fixture
def logging_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests that call `configure_logging`. Loggers that are used meanwhile keep none of its configuration."""
    root = logging.getLogger()
    handlers, level, really = root.handlers, root.level, structlog.configure

    def configure(**given: Any) -> None:
        really(**{**given, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", configure)
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
