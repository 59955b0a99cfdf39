"""The prober's HTTP app and what runs beside it.

Start: the API answers at once (`/readyz` says what is missing), then NATS is connected and its streams are waited for,
then observations are sent on, heartbeats begin, and last of all jobs are fetched: no probe or read-back is made whose
result could not be published. ONVIF scans begin on demand. Stop, the other way round: scans are cancelled and what they
found is stored, no more jobs are fetched and running probes and read-backs get their time, what is unfinished is given
back, the heartbeat ends, the observations still in memory are stored, the connection is closed. A background task that
dies takes the process with it: an orchestrator can restart a dead process, not a half dead one.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import FastAPI

from prober.api import (
    TAGS,
    actions,
    cameras,
    demands,
    devices,
    live,
    networks,
    pictures,
    probes,
    prometheus,
    references,
    repetition,
    scans,
    verifications,
    workers,
)
from prober.api.refusals import VIETNAMESE
from prober.domain.limits.demands import Limits
from prober.metrics import Metrics
from prober.probes.demands import DemandGate
from prober.probes.limits import OnDemandLimit
from prober.probes.onvif.scan import Scanner
from prober.probes.service import Process
from prober.probes.viewing.rounds import Rounds
from prober.settings import Settings
from vonggac.auth import TokenVerifier, add_routes, check_policy, install_authentication
from vonggac.auth.places import FacilityPlaces
from vonggac.auth.policy import PROBER
from vonggac.children.sandbox_report import report_sandbox
from vonggac.http import new_application
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.http.protection import BodyLimits
from vonggac.telemetry import Health

ROUTED = (
    cameras,
    references,
    devices,
    repetition,
    probes,
    verifications,
    pictures,
    live,
    scans,
    demands,
    actions,
    networks,
    workers,
    prometheus,
)
MAX_BODY_BYTES = 64 * 1024
"""Of any request; a list of addresses to scan is the longest."""
STOP_SLACK_S = 10.0
"""Beyond the time that sessions and jobs are given: for what is stored and closed after them."""
MAX_SCANS = 4
"""ONVIF scans at a time in this process."""
SCANNED_AT_A_TIME = 16
"""Addresses asked by all of them."""
ON_DEMAND_AT_A_TIME = 4
"""Probes and read-backs that callers ask for."""
PICTURE_STREAMS = 8
"""Streams of many pictures that are open at a time."""


def create_app(settings: Settings, *, on_death: Callable[[], None] = end_process) -> FastAPI:
    """Build the app; `on_death` is called when its work dies. Raises OSError or ValueError for an unusable key file."""
    metrics = Metrics(per_camera=settings.metrics_per_camera)
    process = Process(settings, metrics)
    scanner = Scanner(
        worker_id=process.worker_id,
        allowed_networks=settings.allowed,
        metrics=metrics,
        concurrency=SCANNED_AT_A_TIME,
        max_scans=MAX_SCANS,
        gate=process.gate,
    )
    tasks, health = TaskSupervisor(on_death), Health()
    health.add("work", process.check)
    health.add("background", tasks.check)
    health.add("clock", process.clock.check_skew, degrades=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        report_sandbox(metrics.registry)
        tasks.start(
            "prober",
            process.run(),
            ask_to_stop=process.stop,
            stop_within_s=settings.stop_within_s + STOP_SLACK_S,
        )
        try:
            yield
        finally:
            await scanner.stop()
            await tasks.stop_all()

    app = new_application(
        service="prober",
        title="Vong Gac Prober",
        description="Vọng Gác. Is the stream alive, is the picture true, do its destinations receive it: the latest "
        "probe of each camera, the latest read-back of each delivery.",
        version=version("vonggac-prober"),
        lifespan=lifespan,
        health=health,
        metrics=metrics.registry,
        package="prober.api",
        vietnamese=VIETNAMESE,
        tags=TAGS,
        body_limits=BodyLimits(MAX_BODY_BYTES),
    )
    install_authentication(app, TokenVerifier.of(settings, unix_s=process.clock.unix_s), PROBER)
    app.state.process = process
    app.state.tasks = tasks
    app.state.places = FacilityPlaces()
    app.state.scanner = scanner
    app.state.settings = settings
    app.state.on_demand_limit = OnDemandLimit(ON_DEMAND_AT_A_TIME)
    app.state.rounds = Rounds(PICTURE_STREAMS)
    app.state.end_streams = partial(_end_streams, app.state.rounds, process)
    app.state.demands = _demands(settings, process, metrics)
    add_routes(app, (module.router for module in ROUTED))
    check_policy(app)
    return app


def _end_streams(rounds: Rounds, process: Process) -> None:
    """Before the service stops: nobody who views is waited for."""
    rounds.end()
    if process.lives is not None:
        process.lives.end()


def _demands(settings: Settings, process: Process, metrics: Metrics) -> DemandGate:
    limits = Limits(settings.max_endpoints_per_caller)
    return DemandGate(limits, metrics, lambda address: process.gate.network_of(address, None))
