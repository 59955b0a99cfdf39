"""One engine per process, one transaction per request or message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg import AsyncConnection
from pydantic import SecretStr
from sqlalchemy import URL, MetaData, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from vonggac.settings.passwords import read_password

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_PASSING = (
    # A standby that is not promoted yet, or a server that its operator keeps from growing.
    psycopg.errors.ReadOnlySqlTransaction,
    # Not migrated yet, or amid being restored.
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    # `destination.mode` without that column is the aggregate `mode` of the whole row.
    psycopg.errors.WrongObjectType,
)


class DatabaseSettings(Protocol):
    """What the engine needs of a service's settings."""

    @property
    def database_url(self) -> SecretStr: ...
    @property
    def database_password_file(self) -> Path | None: ...


def new_metadata() -> MetaData:
    """Metadata whose constraints have predictable names, so that an error names its column."""
    return MetaData(naming_convention=NAMING)


def with_password(url: str, password: str) -> URL:
    """Put this password into the address, whatever characters it has. Raises ValueError for what is no address."""
    try:
        return make_url(url).set(password=password)
    except ArgumentError:
        msg = "the database's URL cannot be read"
        raise ValueError(msg) from None


def database_address(settings: DatabaseSettings) -> URL | str:
    """Build the URL that a service connects to, with the password of the file if one is named.

    Raises OSError or ValueError when the file cannot be read.
    """
    url = settings.database_url.get_secret_value()
    if settings.database_password_file is None:
        return url
    return with_password(url, read_password(settings.database_password_file))


def is_away(error: Exception) -> bool:
    """Whether PostgreSQL, or the way to it, is at fault for now: away, restarting, full, read-only or not migrated.

    The same statement succeeds later; False where it is wrong by itself.
    """
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, _PASSING)
    # What comes past SQLAlchemy, as of a COPY.
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError, *_PASSING))


class Database:
    """The connection pool. `url` is `postgresql+psycopg://…`; it is never logged."""

    def __init__(self, url: str | URL, *, pool_size: int = 10) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=5,
            # As long as a connection stands, libpq keeps a buffer as large as the largest row that came over it, and
            # PostgreSQL its plans: the work goes over as few connections as it needs, not over each in its turn.
            pool_use_lifo=True,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "async_creator_fn": _connect},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session in one transaction: committed on success, rolled back on any error."""
        async with self._sessions.begin() as session:
            yield session

    async def check(self) -> str | None:
        """Readiness: None when PostgreSQL answers, otherwise one line."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(text("select 1"))
        except (DBAPIError, OSError) as error:
            return f"PostgreSQL does not answer ({type(error).__name__})"
        return None

    async def connect_alone(self) -> AsyncConnection[Any]:
        """Open a connection outside the pool, in autocommit, for who closes it. Raises psycopg.Error or OSError."""
        _, given = self.engine.dialect.create_connect_args(self.engine.url)
        return await _connect(**given, connect_timeout=5, autocommit=True)

    async def close(self) -> None:
        await self.engine.dispose()


async def _connect(*arguments: Any, **given: Any) -> AsyncConnection[Any]:
    """Connect so that a cancellation leaves no half-open connection behind.

    psycopg leaves the socket of a cancelled connect to the garbage collector; PostgreSQL would wait for its password
    until authentication_timeout (a minute), and everything that waits for all backends, such as DROP DATABASE, with it.
    """
    connecting = asyncio.create_task(AsyncConnection.connect(*arguments, **given))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        await asyncio.wait({connecting})
        if not connecting.cancelled() and connecting.exception() is None:
            await connecting.result().close()
        raise
