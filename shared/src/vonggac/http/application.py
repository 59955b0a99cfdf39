"""Making a service's FastAPI app: health routes, metrics and errors are the same in all four."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry

from vonggac.http.exposition import exposition
from vonggac.http.problems import Problem, install_problem_handlers
from vonggac.telemetry.health import Health

type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def new_application(
    *,
    title: str,
    description: str,
    version: str,
    lifespan: Lifespan,
    health: Health,
    metrics: CollectorRegistry,
) -> FastAPI:
    """An app with problem+json errors, `/livez`, `/readyz` and `/metrics`; routes are the service's own.

    `/livez` shows that the event loop answers; `/readyz` answers 503 with the failing checks by name, and
    200 with `degraded` when the process works but somebody should see to it.
    """
    problem: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "content": {"application/problem+json": {}}, "description": text}
        for status, text in ((401, "No valid token"), (403, "The token's role may not do this"))
    }
    app = FastAPI(title=title, description=description, version=version, lifespan=lifespan, responses=problem)
    install_problem_handlers(app)

    @app.get("/livez", tags=["health"], summary="The process answers", include_in_schema=False)
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], summary="The process can do its work", include_in_schema=False)
    async def readyz() -> JSONResponse:
        failures = await health.failures()
        degradations = await health.degradations()
        status = HTTPStatus.SERVICE_UNAVAILABLE if failures else HTTPStatus.OK
        word = "not ready" if failures else "degraded" if degradations else "ready"
        body = {"status": word, "failures": failures} | ({"degradations": degradations} if degradations else {})
        return JSONResponse(body, status_code=status)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", include_in_schema=False)
    async def metrics_page() -> Response:
        return Response(await exposition(metrics), media_type=CONTENT_TYPE_LATEST)

    return app
