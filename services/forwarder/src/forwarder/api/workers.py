"""The forwarders that are alive."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from nats.errors import Error as NatsError
from pydantic import BaseModel, Field

from forwarder.api.delivery_status import LocalTime, process_of, unavailable
from forwarder.messaging import workers_alive
from vonggac.auth import guarded_router
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/workers", tags=["workers"])


class WorkerStatus(BaseModel):
    """One forwarder process."""

    worker_id: str
    started_at: LocalTime
    alive_at: LocalTime
    cameras_held: int
    capacity: int | None = Field(description="Cameras it takes at most; null in signs of life of older releases.")
    stopping: bool = Field(description="It is handing its cameras over and takes no more.")


KEYS: dict[str, Key[ForwarderAliveV1]] = {
    "worker_id": Key(lambda worker: worker.worker_id),
    "started_at": Key(lambda worker: worker.started_at, datetime),
    "cameras_held": Key(lambda worker: worker.cameras_held, int),
}
WORKERS = Listing(WorkerStatus, keys=KEYS, id_key="worker_id", default_sort="started_at")


@router.get(
    "",
    summary="The forwarders that are alive",
    description="Every process that gave a sign of life within the last 15 seconds; longest running first.",
    response_model=None,
    responses={**WORKERS.responses, **problems({503: "NATS does not answer"})},
)
async def list_workers(
    request: Request, paging: Annotated[PageQuery[ForwarderAliveV1, WorkerStatus], Depends(WORKERS)]
) -> Response:
    bus = process_of(request).bus
    if bus is None:
        raise unavailable()
    try:
        page = paging.cut(await workers_alive(bus))
    except (NatsError, TimeoutError, OSError):
        raise unavailable() from None
    return paging.answer(page, [WorkerStatus.model_validate(worker, from_attributes=True) for worker in page.rows])
