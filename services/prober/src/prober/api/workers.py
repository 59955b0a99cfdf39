"""The probers that are alive."""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from prober.api.bus import LocalTime, answered_by_the_bus, bus_of
from prober.messaging import Workers
from vonggac.auth import Right, require
from vonggac.http import Problem

router = APIRouter(prefix="/v1/workers", tags=["workers"], dependencies=[Depends(require(Right.READ))])


class WorkerStatus(BaseModel):
    """One prober process."""

    worker_id: str
    started_at: LocalTime
    alive_at: LocalTime
    probes_running: int


class WorkerList(BaseModel):
    """Longest running first."""

    items: list[WorkerStatus]


@router.get(
    "",
    summary="The probers that are alive",
    description="Every process that gave a sign of life within the last 15 seconds.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
)
async def list_workers(request: Request) -> WorkerList:
    with answered_by_the_bus():
        workers = await Workers(bus_of(request)).all()
    return WorkerList(items=[WorkerStatus.model_validate(worker, from_attributes=True) for worker in workers])
