"""GET /v1/overview: the few numbers of a dashboard."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from reporting.api.compliance_schemas import Figures
from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, Filters, InContext
from reporting.domain.instants import VIETNAM, moment
from reporting.reports import compliance
from reporting.reports.accounts import watch_of
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1", tags=["overview"])


class WorkerCounts(BaseModel):
    """Workers heard of so recently that they are presumed alive."""

    probers: int
    forwarders: int


class Overview(Figures):
    """The totals of the period, and who is watching."""

    generated_at: datetime
    start: datetime = Field(description="Start of the period, included.")
    end: datetime = Field(description="End of the period, excluded.")
    workers: WorkerCounts


@router.get(
    "/overview",
    summary="A few numbers for a dashboard",
    description="The totals of GET /v1/compliance without its lines, and the workers that are alive. "
    "`format=csv`, `xlsx` or `parquet` gives the table `totals`.",
    response_model=Overview,
    responses=file_answers(),
)
async def read_overview(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    chosen: Chosen,
) -> Overview | Response:
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session, asks.last)
        if chosen.is_file:
            return table_answer(shared, "totals", asks, chosen, asked.scope)
        group = await compliance.summary(session, asks, asked.scope)
        probers, forwarders = (await watch_of(session, asks)).alive(asks.now)
    return Overview(
        **compliance.figures(group, asks),
        generated_at=moment(asks.now).astimezone(VIETNAM),
        start=moment(asks.period.start).astimezone(VIETNAM),
        end=moment(asks.period.end).astimezone(VIETNAM),
        workers=WorkerCounts(probers=probers, forwarders=forwarders),
    )
