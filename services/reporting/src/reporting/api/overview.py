"""GET /v1/overview: the few numbers of a dashboard."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from pydantic import AwareDatetime, BaseModel, Field

from reporting.api.compliance_schemas import Figures
from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, Filters, InContext
from reporting.domain.instants import VIETNAM, moment
from reporting.reports import compliance
from reporting.reports.accounts import watch_of
from reporting.reports.waiting_centres import WaitingCentre, find_waiting_centres
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router

router = guarded_router(prefix="/v1", tags=["overview"])


class WorkerCounts(BaseModel):
    """Workers heard of so recently that they are presumed alive."""

    probers: int
    forwarders: int


class WaitingCentreResponse(BaseModel):
    """A centre that pulls, and does not."""

    destination_id: UUID
    destination_code: str | None
    destination_name: str | None
    responsible: str | None = Field(description="Whom the register names for it.")
    cameras: int = Field(description="Cameras that wait for it.")
    since: AwareDatetime = Field(description="Since when the one waits that has waited longest.")
    by_cause: dict[str, int] = Field(description="Cameras by cause: `not_asked`, `left` or `refused`.")
    text_vi: str = Field(description="For people: since when, of how many cameras, and who is responsible.")
    text_en: str


class Overview(Figures):
    """The totals of the period, and who is watching."""

    generated_at: datetime
    start: datetime = Field(description="Start of the period, included.")
    end: datetime = Field(description="End of the period, excluded.")
    workers: WorkerCounts
    waiting_centres: list[WaitingCentreResponse] = Field(
        description="Centres that pull and do not have some cameras now, longest wait first; none for a past period."
    )


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
        waiting = await find_waiting_centres(session, asks, asked.scope)
    return Overview(
        **compliance.figures(group, asks),
        generated_at=moment(asks.now).astimezone(VIETNAM),
        start=moment(asks.period.start).astimezone(VIETNAM),
        end=moment(asks.period.end).astimezone(VIETNAM),
        workers=WorkerCounts(probers=probers, forwarders=forwarders),
        waiting_centres=[_shape(one) for one in waiting],
    )


def _shape(one: WaitingCentre) -> WaitingCentreResponse:
    return WaitingCentreResponse(
        destination_id=one.destination.id,
        destination_code=one.destination.code,
        destination_name=one.destination.name,
        responsible=one.responsible,
        cameras=one.cameras,
        since=moment(one.since).astimezone(VIETNAM),
        by_cause=dict(one.by_cause),
        text_vi=one.text_vi,
        text_en=one.text_en,
    )
