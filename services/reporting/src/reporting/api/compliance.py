"""GET /v1/compliance: what is connected, truthfully, as JSON or as one of its tables."""

import time
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query, Response
from fastapi.responses import StreamingResponse

from reporting import metrics
from reporting.api.compliance_schemas import ComplianceReport
from reporting.api.files import Choice, Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, Filters, InContext, invalid
from reporting.reports import compliance
from reporting.storage.snapshot import snapshot
from reporting.tables import Dialect, Format
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1", tags=["compliance"])


class ComplianceTable(StrEnum):
    """The tables behind the document."""

    CAMERAS = "cameras"
    DELIVERIES = "deliveries"
    FACILITIES = "facilities"
    UNITS = "units"
    AGENCIES = "agencies"
    TYPES = "facility_types"
    TOTALS = "totals"


@router.get(
    "/compliance",
    summary="What is connected, per camera and in groups",
    description=(
        "Every camera that existed in the period: its state now, both deliveries now, and where the time of the period "
        "went; the time in which it was not counted is out of scope. Seconds add up to the period. "
        "`format=csv`, `xlsx` or `parquet` gives one of its tables: `cameras`, or another by `table`."
    ),
    response_model=None,
    responses=file_answers({"model": ComplianceReport}),
)
async def read_compliance(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    chosen: Chosen,
    table: Annotated[ComplianceTable | None, Query(description="Of a file; default: cameras.")] = None,
) -> Response:
    if table is not None and not chosen.is_file:
        raise invalid("table", "is of csv, xlsx and parquet; the JSON document has them all")
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session, asks.last)
        if not chosen.is_file:
            started = time.perf_counter()
            parts = await compliance.document(session, asks, asked)
            metrics.REPORT_SECONDS.observe(time.perf_counter() - started)
            return StreamingResponse(_each(parts), media_type="application/json", headers={"Vary": "Accept"})
    return table_answer(shared, (table or ComplianceTable.CAMERAS).value, asks, chosen, asked.scope)


@router.get(
    "/compliance.csv",
    summary="What is connected, as a CSV file",
    description="GET /v1/compliance with `format=csv`, for clients that expect one content type of an address.",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": "camera_code\r\nQT-01-C01\r\n"}}}
    },
)
async def download_compliance(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    table: ComplianceTable = ComplianceTable.CAMERAS,
    dialect: Annotated[Dialect, Query(description="Form of the CSV.")] = Dialect.RFC4180,
) -> Response:
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asks.last)).scope
    return table_answer(shared, table.value, asks, Choice(Format.CSV, dialect), scope)


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
