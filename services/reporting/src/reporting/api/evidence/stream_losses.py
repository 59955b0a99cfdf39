"""GET /v1/stream-losses: streams, buckets and consumers of NATS that were gone, and what may be lost with them."""

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
from reporting.storage.upkeep.tables import stream_loss
from vonggac.auth import guarded_router
from vonggac.database.keyset import keyset_page
from vonggac.events.setup import LossKind, Refill
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1", tags=["stream losses"])


class StreamLoss(BaseModel):
    """The owner of the streams found that one was gone, emptied or set back, and declared it again."""

    stream: str = Field(description="Its name at NATS; `KV_…` is a bucket.")
    consumer: str = Field(description="The durable consumer that was gone; empty: the stream itself.")
    kind: LossKind
    lost_from: AwareDatetime = Field(
        description="What was stored since may be lost: all before was in these tables, or was seen to stand."
    )
    lost_until: AwareDatetime = Field(description="When it stood again.")
    messages: int | None = Field(description="So many it held when it was last seen; null: nobody saw it.")
    unread: int | None = Field(description="So many of them were not in these tables by then; null: unread here.")
    filled_with: Refill = Field(description="What fills it anew.")


COLUMNS = {
    "lost_until": stream_loss.c.lost_until,
    "lost_from": stream_loss.c.lost_from,
    "stream": stream_loss.c.stream,
    "consumer": stream_loss.c.consumer,
}
KEYS: dict[str, Key[Any]] = {
    "lost_until": Key(lambda row: row.lost_until, datetime),
    "lost_from": Key(lambda row: row.lost_from, datetime),
    "stream": Key(lambda row: row.stream),
    "consumer": Key(lambda row: row.consumer),
}
LOSSES = Listing(StreamLoss, keys=KEYS, id_key="lost_until,stream,consumer", default_sort="-lost_until")


@router.get(
    "/stream-losses",
    summary="Streams of NATS that were gone, newest first",
    response_model=None,
    responses=file_answers(LOSSES.responses[200]),
)
async def list_stream_losses(
    shared: InContext,
    paging: Annotated[PageQuery[Any, StreamLoss], Depends(LOSSES)],
    chosen: Chosen,
) -> Response:
    """As their owner published them. Reports name those of streams; time without facts is unknown in them.

    `format=csv`, `xlsx` or `parquet` gives them all.
    """
    if chosen.is_file:
        now = millis(shared.clock())
        return table_answer(shared, "stream_losses", Question(Period(0, now), now, 1), chosen, Scope())
    query = keyset_page(select(stream_loss), COLUMNS, paging.orderings, paging.last, paging.limit)
    async with snapshot(shared.database) as session:
        rows = (await session.execute(query)).all()
        total = await session.scalar(select(func.count()).select_from(stream_loss)) if paging.wants_total else None
    page = paging.page(rows, total=total)
    return paging.answer(page, [_to_response(row) for row in page.rows])


def _to_response(row: Any) -> StreamLoss:
    return StreamLoss(**{name: getattr(row, name) for name in StreamLoss.model_fields})
