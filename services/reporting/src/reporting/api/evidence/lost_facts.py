"""GET /v1/lost-facts: what publishers numbered and never came."""

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
from reporting.storage.tables import publisher_gap
from vonggac.auth import guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1", tags=["lost facts"])


class LostFacts(BaseModel):
    """A gap in the facts of one publisher. What it had said before holds until `began_at`, and no longer."""

    publisher: str
    first: int = Field(description="First missing sequence.")
    last: int = Field(description="Last missing sequence.")
    began_at: AwareDatetime = Field(description="Time of the fact before.")
    ended_at: AwareDatetime = Field(description="Time of the fact after.")
    lost_at: AwareDatetime | None = Field(description="When it was given up; null: it may still come.")


COLUMNS = {
    "began_at": publisher_gap.c.began_at,
    "publisher": publisher_gap.c.publisher_id,
    "first": publisher_gap.c.first,
}
KEYS: dict[str, Key[Any]] = {
    "began_at": Key(lambda row: row.began_at, datetime),
    "publisher": Key(lambda row: row.publisher_id),
    "first": Key(lambda row: row.first, int),
}
LOST = Listing(LostFacts, keys=KEYS, id_key="publisher,first", default_sort="-began_at")


@router.get(
    "/lost-facts",
    summary="Facts that never came, newest first",
    response_model=None,
    responses=file_answers(LOST.responses[200]),
)
async def list_lost_facts(
    shared: InContext,
    paging: Annotated[PageQuery[Any, LostFacts], Depends(LOST)],
    chosen: Chosen,
) -> Response:
    """Lost in an overflow, in an outage of NATS longer than its publishers remember, or with a publisher that died.

    `format=csv`, `xlsx` or `parquet` gives them all.
    """
    if chosen.is_file:
        now = millis(shared.clock())
        return table_answer(shared, "lost_facts", Question(Period(0, now), now, 1), chosen, Scope())
    query = keyset_page(select(publisher_gap), COLUMNS, paging.orderings, paging.last, paging.limit)
    async with snapshot(shared.database) as session:
        rows = (await session.execute(query)).all()
        total = await session.scalar(select(func.count()).select_from(publisher_gap)) if paging.wants_total else None
    page = paging.page(rows, total=total)
    return paging.answer(page, [_to_response(row) for row in page.rows])


def _to_response(row: Any) -> LostFacts:
    return LostFacts(
        publisher=row.publisher_id,
        first=row.first,
        last=row.last,
        began_at=row.began_at,
        ended_at=row.ended_at,
        lost_at=row.lost_at,
    )
