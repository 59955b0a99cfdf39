"""The console's HTTP app.

Start: the pages answer at once (`/readyz` says what is missing), then NATS is connected, where the sessions are; until
then nobody is signed in, and pages say so. Stop: the streams of open pages end, the connections to the services and to
NATS are closed. It keeps no fact: two replicas behind one address are the same as one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from nats.errors import Error as NatsError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from console.acts.contracts import Contracts
from console.apis.caller import Caller
from console.apis.inventory import Inventory
from console.apis.prober import Prober
from console.apis.reporting import Reporting
from console.drawing.page import render
from console.drawing.page_headers import PageHeaders
from console.forms import calls, files, imports, records, uploads
from console.forms import routes as forms
from console.forms.links import acts as link_acts
from console.forms.links import home as link_home
from console.live import live_video, picture_stream, pictures
from console.live import routes as live
from console.live.events import Listeners
from console.live.live_video import LIVE_STREAMS
from console.live.open_streams import OpenStreams
from console.live.picture_stream import STREAMS
from console.metrics import Metrics
from console.pages import audit, cameras, facilities, health, obligations, overview, preferences, reports, requests
from console.pages import pictures as many_pictures
from console.settings import Settings
from console.sign_in import routes as sign_in
from console.sign_in import screen_routes
from console.sign_in.code_flow import CodeFlow
from console.sign_in.cookies import Cookies
from console.sign_in.kept_forms import KeptForms
from console.sign_in.provider import Provider
from console.sign_in.required import SignInNeededError, way_back
from console.sign_in.same_origin import SameOrigin
from console.sign_in.screens import Screens
from console.sign_in.sessions import NoRoomError, Sessions
from console.sign_in.visitor import NoRoomForSessionsError, SessionsAwayError, Visitors
from console.survey import sheets, shell, submissions
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import CONSOLE
from vonggac.http.application import add_health_routes
from vonggac.http.background import TaskSupervisor, end_process
from vonggac.http.metrics.requests import Requests
from vonggac.http.metrics.service import ServiceMetrics
from vonggac.http.protection import BodyLimit, BodyLimits, ResponseHeaders
from vonggac.telemetry import Health

MAX_BODY_BYTES = 64 * 1024
PROVIDER_WITHIN_S = 5.0
LARGER = {
    "/reports/verify": 33 * 1024 * 1024,
    r"/acts/inventory/\w+": 1024 * 1024,
    r"/f/inventory/\w+": 1024 * 1024,
    r"/acts/upload/[a-z-]+": 21 * 1024 * 1024,
    "/register/imports": 21 * 1024 * 1024,
    r"/survey/submissions/[0-9a-f/-]+": 1024 * 1024,
    r"/survey/photos/[0-9a-f/-]+": 11 * 1024 * 1024,
}
"""A file to verify, files that are handed in; the forms of plans and surveys have thousands of inputs."""
MEASURED_EVERY_S = 30.0
CALLS_AT_ONCE = 512
DRAFT_KEPT_S = 3600.0
PAGES = (
    overview,
    facilities,
    cameras,
    many_pictures,
    obligations,
    requests,
    reports,
    imports,
    records,
    files,
    audit,
    health,
    calls,
    uploads,
    forms,
    preferences,
    link_home,
    link_acts,
    sheets,
    submissions,
    shell,
)
OF_SCRIPTS = ("/live", "/pictures", "/pictures/stream", "/pictures/live")
"""Asked for by a page's script: it cannot be sent to a sign-in."""
STATIC = Path(__file__).parent / "static"


def create_app(
    settings: Settings, *, on_death: Callable[[], None] = end_process, unix_s: Callable[[], float] = time.time
) -> FastAPI:
    """Build the app. Raises OSError or ValueError for an unusable file of a secret. `on_death`: when the work died."""
    # A caller's client: no proxy of the environment, no redirects that would carry a token elsewhere.
    limits = httpx.Limits(max_connections=CALLS_AT_ONCE, max_keepalive_connections=64)
    client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits, timeout=PROVIDER_WITHIN_S)
    flow = _code_flow(settings, client, unix_s)
    tasks = TaskSupervisor(on_death)

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        tasks.start("sessions", _keep_sessions(running, settings, flow, unix_s))
        try:
            yield
        finally:
            await tasks.stop_all()
            await client.aclose()

    app = FastAPI(
        title="Vong Gac Console",
        version=version("vonggac-console"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.settings, app.state.unix_s, app.state.tasks = settings, unix_s, tasks
    app.state.cookies, app.state.flow = Cookies(settings.secure), flow
    app.state.visitors = app.state.screen_visitors = app.state.screens = app.state.bus = app.state.kept = None
    _add_services(app, settings, client, unix_s)
    _add_health(app, settings)
    for module in (sign_in, screen_routes, live, pictures, picture_stream, live_video, *PAGES):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    _handle_errors(app)
    return app


def _code_flow(settings: Settings, client: httpx.AsyncClient, unix_s: Callable[[], float]) -> CodeFlow:
    return CodeFlow(
        Provider(settings.issuer, settings.oidc_client_id, client),
        client,
        redirect_uri=settings.base_url + "/sign-in/callback",
        scope=settings.oidc_scope,
        secret=settings.client_secret,
        unix_s=unix_s,
    )


def _add_services(app: FastAPI, settings: Settings, client: httpx.AsyncClient, unix_s: Callable[[], float]) -> None:
    def caller(service: str, url: str) -> Caller:
        return Caller(service, url, client, within_s=settings.part_timeout_s, unix_s=unix_s)

    app.state.metrics = Metrics()
    callers = {
        "reporting": caller("reporting", settings.reporting_url),
        "inventory": caller("inventory", settings.inventory_url),
        "prober": caller("prober", settings.prober_url),
        "forwarder": caller("forwarder", settings.forwarder_url),
    }
    app.state.callers, app.state.contracts = callers, Contracts(callers)
    app.state.reporting = Reporting(callers["reporting"])
    app.state.inventory = Inventory(callers["inventory"])
    app.state.prober = Prober(callers["prober"])
    app.state.picture_streams, app.state.lives = OpenStreams(STREAMS), OpenStreams(LIVE_STREAMS)
    app.state.listeners = Listeners(
        app.state.reporting,
        app.state.metrics,
        most=settings.max_listeners,
        unix_s=unix_s,
    )
    app.state.end_streams = partial(_end_streams, app.state)


def _end_streams(state: State) -> None:
    for streams in (state.listeners, state.picture_streams, state.lives):
        streams.end()


def _add_health(app: FastAPI, settings: Settings) -> None:
    health = Health()

    async def check_nats() -> str | None:
        bus: Bus | None = app.state.bus
        return "not connected yet" if bus is None else await bus.check()

    health.add("nats", check_nats)
    health.add("background", app.state.tasks.check)
    common = ServiceMetrics("console", app.version, health)
    _protect(app, settings, common)
    add_health_routes(app, health, app.state.metrics.registry, common)


async def _keep_sessions(app: FastAPI, settings: Settings, flow: CodeFlow, unix_s: Callable[[], float]) -> None:
    """Connect to NATS, and stay until the stop."""
    bus = await Bus.connect(settings, name="console")
    try:
        await bus.wait_for_topology(CONSOLE)
        sessions = Sessions(
            Bucket(bus, topology.CONSOLE_SESSIONS),
            unix_s,
            longest_s=settings.session_h * 3600,
            idle_s=settings.idle_min * 60,
        )
        app.state.screens = Screens(Bucket(bus, topology.CONSOLE_SCREENS), unix_s)
        app.state.screen_visitors = Visitors(app.state.screens, flow, unix_s)
        app.state.bus, app.state.visitors = bus, Visitors(sessions, flow, unix_s)
        app.state.kept = KeptForms(Bucket(bus, topology.CONSOLE_SESSIONS))
        await measure_buckets(bus, app.state.metrics)
    finally:
        app.state.bus = app.state.visitors = app.state.kept = None
        app.state.screens = app.state.screen_visitors = None
        await bus.close()


async def measure_buckets(bus: Bus, metrics: Metrics) -> None:
    """Keep the gauge of both buckets current until cancelled."""
    buckets = (Bucket(bus, topology.CONSOLE_SESSIONS), Bucket(bus, topology.CONSOLE_SCREENS))
    while True:
        with suppress(NatsError, TimeoutError, OSError):
            for bucket in buckets:
                metrics.bucket_ratio.labels(bucket.name).set(await bucket.used())
        await asyncio.sleep(MEASURED_EVERY_S)


def _protect(app: FastAPI, settings: Settings, common: ServiceMetrics) -> None:
    """Put before every route what protects it: what is added last comes first."""
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(SameOrigin, origin=settings.base_url)
    app.add_middleware(PageHeaders, secure=settings.secure)
    app.add_middleware(BodyLimit, limits=BodyLimits(MAX_BODY_BYTES, LARGER))
    app.add_middleware(Requests, metrics=common.requests)
    app.add_middleware(ResponseHeaders)


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeededError)
    async def send_to_sign_in(request: Request, _error: SignInNeededError) -> Response:
        if _is_of_a_script(request):
            return PlainTextResponse("sign in first", status_code=401)
        to = httpx.QueryParams({"to": way_back(request)})
        response = RedirectResponse(f"/sign-in?{to}", status_code=303)
        if request.method == "POST" and request.url.path.startswith("/acts/"):
            with suppress(NoRoomError, NatsError, TimeoutError, OSError):
                await _keep_typed(request, response)
        return response

    @app.exception_handler(SessionsAwayError)
    async def show_sessions_away(request: Request, error: SessionsAwayError) -> Response:
        is_full = isinstance(error, NoRoomForSessionsError)
        return render(request, "sign_in/sessions_away.html", status=503, is_full=is_full)

    @app.exception_handler(HTTPException)
    async def show_error(request: Request, error: HTTPException) -> Response:
        return render(request, "error.html", status=error.status_code)

    @app.exception_handler(ClientDisconnect)
    async def answer_nobody(_request: Request, _error: ClientDisconnect) -> Response:
        return PlainTextResponse("the line was cut", status_code=400)

    @app.exception_handler(Exception)
    async def show_fault(request: Request, _error: Exception) -> Response:
        return render(request, "error.html", status=500)


def _is_of_a_script(request: Request) -> bool:
    path = request.url.path
    return path.startswith(shell.SCOPE) or path == "/live" or (path in OF_SCRIPTS and request.method == "POST")


async def _keep_typed(request: Request, response: Response) -> None:
    """Keep what was typed: it stands in the form again after the sign-in of a person whose session had ended."""
    cookies: Cookies = request.app.state.cookies
    kept: KeptForms | None = request.app.state.kept
    session = cookies.read(request, cookies.session)
    if kept is not None and session is not None and await kept.has_ended(session):
        draft = await kept.store_draft(session, await request.body())
        cookies.write(response, cookies.draft, draft, within_s=DRAFT_KEPT_S)
