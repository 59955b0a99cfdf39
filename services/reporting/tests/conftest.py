"""Reporting on the real PostgreSQL and NATS, called in process, and a small province to report on."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from pydantic import SecretStr
from services.reporting.tests.stage.database import CommonDatabase
from services.reporting.tests.stage.province import Province
from sqlalchemy import Engine, create_engine

from reporting.app import create_app
from reporting.ingest.handlers import Ingest
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS
from vonggac.bus import Bus
from vonggac.database import Database, migrate
from vonggac.embedded import NatsServer, PostgresServer
from vonggac.testing.fixtures import login_of


@pytest.fixture(scope="session")
def reporting_template(postgres_server: PostgresServer) -> str:
    """A database with reporting's tables, made by its migrations, to copy from."""
    name = "reporting_template"
    postgres_server.create_role("reporting")
    postgres_server.create_database(name, "reporting")
    migrate(SCRIPTS, postgres_server.url(name, "reporting"))
    return name


@pytest.fixture(scope="session")
def superuser(postgres_server: PostgresServer) -> Iterator[Engine]:
    engine = create_engine(postgres_server.url("postgres"), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def common_database(
    postgres_server: PostgresServer, superuser: Engine, reporting_template: str
) -> Iterator[CommonDatabase]:
    common = CommonDatabase(postgres_server, superuser, reporting_template)
    common.make()
    yield common
    common.engine.dispose()


@pytest.fixture
def reporting_url(common_database: CommonDatabase) -> str:
    """The database that all tests use, empty."""
    common_database.empty()
    return common_database.url


@pytest.fixture
def settings(reporting_url: str, keys_folder: Path, nats_server: NatsServer) -> Settings:
    login = login_of(nats_server, "reporting")
    return Settings(database_url=SecretStr(reporting_url), **login, jwks_file=keys_folder / JWKS)


@pytest_asyncio.fixture
async def database(reporting_url: str) -> AsyncIterator[Database]:
    made = Database(reporting_url)
    yield made
    await made.close()


@pytest.fixture
def ingest(database: Database, settings: Settings) -> Ingest:
    """The handlers without a bus, for tests of what they store."""
    return Ingest(database, settings)


type Client = httpx.AsyncClient
type Start = Callable[..., Any]


@pytest.fixture
def start(settings: Settings, token_for: Callable[..., str]) -> Start:
    """Start the app and give a client of a role, and of a scope: `async with start() as client`."""

    @asynccontextmanager
    async def started(
        given: Settings = settings, role: Role = Role.PROVINCE_LEAD, scope: tuple[str, ...] = ()
    ) -> AsyncIterator[Client]:
        app = create_app(given)
        async with LifespanManager(app, startup_timeout=10, shutdown_timeout=10):
            headers = {"Authorization": f"Bearer {token_for(role, *scope)}"}
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://reporting", headers=headers) as client:
                yield client

    return started


@pytest_asyncio.fixture
async def client(start: Start, bus: Bus) -> AsyncIterator[Client]:
    """A province lead's client of a running service; streams are declared."""
    async with start() as started:
        yield started


@pytest.fixture
def province() -> Province:
    return Province()
