"""The composition of inventory.

Start: the database pool (it connects when used, so the API starts while PostgreSQL is away, and `/readyz` names it),
then the relay task, which connects to NATS (the API works without NATS, and changes wait in the outbox; only before its
clock was measured once nothing can be dated, and is refused with 503) and has the
reconciler beside it, then the tasks of the gauges. Stop, in reverse: uvicorn waits for running requests; imports in the
background are cancelled (nothing of them is stored); the gauges, then the relay are cancelled (unconfirmed rows stay in
the outbox, and NATS drops the repetition), the connection is closed, then the database pool. A background task that
ends by itself is a bug: inventory logs it, `/readyz` fails, and the process stops with status 1.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from inventory.api import routers, tags
from inventory.api.context import Services
from inventory.api.files.waiting import ImportQueue
from inventory.api.labels import with_labels
from inventory.domain.mandate.surveying.attachments import MAX_BYTES, MAX_SCAN_BYTES
from inventory.domain.places.retention import Retention
from inventory.importing.mistakes.translated import VIETNAMESE
from inventory.importing.storing.import_list import Background
from inventory.messaging import BusTask, RelayReady, connect_and_relay, watch_register
from inventory.metrics import Metrics
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.outbox import Outbox, measure
from inventory.storage.queries.links import find_links_in
from inventory.storage.queries.write_dates import WriteDates
from inventory.storage.store import Store
from inventory.storage.upkeep.gauges import measure_register
from inventory.storage.upkeep.reconciling import Reconciler
from inventory.storage.upkeep.republishing import publish_wanted, republish
from inventory.storage.upkeep.restoring import Restores
from inventory.storage.upkeep.streams import measure_streams
from vonggac.auth import Sealer, TokenVerifier, add_routes, check_policy, install_authentication
from vonggac.auth.policy import INVENTORY
from vonggac.bus import ServerClock
from vonggac.bus.clock import export_clock
from vonggac.children.sandbox_report import report_sandbox
from vonggac.database import Database, database_address, is_away
from vonggac.database.migrations import tables_missing
from vonggac.http import new_application
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.http.protection import BodyLimits
from vonggac.telemetry import Health, get_logger
from vonggac.telemetry.health import at_start

log = get_logger(__name__)
RELAY_POLL_S = 1.0
"""Between checks of the outbox when this process commits nothing."""
RECONCILE_EVERY_S = 15.0
"""Between two searches for lost jobs."""
MEASURE_EVERY_S = 5.0
MEASURE_REGISTER_EVERY_S = 30.0
AROUND_A_FILE_BYTES = 2 * 2**20
"""Of a form around the file of an import."""


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_process) -> FastAPI:
    """Create the app; a background task's death calls `on_death`. Raises OSError or ValueError for a bad key file."""
    metrics, health = Metrics(), Health()
    database = Database(database_address(settings))
    relay = RelayReady(Outbox(database), metrics, poll_s=RELAY_POLL_S, republish=partial(republish, database))
    clock = ServerClock()
    export_clock(clock, skew=metrics.clock_skew, error=metrics.clock_error)
    beside = (clock.run, *_upkeep(settings, database, metrics, relay))
    tasks = TaskSupervisor(on_death)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        report_sandbox(metrics.registry)
        tasks.start("relay", connect_and_relay(settings, relay, clock, beside=beside))
        tasks.start("metrics", measure(database, metrics, lambda: relay.connected, every_s=MEASURE_EVERY_S))
        tasks.start("register-metrics", measure_register(database, metrics, every_s=MEASURE_REGISTER_EVERY_S))
        log.info("inventory_started")
        try:
            yield
        finally:
            await app.state.imports.stop_all()
            await tasks.stop_all()
            await database.close()
            log.info("inventory_stopped")

    _add_checks(health, database, relay, tasks, clock)
    app = new_application(
        service="inventory",
        title="Vong Gac Inventory",
        description="Vọng Gác. Facilities, cameras, people and destinations: the wanted state.",
        version=version("vonggac-inventory"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
        package="inventory.api",
        tags=tags(),
        body_limits=_body_limits(settings),
        vietnamese=VIETNAMESE,
    )
    app.state.tasks = tasks
    app.state.imports = Background()
    app.state.services = Services(
        store=_store(settings, database, relay, clock),
        sealer=Sealer.from_file(settings.workers_public_key_file),
        metrics=metrics,
        import_max_bytes=settings.import_max_bytes,
        imports=ImportQueue(settings.import_queue_most_bytes, metrics.import_bytes),
        bus=lambda: relay.bus,
        allowed=settings.allowed,
        retention=Retention(settings.retention_days, settings.retention_source),
        link_page=settings.facility_link_page,
        served_addresses=settings.served_addresses,
    )
    _know_callers(app, settings, clock)
    add_routes(app, routers())
    check_policy(app)
    app.openapi = with_labels(app.openapi)  # type: ignore[method-assign]
    return app


def _know_callers(app: FastAPI, settings: Settings, clock: ServerClock) -> None:
    """Callers have signed tokens, or those of links of facilities."""
    store: Store = app.state.services.store
    verifier = TokenVerifier.of(settings, unix_s=clock.unix_s)
    find_link = find_links_in(store)
    install_authentication(app, verifier, INVENTORY, follow_units=store.follow_units, find_link=find_link)


def _add_checks(
    health: Health, database: Database, relay: RelayReady, tasks: TaskSupervisor, clock: ServerClock
) -> None:
    """While NATS is away the API stays: it reads and writes, and what it writes waits in the outbox."""
    health.add("database", database.check)
    health.add("migrations", lambda: tables_missing(database, SCRIPTS, "python -m inventory migrate"))
    health.add("bus", relay.check)
    health.add("background", tasks.check)
    health.add("nats", relay.check_outage, degrades=True)
    health.add("dates", at_start(clock.check_measured))
    health.add("dates", clock.check_measured, degrades=True)
    health.add("clock", clock.check_skew, degrades=True)


def _store(settings: Settings, database: Database, relay: RelayReady, clock: ServerClock) -> Store:
    dates = WriteDates(clock.now, lambda: clock.measured)
    return Store(database, on_commit=relay.wake, write_wait_s=settings.write_wait_s, dates=dates)


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        larger={
            r"/v1/imports(/[^/]+)?": settings.import_max_bytes + AROUND_A_FILE_BYTES,
            r"/v1/surveys/[^/]+/attachments/[^/]+": MAX_BYTES,
            r"/v1/directives/[^/]+/scan": MAX_SCAN_BYTES,
        }
    )


def _upkeep(settings: Settings, database: Database, metrics: Metrics, relay: RelayReady) -> tuple[BusTask, ...]:
    """List the tasks that keep the streams as the register says: lost jobs, sizes, what was migrated or restored."""
    return (
        partial(publish_wanted, database=database, wake=relay.wake, every_s=MEASURE_EVERY_S),
        Reconciler(database, metrics, every_s=RECONCILE_EVERY_S).run,
        partial(measure_streams, metrics=metrics, every_s=MEASURE_EVERY_S),
        partial(
            watch_register,
            register=Restores(database),
            is_transient=is_away,
            on_epoch=relay.wake,
            every_s=RELAY_POLL_S,
        ),
    )
