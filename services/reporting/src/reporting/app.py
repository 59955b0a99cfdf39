"""Reporting's HTTP app and what runs beside it.

Start: the database pool (connects when used), then the feed, which connects to NATS, waits until streams and tables
stand, and consumes, then the present, which needs the tables alone, then what waits for the feed: housekeeping, the
ledger, the publisher of the outbox (on the feed's connection), the sender of webhooks (only with a key that opens their
secrets), the watcher, which fills the outbox for both, so it starts after them, the urger, which reads what the watcher
noticed, and the keeper of regimes, which freezes reports at their cut-offs while the tables are not behind. Each waits
for ever, so nothing depends on the order in which the platform starts. The API answers from the first moment; `/readyz`
says when the figures are being fed. Now is the NATS server's, as soon as the feed has measured it (decision 0021).
Stop, in reverse: uvicorn has let running requests end; the keeper of regimes is cancelled first (a report that is half
frozen is frozen anew), then the urger (a message under way may come twice, with the same reference), then the watcher
(its transaction is rolled back, and the next one finds the same), the sender (a message under way may come twice, with
the same id), the publisher (what NATS has not confirmed stays in the outbox), the ledger (a day that is half written is
written anew), housekeeping, then the feed (what was not acknowledged is delivered again, and the inbox makes that
harmless), its connection is closed, then the pool, since the last transactions need it. A background task that ends by
itself is a bug: it is logged, `/readyz` fails, and the process stops with exit status 1.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version

import psycopg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reporting import metrics
from reporting.api import TAGS, actions, compliance, outages, overview, tables
from reporting.api.availability import figures, late_evidence, targets
from reporting.api.evidence import clock_steps, intervals, lost_facts, maintenance, stream_losses, strips
from reporting.api.mandate import calendar_feeds, camera_security, deviations, inspections, obligations, progress
from reporting.api.parameters import Context
from reporting.api.present import cameras as present_cameras
from reporting.api.present import counting, events, freshness
from reporting.api.present.streaming import Listeners
from reporting.api.refusals import VIETNAMESE
from reporting.api.reports import charts, contacts, files, freezing, issued, regimes
from reporting.api.sending import channels, deliveries, national, rules, urges, webhooks
from reporting.domain.evidence.stream_age import is_behind
from reporting.feeds.calendar_access import SecretAddresses, knows_feeds
from reporting.feeds.compliance_metrics import ComplianceMetrics
from reporting.feeds.sealing import Seal
from reporting.feeds.tasks import FeedTasks
from reporting.ingest.cleanup import keep_house_regularly
from reporting.ingest.handlers import Ingest
from reporting.messaging import Feed
from reporting.reports.availability.bookkeeping import bookkeeper_of, keep_ledger_regularly
from reporting.reports.present.board import Board
from reporting.reports.present.counts import Tally
from reporting.reports.present.keeper import Keeper
from reporting.settings import Settings
from reporting.storage.mandate.links import find_links_in
from reporting.storage.upkeep.position import Positions
from reporting.storage.upkeep.revision import migrations_missing
from vonggac.auth import TokenVerifier, add_routes, check_policy, install_authentication
from vonggac.auth.links import FindLink
from vonggac.auth.policy import REPORTING
from vonggac.bus.clock import ServerClock, export_clock
from vonggac.bus.declared import topology
from vonggac.children.sandbox_report import report_sandbox
from vonggac.database import Database, database_address, is_away
from vonggac.http import new_application
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.http.problems import ProblemError, problem_response
from vonggac.http.protection import BodyLimits
from vonggac.telemetry import Health, get_logger
from vonggac.telemetry.garbage_collection import give_memory_back_regularly
from vonggac.telemetry.health import at_start

log = get_logger(__name__)

PRESENT_EVERY_S = 1.0
"""Between two rounds of accounting what may stand otherwise now."""
LEDGER_EVERY_S = 60.0
"""Between two rounds of keeping the ledger."""
ROUTES = (
    counting,
    present_cameras,
    events,
    freshness,
    figures,
    targets,
    late_evidence,
    compliance,
    overview,
    outages,
    intervals,
    strips,
    progress,
    obligations,
    calendar_feeds,
    deviations,
    camera_security,
    inspections,
    webhooks,
    deliveries,
    national,
    rules,
    channels,
    urges,
    actions,
    maintenance,
    lost_facts,
    stream_losses,
    clock_steps,
    tables,
    freezing,
    regimes,
    issued,
    contacts,
    files,
    charts,
)
"""Modules with a router, in the order of the documentation."""
LIMITS = BodyLimits(
    larger={
        "/v1/reports/verify": files.MAX_FILE_BYTES,
        r"/v1/issued-papers/[^/]+/file": issued.MAX_FILE_BYTES,
    }
)


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_process) -> FastAPI:
    """Build the service. Raises ValueError when no public keys are set, OSError or ValueError for a key file that
    cannot be used. `on_death` is called when a background task died."""
    database = Database(database_address(settings), pool_size=settings.database_pool_size)
    clock = ServerClock()
    export_clock(clock, skew=metrics.CLOCK_SKEW, error=metrics.CLOCK_ERROR)
    ingest = Ingest(database, settings, clock=clock.now)
    feed = Feed(settings, ingest, Positions(database), lambda: migrations_missing(database), clock=clock)
    seal = None if settings.secrets_key_file is None else Seal.from_file(settings.secrets_key_file)
    feed_tasks = FeedTasks(settings, database, feed, seal, ingest.is_transient, clock=clock.now)
    bookkeeper = bookkeeper_of(database, settings)
    keeper, tasks, health = _keeper_of(settings, database, clock), TaskSupervisor(on_death), Health()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        report_sandbox(metrics.registry)
        tasks.start("feed", feed.run())
        tasks.start("present", keeper.run())
        tasks.start("housekeeping", keep_house_regularly(database, settings, feed.begun, clock.now, feed.report_losses))
        tasks.start(
            "ledger",
            keep_ledger_regularly(bookkeeper, LEDGER_EVERY_S, feed.begun, lambda: feed.behind, clock.now),
        )
        feed_tasks.start(tasks)
        tasks.start("memory", give_memory_back_regularly())
        log.info("reporting_started")
        try:
            yield
        finally:
            await tasks.stop_all()
            await database.close()
            log.info("reporting_stopped")

    _add_checks(health, database, feed, tasks, clock)
    health.add("present", keeper.check, degrades=True)
    app = new_application(
        service="reporting",
        title="Vong Gac Reporting",
        description="Vọng Gác. From observations to compliance: what is connected, and for how long, truthfully.",
        version=version("vonggac-reporting"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
        package="reporting.api",
        vietnamese=VIETNAMESE,
        tags=TAGS,
        body_limits=LIMITS,
    )
    tally = Tally(keeper.board)
    app.state.context = Context(settings, database, clock.now, seal=seal, feed_tasks=feed_tasks, present=tally)
    _add_present(app, tally, freshness.Ages(feed, clock, keeper.board))
    app.state.compliance_metrics, app.state.tasks = ComplianceMetrics(database, settings), tasks
    verifier = TokenVerifier.of(settings, unix_s=clock.unix_s)
    install_authentication(app, verifier, REPORTING, find_link=_links_of(database, feed, settings))
    app.state.authenticate = knows_feeds(database, app.state.authenticate, verifier.wrong_tokens)
    app.add_middleware(SecretAddresses)
    _answer_while_away(app)
    add_routes(app, (module.router for module in ROUTES))
    check_policy(app)
    return app


def _keeper_of(settings: Settings, database: Database, clock: ServerClock) -> Keeper:
    return Keeper(database, Board(), clock.now, alive_s=settings.presumed_alive_s, every_s=PRESENT_EVERY_S)


def _links_of(database: Database, feed: Feed, settings: Settings) -> FindLink:
    """They are known while the tables are what the register says, within seconds."""
    most = settings.ingest_batch
    return find_links_in(database, feed.clock.now, lambda: not is_behind(feed.ages(), topology.INVENTORY, most))


def _add_present(app: FastAPI, tally: Tally, ages: freshness.Ages) -> None:
    """Add the present's streams: the server ends them before it waits for the requests that run."""
    app.state.ages = ages
    listeners = Listeners(tally.board.wake)
    app.state.composer, app.state.listeners = events.Composer(tally), listeners
    app.state.end_streams = listeners.stop


def _add_checks(health: Health, database: Database, feed: Feed, tasks: TaskSupervisor, clock: ServerClock) -> None:
    """While NATS is away the API stays: it reports what is in the tables."""
    health.add("database", database.check)
    health.add("migrations", lambda: migrations_missing(database))
    health.add("bus", feed.check)
    health.add("nats", at_start(feed.check_outage))
    health.add("nats", feed.check_outage, degrades=True)
    health.add("background", tasks.check)
    health.add("clock", clock.check_skew, degrades=True)


def _answer_while_away(app: FastAPI) -> None:
    """503 while PostgreSQL is away; an error that is a mistake of ours stays one."""

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(psycopg.OperationalError)
    async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
        if not is_away(error) and not isinstance(error, psycopg.OperationalError):
            raise error
        log.warning("database_unavailable", error=type(error).__name__)
        msg = "the database does not answer, try again shortly"
        headers = {"Retry-After": "2"}
        return problem_response(
            ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable", msg, headers=headers)
        )
