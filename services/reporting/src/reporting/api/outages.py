"""GET /v1/outages (R08): when a camera was down, why, and for how long; GET /v1/site-faults: whole sites at once."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers, refuse_filters_of_pages, table_answer
from reporting.api.parameters import Asks, Filters, InContext, check_camera, resumed
from reporting.domain.instants import moment, seconds, to_local
from reporting.domain.outages import Outage, counted, repairs
from reporting.domain.scope import Camera
from reporting.reports.accounts import Question
from reporting.reports.outages import fault_of, found_outages
from reporting.storage import history, plan
from reporting.storage.history import SiteFault
from reporting.storage.plan import Places
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher

router = guarded_router(prefix="/v1", tags=["outages"])

IsOpen = Annotated[
    bool | None, Query(alias="open", description="true: only those that go on; false: only those that ended.")
]
OF_PAGES = ("q", "open")


class OutageResponse(BaseModel):
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
    confirmed: bool = Field(description="A second probe failed too; the time of a single failed probe counts as down.")
    site_fault_began_at: datetime | None = Field(description="The fault of its whole site that it is part of.")


class SiteFaultResponse(BaseModel):
    """All cameras of a facility failed alike: one outage with its cameras."""

    facility_id: UUID
    facility_code: str | None
    facility_name: str | None
    cause: str = Field(description="What most of the cameras failed of.")
    began_at: datetime = Field(description="When the last of them failed.")
    ended_at: datetime | None = Field(description="When the first of them was back; null while it goes on.")
    camera_ids: list[UUID]


class SiteFaults(PageOf[SiteFaultResponse]):
    """Newest first."""

    start: datetime
    end: datetime


class Outages(PageOf[OutageResponse]):
    """A page of outages, and what they come to on all pages."""

    start: datetime
    end: datetime
    count: int = Field(description="Confirmed outages in the period, on all pages; those of one site fault are one.")
    unconfirmed: int = Field(description="Stretches of down time that a single probe saw.")
    seconds: float = Field(description="The whole down time of all cameras.")
    mean_repair_seconds: float | None = Field(
        description="MTTR: mean length of the counted outages that began and ended in the period; that of a site "
        "lasts until its last camera is back."
    )
    longest_seconds: float | None
    site_faults: list[SiteFaultResponse]


FAULT_KEYS: dict[str, Key[SiteFaultResponse]] = {
    "began_at": Key(lambda fault: fault.began_at, datetime),
    "facility_code": Key(lambda fault: fault.facility_code),
    "facility_id": Key(lambda fault: str(fault.facility_id)),
}
FAULTS = Listing(
    SiteFaultResponse, keys=FAULT_KEYS, id_key="facility_id,began_at", default_sort="-began_at", envelope=SiteFaults
)


@router.get(
    "/site-faults",
    summary="Faults of whole sites",
    description="All cameras of a facility failed alike, one soon after the other. Newest first. "
    "`format=csv`, `xlsx` or `parquet` gives them all.",
    response_model=None,
    responses=file_answers(FAULTS.responses[200]),
)
async def list_site_faults(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[SiteFaultResponse, SiteFaultResponse], Depends(FAULTS)],
    request: Request,
    chosen: Chosen,
    q: Words = None,
    is_open: IsOpen = None,
) -> Response:
    asks = resumed(asks, paging.as_of, request)
    start, end = asks.period
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asks.last)).scope
        if chosen.is_file:
            refuse_filters_of_pages(request, chosen, OF_PAGES)
            return table_answer(shared, "site_faults", asks, chosen, scope)
        places = await plan.places(session, scope, asks.period)
        found = await history.site_faults(session, start, end)
    matches = matcher(q)
    faults = [
        fault
        for fault in _faults(found, places)
        if is_open in {None, fault.ended_at is None} and matches(fault.facility_code, fault.facility_name)
    ]
    page = paging.cut(faults, as_of=moment(end))
    return paging.answer(page, page.rows, start=to_local(start), end=to_local(end))


type _Found = tuple[Camera, Outage, SiteFault | None]

OUTAGE_KEYS: dict[str, Key[_Found]] = {
    "start": Key(lambda found: found[1].start, int),
    "seconds": Key(lambda found: found[1].end - found[1].start, int),
    "camera_code": Key(lambda found: found[0].code),
    "facility_code": Key(lambda found: found[0].facility.code),
    "camera_id": Key(lambda found: found[0].id),
}
OUTAGES = Listing(
    OutageResponse, keys=OUTAGE_KEYS, id_key="camera_id,start", default_sort="-start,camera_code", envelope=Outages
)


@router.get(
    "/outages",
    summary="Outages of cameras",
    description=(
        "Down time with its causes, newest first, dated to the last and the first media of a camera that is forwarded, "
        "and otherwise to the beginning of the first failed probe. Agreed maintenance "
        "and time out of scope are no outage; unknown ends one. Outages of one site fault are counted once. "
        "`format=csv`, `xlsx` or `parquet` gives them all."
    ),
    response_model=None,
    responses=file_answers(OUTAGES.responses[200]),
)
async def list_outages(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[_Found, OutageResponse], Depends(OUTAGES)],
    request: Request,
    chosen: Chosen,
    camera: Annotated[UUID | None, Query(description="Only this camera.")] = None,
    q: Words = None,
    is_open: IsOpen = None,
) -> Response:
    asks = resumed(asks, paging.as_of, request)
    end = asks.period.end
    async with snapshot(shared.database) as session:
        asked = await filters.resolved(session, asks.last)
        await check_camera(session, filters.sight, "camera", camera)
        if chosen.is_file:
            refuse_filters_of_pages(request, chosen, OF_PAGES)
            return table_answer(shared, "outages", asks, chosen, asked.scope, only=camera)
        places = await plan.places(session, asked.scope, asks.period)
        faults = await history.site_faults(session, *asks.period)
        only = None if camera is None else str(camera)
        matches = matcher(q)
        found = [
            (one, outage, fault_of(one, outage, faults))
            async for portion, _ in found_outages(session, asks, asked.scope, only)
            for one, outage in portion
            if is_open in {None, outage.ongoing} and matches(one.code, one.name, one.facility.code, one.facility.name)
        ]
    if q is not None or is_open is not None:
        shown = {fault for _, _, fault in found}
        faults = [fault for fault in faults if fault in shown]
    page = paging.cut(found, as_of=moment(end))
    summary = _summary(asks, found, _faults(faults, places))
    return paging.answer(page, [_shape(*each) for each in page.rows], **summary)


def _summary(asks: Question, found: list[_Found], faults: list[SiteFaultResponse]) -> dict[str, Any]:
    """Sum up what the envelope says of all pages."""
    sure = [(outage, fault) for _, outage, fault in found if outage.confirmed]
    whole = counted(sure)
    repaired = repairs(asks.period, whole)
    return {
        "start": to_local(asks.period.start),
        "end": to_local(asks.period.end),
        "count": len(whole),
        "unconfirmed": len(found) - len(sure),
        "seconds": seconds(sum(outage.end - outage.start for _, outage, _ in found)),
        "mean_repair_seconds": seconds(sum(repaired)) / len(repaired) if repaired else None,
        "longest_seconds": seconds(max(outage.end - outage.start for outage, _ in sure)) if sure else None,
        "site_faults": faults,
    }


def _shape(camera: Camera, outage: Outage, fault: SiteFault | None) -> OutageResponse:
    return OutageResponse(
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        camera_name=camera.name,
        facility_code=camera.facility.code,
        facility_name=camera.facility.name,
        start=to_local(outage.start),
        end=None if outage.ongoing else to_local(outage.end),
        seconds=seconds(outage.end - outage.start),
        cause=outage.causes[0] if outage.causes else None,
        causes=list(outage.causes),
        began_before=outage.began_before,
        confirmed=outage.confirmed,
        site_fault_began_at=None if fault is None else to_local(fault.began_at),
    )


def _faults(found: list[SiteFault], places: Places) -> list[SiteFaultResponse]:
    """Those of the facilities that are asked for."""
    known = {one.id: one for one in places.facilities}
    return [
        SiteFaultResponse(
            facility_id=fault.facility_id,
            facility_code=known[fault.facility_id].code,
            facility_name=known[fault.facility_id].name,
            cause=fault.cause,
            began_at=to_local(fault.began_at),
            ended_at=None if fault.ended_at is None else to_local(fault.ended_at),
            camera_ids=[UUID(one) for one in sorted(fault.camera_ids)],
        )
        for fault in found
        if fault.facility_id in known
    ]
