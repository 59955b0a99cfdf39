"""The probers that are alive."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of
from prober.messaging import Workers
from vonggac.auth import guarded_router
from vonggac.events.prober import ProberAliveV1
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/workers", tags=["workers"])


class WorkerStatus(BaseModel):
    """One prober process."""

    worker_id: str
    started_at: LocalTime
    alive_at: LocalTime
    probes_running: int


KEYS: dict[str, Key[ProberAliveV1]] = {
    "worker_id": Key(lambda worker: worker.worker_id),
    "started_at": Key(lambda worker: worker.started_at, datetime),
    "probes_running": Key(lambda worker: worker.probes_running, int),
}
WORKERS = Listing(WorkerStatus, keys=KEYS, id_key="worker_id", default_sort="started_at")


@router.get(
    "",
    summary="The probers that are alive",
    description="Every process that gave a sign of life within the last 15 seconds; longest running first.",
    response_model=None,
    responses={**WORKERS.responses, **problems(AWAY)},
)
async def list_workers(
    request: Request, paging: Annotated[PageQuery[ProberAliveV1, WorkerStatus], Depends(WORKERS)]
) -> Response:
    with answered_by_the_bus():
        page = paging.cut(await Workers(bus_of(request)).all())
    return paging.answer(page, [WorkerStatus.model_validate(worker, from_attributes=True) for worker in page.rows])
