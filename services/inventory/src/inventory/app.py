"""Putting inventory together.

Start: the database pool (connects when used, so the API starts while PostgreSQL is still away, and says so in
`/readyz`), then the relay task, which connects to NATS for as long as that takes: the API works without NATS, changes
wait in the outbox. Stop, in reverse: uvicorn has let running requests end; the relay is cancelled (what it had
under way stays in the outbox, and NATS drops the repetition), its connection is closed, then the pool it used.
A background task that ends by itself is a bug: it is logged, `/readyz` fails, and the process stops.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory.api import routers
from inventory.api.context import Services
from inventory.messaging import RelayReady, connect_and_relay, measure
from inventory.metrics import Metrics
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.store import Store
from vonggac.auth import Sealer, TokenVerifier, install_authentication
from vonggac.database import Database, database_address
from vonggac.database.migrations import newest_revision
from vonggac.http import new_application
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.telemetry import Health, get_logger

log = get_logger(__name__)
MEASURE_EVERY_S = 5.0


def create_app(settings: Settings) -> FastAPI:
    """The service. Raises OSError or ValueError when a key file cannot be used."""
    metrics, health = Metrics(), Health()
    database = Database(database_address(settings))
    relay = RelayReady(database, metrics, poll_s=settings.relay_poll_s)
    background = _Background()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background.start("relay", connect_and_relay(settings, relay))
        background.start("metrics", measure(database, metrics, relay, every_s=MEASURE_EVERY_S))
        log.info("inventory_started")
        try:
            yield
        finally:
            await background.stop()
            await database.close()
            log.info("inventory_stopped")

    health.add("database", database.check)
    health.add("migrations", lambda: _migrations(database))
    health.add("background", background.check)
    app = new_application(
        title="Vọng Gác inventory",
        description="Facilities, cameras, people and destinations: the wanted state.",
        version=version("vonggac-inventory"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
    )
    app.state.services = Services(
        store=Store(database, on_commit=relay.wake, write_wait_s=settings.write_wait_s),
        sealer=Sealer.from_file(settings.workers_public_key_file),
        metrics=metrics,
        import_max_bytes=settings.import_max_bytes,
        allowed=AllowedNetworks.parse(settings.allowed_networks) if settings.allowed_networks is not None else None,
    )
    verifier = TokenVerifier(
        jwks_file=settings.jwks_file,
        jwks_url=settings.jwks_url,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
    install_authentication(app, verifier)
    for router in routers():
        app.include_router(router)
    return app


async def _migrations(database: Database) -> str | None:
    wanted = newest_revision(SCRIPTS)
    try:
        async with database.engine.connect() as connection:
            present = await connection.scalar(text("select version_num from alembic_version"))
    except (DBAPIError, OSError):
        return "the tables are missing: run `python -m inventory migrate`"
    return (
        None if present == wanted else f"the tables are at {present}, not {wanted}: run `python -m inventory migrate`"
    )


class _Background:
    """The tasks beside the API. One that dies takes the process down: never half alive."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._dead: str | None = None

    def start(self, name: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def check(self) -> str | None:
        return self._dead

    async def stop(self) -> None:
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self._dead = f"the task {task.get_name()} has ended"
        log.error("background_task_died", task=task.get_name(), exc_info=error)
        signal.raise_signal(signal.SIGTERM)
