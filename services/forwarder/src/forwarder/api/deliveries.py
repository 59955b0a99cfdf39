"""How each delivery stands, by whichever forwarder."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from forwarder.api.standing import DeliveryStatus, delivery_of, standing
from vonggac.auth import Right, require
from vonggac.events.forwarder import DeliveryState
from vonggac.http import Problem

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], dependencies=[Depends(require(Right.READ))])

MAX_PAGE = 1000


class DeliveryPage(BaseModel):
    """Deliveries ordered by camera, then delivery."""

    items: list[DeliveryStatus]
    total: int = Field(description="Deliveries that fit the filter, on all pages.")
    next_offset: int | None = Field(description="Give it as `offset` for the next page; null on the last one.")


@router.get(
    "",
    summary="How each delivery stands",
    description="The live view of the worker that answers, and the last report of the others. Filtered by state, "
    "camera, facility, destination and worker, in pages.",
    responses={503: {"model": Problem, "description": "NATS was not reached yet"}},
)
async def list_deliveries(
    request: Request,
    state: Annotated[DeliveryState | None, Query(description="Only deliveries in this state.")] = None,
    camera_id: Annotated[UUID | None, Query(description="Only deliveries of this camera.")] = None,
    facility_id: Annotated[UUID | None, Query(description="Only deliveries of this facility's cameras.")] = None,
    destination_id: Annotated[UUID | None, Query(description="Only deliveries to this destination.")] = None,
    worker_id: Annotated[str | None, Query(description="Only deliveries held by this worker.")] = None,
    offset: Annotated[int, Query(ge=0, description="Deliveries to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Deliveries a page.")] = MAX_PAGE,
) -> DeliveryPage:
    wanted = {
        name: value
        for name, value in (
            ("state", state),
            ("camera_id", camera_id),
            ("facility_id", facility_id),
            ("destination_id", destination_id),
            ("worker_id", worker_id),
        )
        if value is not None
    }
    fitting = [
        status
        for status in await standing(request)
        if all(getattr(status, name) == value for name, value in wanted.items())
    ]
    following = offset + limit
    return DeliveryPage(
        items=fitting[offset:following],
        total=len(fitting),
        next_offset=following if len(fitting) > following else None,
    )


@router.get(
    "/{delivery_id}",
    summary="How one delivery stands",
    description="State, cause, since when, attempts, and what was confirmed.",
    responses={
        404: {"model": Problem, "description": "No forwarder has reported such a delivery"},
        503: {"model": Problem, "description": "NATS was not reached yet"},
    },
)
async def get_delivery(request: Request, delivery_id: UUID) -> DeliveryStatus:
    return await delivery_of(request, delivery_id)
