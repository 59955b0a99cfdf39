"""Putting reporting together.

Start: the database pool (connects when used), then the feed, which connects to NATS, waits until streams and tables
stand, and consumes; each waits for ever, so nothing depends on the order in which the platform starts. The API answers
from the first moment; `/readyz` says when the figures are being fed. Stop, in reverse: uvicorn has let running requests
end; the feed is cancelled (what was not acknowledged is delivered again, and the inbox makes that harmless), its
connection is closed, then the pool, since the feed's last transaction needs it. A background task that ends by itself
is a bug: it is logged, `/readyz` fails, and the process stops.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from reporting import metrics
from reporting.api import compliance, intervals, maintenance, outages, overview
from reporting.api.parameters import Context
from reporting.messaging import Feed
from reporting.settings import Settings
from reporting.storage.revision import migrations_missing
from vonggac.auth import TokenVerifier, install_authentication
from vonggac.database import Database, database_address
from vonggac.http import new_application
from vonggac.telemetry import Health, get_logger

log = get_logger(__name__)


def end_the_process() -> None:
    """Ask this process to stop in order."""
    signal.raise_signal(signal.SIGTERM)


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_the_process) -> FastAPI:
    """The service. Raises ValueError when no public keys are set. `on_death` is called when a background task died."""
    database = Database(database_address(settings), pool_size=settings.database_pool_size)
    feed, background, health = Feed(settings, database), Background(on_death), Health()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        background.start("feed", feed.run())
        log.info("reporting_started")
        try:
            yield
        finally:
            await background.stop()
            await database.close()
            log.info("reporting_stopped")

    health.add("database", database.check)
    health.add("migrations", lambda: migrations_missing(database))
    health.add("bus", feed.check)
    health.add("background", background.check)
    app = new_application(
        title="Vọng Gác reporting",
        description="Observations to intervals to compliance: what is connected, and for how long, truthfully.",
        version=version("vonggac-reporting"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
    )
    app.state.context = Context(settings, database)
    app.state.background = background
    verifier = TokenVerifier(
        jwks_file=settings.jwks_file,
        jwks_url=settings.jwks_url,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
    install_authentication(app, verifier)
    for module in (compliance, overview, outages, intervals, maintenance):
        app.include_router(module.router)
    return app


class Background:
    """Named tasks, all held, all cancelled and awaited by `stop`. `on_death` is called when one ends by itself."""

    def __init__(self, on_death: Callable[[], None] = end_the_process) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._on_death = on_death
        self.dead: str | None = None

    def start(self, name: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def check(self) -> str | None:
        """Readiness: None while every task lives."""
        return self.dead

    async def stop(self) -> None:
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        self.dead = f"the task {task.get_name()} has ended"
        log.critical("background_task_died", task=task.get_name(), exc_info=error)
        self._on_death()
