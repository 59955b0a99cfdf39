"""Making a service's FastAPI app: health routes, metrics and errors are the same in all four."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from vonggac.http.conditional import Revalidation
from vonggac.http.front_page import add_front_page
from vonggac.http.lists.parameters import check_query_parameters, install_query_check
from vonggac.http.metrics.exposition import exposition
from vonggac.http.metrics.requests import Requests
from vonggac.http.metrics.service import ServiceMetrics
from vonggac.http.openapi import add_documentation, describe_operations
from vonggac.http.openapi.document import operation_id
from vonggac.http.problems import OF_LIBRARY, Translator, install_problem_handlers
from vonggac.http.protection import BodyLimit, BodyLimits, Callers, JsonRoute, PlainBodies, ResponseHeaders
from vonggac.telemetry.health import Health

NOT_COMPRESSED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.apache.parquet",
    "application/pdf",
    "text/plain",
)
"""Formats that are compressed already, and `/metrics`: a megabyte, while a forwarder relays media on this loop."""

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def new_application(
    *,
    service: str,
    title: str,
    description: str,
    version: str,
    lifespan: Lifespan,
    health: Health,
    metrics: CollectorRegistry,
    tags: Mapping[str, str],
    body_limits: BodyLimits = BodyLimits(),  # noqa: B008 - a value
    package: str | None = None,
    vietnamese: Translator = OF_LIBRARY,
) -> FastAPI:
    """Build an app with what the four APIs have in common; routes are the service's own.

    Problem+json errors, strict parameters and JSON, conditional GET, gzip, `/` with links, `/openapi.json`, `/docs`,
    `/livez`, `/readyz` and `/metrics`. `service` is the word in the names of its metrics; `title` is ASCII: generated
    clients make a package name of it. `tags` are described; `package` holds the document;
    `vietnamese` translates what is refused.
    Before every route stand ids and counts of requests, headers for browsers, the size of bodies, callers.

    `/readyz` answers 503 with the failing checks by name, 200 with `degraded` when somebody should see to the process.
    """
    app = FastAPI(
        title=title,
        description=description,
        version=version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=operation_id,
        dependencies=[Depends(check_query_parameters)],
    )
    common = ServiceMetrics(service, version, health)
    app.router.route_class = JsonRoute
    install_query_check(app)
    _protect(app, body_limits, common)
    app.openapi = describe_operations(app, tags)  # type: ignore[method-assign]
    add_front_page(app)
    add_documentation(app, package)
    install_problem_handlers(app, vietnamese)

    add_health_routes(app, health, metrics, common)
    return app


def add_health_routes(app: FastAPI, health: Health, metrics: CollectorRegistry, common: ServiceMetrics) -> None:
    @app.get("/livez", tags=["health"], summary="The process answers", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], summary="The process can do its work", include_in_schema=False)
    async def readyz() -> JSONResponse:
        failures, degradations = await asyncio.gather(health.failures(), health.degradations())
        status = HTTPStatus.SERVICE_UNAVAILABLE if failures else HTTPStatus.OK
        word = "not ready" if failures else "degraded" if degradations else "ready"
        body = {"status": word, "failures": failures} | ({"degradations": degradations} if degradations else {})
        return JSONResponse(body, status_code=status)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", include_in_schema=False)
    async def metrics_page() -> Response:
        await common.measure()
        return Response(await exposition(metrics, common.registry), media_type=CONTENT_TYPE_LATEST)


def _protect(app: FastAPI, body_limits: BodyLimits, common: ServiceMetrics) -> None:
    """Put before every route what protects it: what is added last comes first."""
    app.add_middleware(Revalidation)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4, exclude_content_types=NOT_COMPRESSED)
    app.add_middleware(PlainBodies)
    app.add_middleware(Callers)
    app.add_middleware(BodyLimit, limits=body_limits)
    app.add_middleware(Requests, metrics=common.requests)
    app.add_middleware(ResponseHeaders)
