"""The forwarder's HTTP app and what runs beside it.

Start: the API answers at once (`/readyz` says what is missing), then NATS is connected and its streams are waited for,
then reports are sent on, heartbeats begin, and last of all jobs are fetched: nothing is forwarded that could not be
reported. Stop, the other way round: no more jobs are fetched, every camera's sessions are ended and its job is given
back, the reports still in memory are stored, the connection is closed. While NATS is away, forwarding goes on. A
background task that dies takes the process with it: an orchestrator can restart a dead process, not a half dead one.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from forwarder.api import TAGS, actions, cameras, commands, deliveries, workers
from forwarder.api.refusals import VIETNAMESE
from forwarder.metrics import Metrics
from forwarder.relay.service import Process
from forwarder.settings import Settings
from vonggac.auth import TokenVerifier, add_routes, check_policy, install_authentication
from vonggac.auth.places import FacilityPlaces
from vonggac.auth.policy import FORWARDER
from vonggac.children.sandbox_report import report_sandbox
from vonggac.http import new_application
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.http.protection import BodyLimits
from vonggac.telemetry import Health

MAX_BODY_BYTES = 16 * 1024
"""Of any request; reading it shares the event loop with media."""
STOP_SLACK_S = 10.0
"""Beyond the time that sessions and jobs are given: for what is stored and closed after them."""


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_process) -> FastAPI:
    """Build the app; `on_death` is called when its work dies. Raises OSError or ValueError for an unusable key file."""
    metrics = Metrics()
    process = Process(settings, metrics)
    tasks, health = TaskSupervisor(on_death), Health()
    health.add("work", process.check)
    health.add("nats", process.check_outage, degrades=True)
    health.add("background", tasks.check)
    health.add("clock", process.clock.check_skew, degrades=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        report_sandbox(metrics.registry)
        tasks.start(
            "forwarder",
            process.run(),
            ask_to_stop=process.stop,
            stop_within_s=settings.stop_within_s + STOP_SLACK_S,
        )
        try:
            yield
        finally:
            await tasks.stop_all()

    app = new_application(
        service="forwarder",
        title="Vong Gac Forwarder",
        description="Vọng Gác. One camera to two destinations, neither harming the other: how each delivery stands.",
        version=version("vonggac-forwarder"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
        package="forwarder.api",
        vietnamese=VIETNAMESE,
        tags=TAGS,
        body_limits=BodyLimits(MAX_BODY_BYTES),
    )
    install_authentication(app, TokenVerifier.of(settings, unix_s=process.clock.unix_s), FORWARDER)
    app.state.process = process
    app.state.tasks = tasks
    app.state.places = FacilityPlaces()
    add_routes(app, (deliveries.router, commands.router, cameras.router, workers.router, actions.router))
    check_policy(app)
    return app
