"""GET /v1/clock-steps: when the clock of the bus was set back, and what time nobody can date."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import func, select

from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import InContext
from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.reports.accounts import Question
from reporting.storage.plan import Scope
from reporting.storage.snapshot import snapshot
from reporting.storage.upkeep.tables import clock_step
from vonggac.auth import guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1", tags=["clock steps"])


class ClockStep(BaseModel):
    """The NATS server stored a message before its predecessor: its clock was set back between them."""

    last_before: int = Field(description="Sequence in OBSERVATIONS of the last message before the step.")
    first_after: int = Field(description="Sequence of the first one seen after it.")
    stored_at: AwareDatetime = Field(description="When the last one before it was stored, by the clock as it was then.")
    started_at: AwareDatetime = Field(description="From here on the clock showed a time twice; it is unknown.")
    ended_at: AwareDatetime = Field(description="Until here.")
    refused: int = Field(description="Facts of that time, stored after the step, that are no evidence.")
    noticed_at: AwareDatetime


COLUMNS = {"started_at": clock_step.c.started_at, "last_before": clock_step.c.last_before}
KEYS: dict[str, Key[Any]] = {
    "started_at": Key(lambda row: row.started_at, datetime),
    "last_before": Key(lambda row: row.last_before, int),
}
STEPS = Listing(ClockStep, keys=KEYS, id_key="last_before", default_sort="-started_at")


@router.get(
    "/clock-steps",
    summary="Steps back of the NATS server's clock, newest first",
    response_model=None,
    responses=file_answers(STEPS.responses[200]),
)
async def list_clock_steps(
    shared: InContext,
    paging: Annotated[PageQuery[Any, ClockStep], Depends(STEPS)],
    chosen: Chosen,
) -> Response:
    """List what the clock showed twice: it is of two moments, nobody can date a fact of it, so it counts as unknown.

    `format=csv`, `xlsx` or `parquet` gives them all.
    """
    if chosen.is_file:
        now = millis(shared.clock())
        return table_answer(shared, "clock_steps", Question(Period(0, now), now, 1), chosen, Scope())
    query = keyset_page(select(clock_step), COLUMNS, paging.orderings, paging.last, paging.limit)
    async with snapshot(shared.database) as session:
        rows = (await session.execute(query)).all()
        total = await session.scalar(select(func.count()).select_from(clock_step)) if paging.wants_total else None
    page = paging.page(rows, total=total)
    return paging.answer(page, [_to_response(row) for row in page.rows])


def _to_response(row: Any) -> ClockStep:
    return ClockStep(**{name: getattr(row, name) for name in ClockStep.model_fields})
