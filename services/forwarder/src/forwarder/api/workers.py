"""The forwarders that are alive."""

from fastapi import APIRouter, Depends, Request
from nats.errors import Error as NatsError
from pydantic import BaseModel, Field

from forwarder.api.delivery_status import LocalTime, process_of, unavailable
from forwarder.messaging import workers_alive
from vonggac.auth import Right, require
from vonggac.http import Problem

router = APIRouter(prefix="/v1/workers", tags=["workers"], dependencies=[Depends(require(Right.READ))])


class WorkerStatus(BaseModel):
    """One forwarder process."""

    worker_id: str
    started_at: LocalTime
    alive_at: LocalTime
    cameras_held: int
    capacity: int | None = Field(description="Cameras it takes at most; null in signs of life of older releases.")
    stopping: bool = Field(description="It is handing its cameras over and takes no more.")


class WorkerList(BaseModel):
    """Longest running first."""

    items: list[WorkerStatus]


@router.get(
    "",
    summary="The forwarders that are alive",
    description="Every process that gave a sign of life within the last 15 seconds.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
)
async def list_workers(request: Request) -> WorkerList:
    bus = process_of(request).bus
    if bus is None:
        raise unavailable()
    try:
        workers = await workers_alive(bus)
    except (NatsError, TimeoutError, OSError):
        raise unavailable() from None
    return WorkerList(items=[WorkerStatus.model_validate(worker, from_attributes=True) for worker in workers])
