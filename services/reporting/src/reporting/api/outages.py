"""GET /v1/outages (R08): when a camera was down, why, and for how long."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from reporting.api.parameters import Asks, Filters, InContext
from reporting.domain.instants import VIETNAM, moment, seconds
from reporting.domain.outages import Outage, outages
from reporting.domain.scope import Camera
from reporting.domain.timeline import within_lives
from reporting.reports.accounts import Question, watch_of
from reporting.storage import history, plan
from reporting.storage.snapshot import snapshot
from vonggac.auth import Principal, Right, require

router = APIRouter(prefix="/v1", tags=["outages"])


class OutageShape(BaseModel):
    """One unbroken stretch of down time within the period."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    facility_code: str
    facility_name: str
    start: datetime
    end: datetime | None = Field(description="null while it goes on.")
    seconds: float = Field(description="Within the period, up to now.")
    cause: str | None = Field(description="The first cause.")
    causes: list[str] = Field(description="All causes in order of appearance.")
    began_before: bool = Field(description="It began before the period: `start` is the period's start.")


class Outages(BaseModel):
    """Newest first."""

    start: datetime
    end: datetime
    count: int = Field(description="Outages in the period, listed or not.")
    seconds: float = Field(description="Their whole length.")
    mean_repair_seconds: float | None = Field(
        description="MTTR: mean length of the outages that began and ended in the period."
    )
    longest_seconds: float | None
    outages: list[OutageShape]


@router.get(
    "/outages",
    summary="Outages of cameras",
    description="Down time with its causes, newest first. Agreed maintenance is no outage; unknown ends one.",
)
async def read_outages(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    _caller: Annotated[Principal, Depends(require(Right.READ))],
    camera: Annotated[UUID | None, Query(description="Only this camera.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Most outages listed.")] = 1000,
) -> Outages:
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session)
        cameras = await plan.cameras(session, await plan.places(session, asked.scope, asks.period))
        start, end = asks.period
        failed = await history.cameras_down(session, start, end)
        wanted = [one for one in cameras if one.id in failed and (camera is None or str(camera) == one.id)]
        watch = await watch_of(session, asks)
        seen = (await history.stored(session, [one.id for one in wanted], (), start, end, watch)).lines()
        windows = await history.maintenance(session, start, end)
    found = [
        (one, outage)
        for one in wanted
        for outage in outages(
            asks.period,
            within_lives(seen.get(one.id, []), watch.probing),
            history.maintenance_of(windows, one),
            asks.now,
            one.absences,
        )
    ]
    found.sort(key=lambda pair: (-pair[1].start, pair[0].code))
    return _answer(asks, found, limit)


def _answer(asks: Question, found: list[tuple[Camera, Outage]], limit: int) -> Outages:
    lengths = [outage.end - outage.start for _, outage in found]
    repaired = [
        outage.end - outage.start
        for _, outage in found
        if not outage.began_before and not outage.ongoing and outage.end < asks.period.end
    ]
    return Outages(
        start=moment(asks.period.start).astimezone(VIETNAM),
        end=moment(asks.period.end).astimezone(VIETNAM),
        count=len(found),
        seconds=seconds(sum(lengths)),
        mean_repair_seconds=seconds(sum(repaired)) / len(repaired) if repaired else None,
        longest_seconds=seconds(max(lengths)) if lengths else None,
        outages=[_shape(camera, outage) for camera, outage in found[:limit]],
    )


def _shape(camera: Camera, outage: Outage) -> OutageShape:
    return OutageShape(
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        camera_name=camera.name,
        facility_code=camera.facility.code,
        facility_name=camera.facility.name,
        start=moment(outage.start).astimezone(VIETNAM),
        end=None if outage.ongoing else moment(outage.end).astimezone(VIETNAM),
        seconds=seconds(outage.end - outage.start),
        cause=outage.causes[0] if outage.causes else None,
        causes=list(outage.causes),
        began_before=outage.began_before,
    )
