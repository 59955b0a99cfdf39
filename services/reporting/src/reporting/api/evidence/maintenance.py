"""GET /v1/maintenance: time agreed beforehand, as the register has it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import InContext, seen_by
from reporting.domain.instants import VIETNAM, millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.storage.mandate import maintenance
from vonggac.auth import Caller
from vonggac.http.lists import Key, Listing, PageQuery

router = APIRouter(prefix="/v1/maintenance", tags=["maintenance"])

LISTED_BACK = timedelta(days=31)
LISTED_AHEAD = timedelta(days=366)


class WindowShape(BaseModel):
    """A window as entered. A cancelled one keeps its line; `to` says where it was cut."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    camera_id: UUID | None
    facility_id: UUID | None
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    reason: str
    approved_by: str = Field(description="Subject of the token that entered it.")
    created_at: datetime
    cancelled_at: datetime | None
    cancelled_by: str | None


KEYS: dict[str, Key[Any]] = {
    "from": Key(lambda row: row.starts_at, datetime),
    "to": Key(lambda row: row.ends_at, datetime),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
WINDOWS = Listing(WindowShape, keys=KEYS, id_key="id", default_sort="from")


@router.get(
    "",
    summary="Maintenance agreed",
    description="By start. A camera's list holds its facility's windows too. "
    "`format=csv`, `xlsx` or `parquet` gives them all.",
    response_model=None,
    responses=file_answers(WINDOWS.responses[200]),
)
async def list_windows(
    shared: InContext,
    caller: Caller,
    paging: Annotated[PageQuery[Any, WindowShape], Depends(WINDOWS)],
    chosen: Chosen,
    start: Annotated[AwareDatetime | None, Query(alias="from", description="Default: 31 days ago.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="Default: in a year.")] = None,
    camera_id: UUID | None = None,
    facility_id: UUID | None = None,
) -> Response:
    now = paging.as_of or shared.clock()
    since, until = start or now - LISTED_BACK, end or now + LISTED_AHEAD
    async with shared.database.transaction() as session:
        scope = replace(await seen_by(session, caller.sight), facility_id=facility_id)
    if chosen.is_file:
        asked = Question(Period(millis(since), millis(until)), millis(now), 1)
        return table_answer(shared, "maintenance", asked, chosen, scope, only=camera_id)
    wanted = maintenance.listed(
        since=since, until=until, camera_id=camera_id, facility_id=facility_id, visible=scope.visible
    )
    async with shared.database.transaction() as session:
        rows, total = await maintenance.page(
            session, wanted, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total, as_of=now)
    return paging.answer(page, [_shape(row) for row in page.rows])


def _shape(row: Any) -> WindowShape:
    return WindowShape(
        id=row.id,
        camera_id=row.camera_id,
        facility_id=row.facility_id,
        start=row.starts_at.astimezone(VIETNAM),
        end=row.ends_at.astimezone(VIETNAM),
        reason=row.reason,
        approved_by=row.approved_by,
        created_at=row.created_at.astimezone(VIETNAM),
        cancelled_at=None if row.cancelled_at is None else row.cancelled_at.astimezone(VIETNAM),
        cancelled_by=row.cancelled_by,
    )
