"""/v1/availability-targets: what share of its time a camera must be up, or comply."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Response
from sqlalchemy import func, select

from reporting.api.availability.schemas import Metric, NewTarget, TargetResponse
from reporting.api.parameters import InContext
from reporting.domain.instants import VIETNAM
from reporting.storage.availability import targets
from reporting.storage.availability.tables import availability_target
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/availability-targets", tags=["availability"])

COLUMNS = {"metric": availability_target.c.metric, "valid_from": availability_target.c.valid_from}
KEYS: dict[str, Key[Any]] = {
    "metric": Key(lambda row: row.metric),
    "valid_from": Key(lambda row: row.valid_from, datetime),
}
TARGETS = Listing(TargetResponse, keys=KEYS, id_key="metric,valid_from")


@router.get("", summary="Targets, past and present", response_model=None, responses=TARGETS.responses)
async def list_availability_targets(
    shared: InContext,
    paging: Annotated[PageQuery[Any, TargetResponse], Depends(TARGETS)],
) -> Response:
    """Each is in force until the next one of its metric."""
    wanted = targets.listed()
    async with snapshot(shared.database) as session:
        rows = (await session.execute(keyset_page(wanted, COLUMNS, paging.orderings, paging.last, paging.limit))).all()
        count = select(func.count()).select_from(wanted.subquery())
        total = await session.scalar(count) if paging.wants_total else None
    page = paging.page(rows, total=total)
    return paging.answer(page, [_to_response(row) for row in page.rows])


@router.post(
    "/{metric}",
    status_code=HTTPStatus.CREATED,
    summary="Set a target from a moment on",
    responses=problems({409: "A target stands for that time, and it has begun"}),
)
async def set_availability_target(
    metric: Metric,
    given: NewTarget,
    shared: InContext,
    caller: Caller,
) -> TargetResponse:
    """Set a target: a first one may begin in the past, another only in the future, so that no past budget changes."""
    now = shared.clock()
    valid_from = given.valid_from or now
    values = {
        "metric": metric,
        "percent": given.percent,
        "valid_from": valid_from,
        "reason": given.reason,
        "set_by": caller.subject,
    }
    async with shared.database.transaction() as session:
        why_not = await targets.set_target(session, values, now)
    if why_not is not None:
        raise ProblemError(HTTPStatus.CONFLICT, "target_stands", why_not)
    local = {"valid_from": valid_from.astimezone(VIETNAM), "set_at": now.astimezone(VIETNAM)}
    return TargetResponse.model_validate({**values, **local})


def _to_response(row: Any) -> TargetResponse:
    return TargetResponse(
        metric=row.metric,
        percent=row.percent,
        valid_from=row.valid_from.astimezone(VIETNAM),
        reason=row.reason,
        set_by=row.set_by,
        set_at=row.set_at.astimezone(VIETNAM),
    )
