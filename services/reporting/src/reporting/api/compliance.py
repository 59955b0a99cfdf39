"""GET /v1/compliance: what is connected, truthfully, as JSON or CSV."""

import asyncio
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from reporting import metrics
from reporting.api.compliance_schemas import ComplianceReport
from reporting.api.parameters import Asks, Context, Filters, InContext
from reporting.domain.instants import VIETNAM, moment
from reporting.reports import compliance, tables
from reporting.reports.accounts import Question
from reporting.reports.compliance import AppliedFilters
from reporting.storage.snapshot import snapshot
from vonggac.auth import Principal, Right, require
from vonggac.http import ProblemError
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = APIRouter(prefix="/v1", tags=["compliance"])

CSV_TYPE = "text/csv"


@router.get(
    "/compliance",
    summary="What is connected, per camera and in groups",
    description=(
        "Every enabled camera of every facility that is neither planned nor closed: its state now, both deliveries "
        "now, and where the time of the period went. Seconds add up to the period. "
        "`format=csv` (or `Accept: text/csv`) gives one row per camera and delivery; it needs the right `export`."
    ),
    response_model=None,
    responses={200: {"model": ComplianceReport, "content": {CSV_TYPE: {"schema": {"type": "string"}}}}},
)
async def read_compliance(
    request: Request,
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    caller: Annotated[Principal, Depends(require(Right.READ))],
    form: Annotated[Literal["json", "csv"] | None, Query(alias="format", description="Wins over Accept.")] = None,
    csv: Annotated[tables.Dialect, Query(description="Form of the CSV.")] = tables.Dialect.RFC4180,
) -> Response:
    accept = request.headers.get("accept", "*/*")
    wants_csv = form == "csv" or (form is None and CSV_TYPE in accept and "application/json" not in accept)
    if wants_csv and not caller.may(Right.EXPORT):
        log.warning("access_denied", subject=caller.subject, right=Right.EXPORT.value, path="/v1/compliance")
        detail = "a CSV file needs the right 'export', which the token's roles do not carry; format=json needs 'read'"
        raise ProblemError(HTTPStatus.FORBIDDEN, "forbidden", detail)
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session)
        if not wants_csv:
            started = time.perf_counter()
            parts = await compliance.document(session, asks, asked)
            metrics.REPORT_SECONDS.observe(time.perf_counter() - started)
            return StreamingResponse(_each(parts), media_type="application/json", headers={"Vary": "Accept"})
    return _download(shared, asks, asked, csv)


@router.get(
    "/compliance.csv",
    summary="What is connected, as a CSV file",
    description="One row per camera and delivery: GET /v1/compliance with `format=csv`, for clients that expect one "
    "content type of an address.",
    response_class=Response,
    responses={200: {"content": {CSV_TYPE: {"schema": {"type": "string"}, "example": "camera_code\r\nQT-01-C01\r\n"}}}},
)
async def download_compliance(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    _caller: Annotated[Principal, Depends(require(Right.EXPORT))],
    csv: Annotated[tables.Dialect, Query(description="Form of the CSV.")] = tables.Dialect.RFC4180,
) -> Response:
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session)
    return _download(shared, asks, asked, csv)


def _download(shared: Context, asks: Question, asked: AppliedFilters, csv: tables.Dialect) -> Response:
    name = f"compliance-{moment(asks.period.end).astimezone(VIETNAM):%Y%m%dT%H%M%S}.csv"
    return StreamingResponse(
        _rows(shared, asks, asked, csv),
        media_type=CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"},
    )


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _rows(
    shared: Context, asks: Question, asked: AppliedFilters, dialect: tables.Dialect
) -> AsyncIterator[bytes]:
    """CSV in portions: the next one is read when the last was taken, within a bounded time."""
    writer = tables.ComplianceTable(asks, dialect)
    yield writer.header()
    async with asyncio.timeout(shared.settings.export_within_s), snapshot(shared.database) as session:
        async for portion in compliance.portions(session, asks, asked.scope, writer.rows):
            yield portion
