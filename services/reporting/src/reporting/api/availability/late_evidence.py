"""GET /v1/late-evidence: days of cameras whose figures changed after the lateness horizon."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response

from reporting.api.availability.schemas import LateDay, LateDelivery
from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, InContext, check_camera
from reporting.domain.instants import VIETNAM
from reporting.domain.ledger import date_of, days_within
from reporting.storage.availability import evidence
from reporting.storage.plan import Scope
from reporting.storage.sight import visible_facilities
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1", tags=["availability"])

KEYS: dict[str, Key[Any]] = {
    "noticed_at": Key(lambda row: row.noticed_at, datetime),
    "id": Key(lambda row: row.id, int),
}
LATE = Listing(LateDay, keys=KEYS, id_key="id", default_sort="-id")


@router.get(
    "/late-evidence",
    summary="Days of cameras whose figures changed after they had been closed",
    description="The days within the period, newest change first: what came, and what each part of the day gained "
    "or lost by it, of the camera and of its deliveries (as a table: `late_evidence_of_deliveries`). An issued report "
    "that covers such a day needs another version. `format=csv`, `xlsx` or `parquet` gives them all, in the order of "
    "writing.",
    response_model=None,
    responses=file_answers(LATE.responses[200]),
)
async def list_late_evidence(
    shared: InContext,
    caller: Caller,
    asks: Asks,
    paging: Annotated[PageQuery[Any, LateDay], Depends(LATE)],
    chosen: Chosen,
    camera: Annotated[UUID | None, Query(description="Only this camera.")] = None,
) -> Response:
    first, last = days_within(asks.period)
    async with snapshot(shared.database) as session:
        visible = await visible_facilities(session, caller.sight)
        await check_camera(session, caller.sight, "camera", camera)
        if chosen.is_file:
            return table_answer(shared, "late_evidence", asks, chosen, Scope(visible=visible), only=camera)
        wanted = evidence.listed(date_of(first), date_of(last), camera, visible=visible)
        rows, total = await evidence.page(
            session, wanted, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total)
    return paging.answer(page, [_to_response(row) for row in page.rows])


def _to_response(row: Any) -> LateDay:
    return LateDay(
        id=row.id,
        camera_id=row.camera_id,
        day=row.day,
        what=row.what,
        noticed_at=row.noticed_at.astimezone(VIETNAM),
        written_at=row.written_at.astimezone(VIETNAM),
        change_ms=row.change,
        deliveries=[
            LateDelivery(
                delivery_id=UUID(id_), change_ms=found["change"], not_connected_by_cause_change_ms=found["by_cause"]
            )
            for id_, found in row.deliveries.items()
        ],
    )
