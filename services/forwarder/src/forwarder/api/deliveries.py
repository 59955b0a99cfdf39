"""How each delivery stands, by whichever forwarder."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from forwarder.api.standing import DeliveryStatus, delivery_of, standing
from vonggac.auth import Right, require
from vonggac.events.forwarder import DeliveryState
from vonggac.http import Problem

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], dependencies=[Depends(require(Right.READ))])

MAX_PAGE = 1000


class DeliveryQuery(BaseModel):
    """Which deliveries, and which page of them. A parameter that is not known is refused: it would filter nothing."""

    model_config = ConfigDict(extra="forbid")

    state: list[DeliveryState] = Field([], description="Only deliveries in this state; several may be given.")
    camera_id: UUID | None = Field(None, description="Only deliveries of this camera.")
    facility_id: UUID | None = Field(None, description="Only deliveries of this facility's cameras.")
    destination_id: UUID | None = Field(None, description="Only deliveries to this destination.")
    worker_id: str | None = Field(None, description="Only deliveries held by this worker.")
    offset: int = Field(0, ge=0, description="Deliveries to pass over.")
    limit: int = Field(MAX_PAGE, ge=1, le=MAX_PAGE, description="Deliveries a page.")

    def fits(self, status: DeliveryStatus) -> bool:
        """Whether a delivery is asked for, on whichever page."""
        exact = ("camera_id", "facility_id", "destination_id", "worker_id")
        wanted = ((getattr(self, name), getattr(status, name)) for name in exact)
        return (not self.state or status.state in self.state) and all(one in {None, other} for one, other in wanted)


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
async def list_deliveries(request: Request, query: Annotated[DeliveryQuery, Query()]) -> DeliveryPage:
    fitting = [status for status in await standing(request) if query.fits(status)]
    following = query.offset + query.limit
    return DeliveryPage(
        items=fitting[query.offset : following],
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
