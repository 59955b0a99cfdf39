"""Reporting's HTTP app and what runs beside it.

Start: the database pool (connects when used), then the feed, which connects to NATS, waits until streams and tables
stand, and consumes, then housekeeping and the ledger, which wait for the feed; each waits for ever, so nothing depends
on the order in which the platform starts. The API answers from the first moment; `/readyz` says when the figures are
being fed.
Stop, in reverse: uvicorn has let running requests end; the ledger (a day that is half written is written anew),
housekeeping, then the feed are cancelled (what was not acknowledged is delivered again, and the inbox makes that
harmless), its connection is closed, then the pool, since the feed's last transaction needs it. A background task that
ends by itself is a bug: it is logged, `/readyz` fails, and the process stops with exit status 1.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from reporting import metrics
from reporting.api import TAGS, compliance, intervals, lost_facts, maintenance, outages, overview, tables
from reporting.api.availability import figures, late_evidence, targets
from reporting.api.parameters import Context
from reporting.api.reports import charts, files, freezing
from reporting.ingest.cleanup import keep_house_regularly
from reporting.ingest.handlers import Ingest
from reporting.messaging import Feed
from reporting.reports.availability.bookkeeping import bookkeeper_of, keep_ledger_regularly
from reporting.settings import Settings
from reporting.storage.position import Positions
from reporting.storage.revision import migrations_missing
from vonggac.auth import TokenVerifier, install_authentication
from vonggac.database import Database, database_address
from vonggac.http import new_application
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.telemetry import Health, get_logger

log = get_logger(__name__)
ROUTES = (
    figures,
    targets,
    late_evidence,
    compliance,
    overview,
    outages,
    intervals,
    maintenance,
    lost_facts,
    tables,
    freezing,
    files,
    charts,
)
"""The modules of the API: a noun each."""


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_process) -> FastAPI:
    """The service. Raises ValueError when no public keys are set. `on_death` is called when a background task died."""
    database = Database(database_address(settings), pool_size=settings.database_pool_size)
    feed = Feed(settings, Ingest(database, settings), Positions(database), lambda: migrations_missing(database))
    bookkeeper = bookkeeper_of(database, settings)
    tasks, health = TaskSupervisor(on_death), Health()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks.start("feed", feed.run())
        tasks.start("housekeeping", keep_house_regularly(database, settings, feed.begun))
        tasks.start(
            "ledger", keep_ledger_regularly(bookkeeper, settings.ledger_every_s, feed.begun, lambda: feed.behind)
        )
        log.info("reporting_started")
        try:
            yield
        finally:
            await tasks.stop_all()
            await database.close()
            log.info("reporting_stopped")

    health.add("database", database.check)
    health.add("migrations", lambda: migrations_missing(database))
    health.add("bus", feed.check)
    health.add("background", tasks.check)
    app = new_application(
        title="Vong Gac Reporting",
        description="Vọng Gác. From observations to compliance: what is connected, and for how long, truthfully.",
        version=version("vonggac-reporting"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
        tags=TAGS,
    )
    app.state.context = Context(settings, database)
    app.state.tasks = tasks
    verifier = TokenVerifier(
        jwks_file=settings.jwks_file,
        jwks_url=settings.jwks_url,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
    install_authentication(app, verifier)
    for module in ROUTES:
        app.include_router(module.router)
    return app
