"""GET /v1/maintenance: time agreed beforehand, and what was declared, as the register has it."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import (
    ZONE,
    InContext,
    check_camera,
    find_seen,
    invalid,
    parse_moment,
    seen_by,
    zone_named,
)
from reporting.domain.instants import TIME_ZONE, format_instant, millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.storage.mandate import maintenance
from vonggac.auth import Caller, guarded_router
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/maintenance", tags=["maintenance"])

_TIME = "ISO 8601; without an offset it is of `time_zone`."
LISTED_BACK = timedelta(days=31)
LISTED_AHEAD = timedelta(days=366)


class WindowResponse(BaseModel):
    """A window as entered. A cancelled one keeps its line; `to` says where it was cut."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    camera_id: UUID | None
    facility_id: UUID | None
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    reason: str
    agreed: bool = Field(description="False: declared alone. It takes nothing out of the percentages.")
    approved_by: str | None = Field(description="Subject of the token that agreed to it, before it began.")
    declared_by: str | None = Field(description="Subject of the token that entered it, where another one agrees.")
    created_at: datetime
    cancelled_at: datetime | None
    cancelled_by: str | None


KEYS: dict[str, Key[Any]] = {
    "from": Key(lambda row: row.starts_at, datetime),
    "to": Key(lambda row: row.ends_at, datetime),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
WINDOWS = Listing(WindowResponse, keys=KEYS, id_key="id", default_sort="from")


@router.get(
    "",
    summary="Maintenance agreed, and declared",
    description="By start. What nobody agreed to before it began is declared: it stands apart (`agreed` false) and "
    "takes nothing out of the percentages. A camera's list holds its facility's windows too. "
    "`format=csv`, `xlsx` or `parquet` gives them all.",
    response_model=None,
    responses=file_answers(WINDOWS.responses[200]),
)
async def list_windows(
    shared: InContext,
    caller: Caller,
    paging: Annotated[PageQuery[Any, WindowResponse], Depends(WINDOWS)],
    chosen: Chosen,
    start: Annotated[str | None, Query(alias="from", description=f"{_TIME} Default: 31 days ago.")] = None,
    end: Annotated[str | None, Query(alias="to", description=f"{_TIME} Default: in a year.")] = None,
    time_zone: Annotated[str, ZONE] = TIME_ZONE,
    camera: Annotated[UUID | None, Query(description="Id of a camera.")] = None,
    facility: Annotated[str | None, Query(description="Code or id of a facility.", max_length=64)] = None,
    agreed: Annotated[bool | None, Query(description="true: agreed before it began; false: declared alone.")] = None,
) -> Response:
    now = paging.as_of or shared.clock()
    zone = zone_named(time_zone)
    since = now - LISTED_BACK if start is None else parse_moment("from", start, zone)
    until = now + LISTED_AHEAD if end is None else parse_moment("to", end, zone)
    if millis(since) >= millis(until):
        raise invalid("from", f"must be earlier than to, which is {format_instant(millis(until))}")
    async with shared.database.transaction() as session:
        await check_camera(session, caller.sight, "camera", camera)
        seen = await seen_by(session, caller.sight)
        scope = replace(seen, facility_id=await find_seen(session, "facility", facility, seen.visible))
    if chosen.is_file:
        asked = Question(Period(millis(since), millis(until)), millis(now), 1, time_zone)
        return table_answer(shared, "maintenance", asked, chosen, scope, only=camera)
    wanted = maintenance.listed(
        since=since, until=until, camera_id=camera, facility_id=scope.facility_id, visible=scope.visible
    )
    if agreed is not None:
        wanted = wanted.where(maintenance.is_agreed(agreed=agreed))
    async with shared.database.transaction() as session:
        rows, total = await maintenance.page(
            session, wanted, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total, as_of=now)
    return paging.answer(page, [_shape(row, zone) for row in page.rows])


def _shape(row: Any, zone: tzinfo) -> WindowResponse:
    return WindowResponse(
        id=row.id,
        camera_id=row.camera_id,
        facility_id=row.facility_id,
        start=row.starts_at.astimezone(zone),
        end=row.ends_at.astimezone(zone),
        reason=row.reason,
        agreed=row.agreed,
        approved_by=row.approved_by,
        declared_by=row.declared_by,
        created_at=row.created_at.astimezone(zone),
        cancelled_at=None if row.cancelled_at is None else row.cancelled_at.astimezone(zone),
        cancelled_by=row.cancelled_by,
    )
