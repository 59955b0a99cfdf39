"""The status of each delivery, whichever forwarder holds its camera."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from forwarder.api.delivery_status import DeliveryStatus, find_deliveries, get_status
from vonggac.auth import Right, require
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
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

    def fits(self, observed: DeliveryObservedV1) -> bool:
        """Whether a delivery is asked for, on whichever page."""
        return (
            (not self.state or observed.state in self.state)
            and (self.camera_id is None or observed.camera_id == self.camera_id)
            and (self.facility_id is None or observed.facility_id == self.facility_id)
            and (self.destination_id is None or observed.destination_id == self.destination_id)
            and (self.worker_id is None or observed.worker_id == self.worker_id)
        )


class DeliveryPage(BaseModel):
    """Deliveries ordered by camera, then delivery."""

    items: list[DeliveryStatus]
    total: int = Field(description="Deliveries that fit the filter, on all pages.")
    next_offset: int | None = Field(description="Give it as `offset` for the next page; null on the last one.")


@router.get(
    "",
    summary="The status of each delivery",
    description="The live view of the worker that answers, and the last report of the others. Filtered by state, "
    "camera, facility, destination and worker, in pages.",
    responses={503: {"model": Problem, "description": "NATS was not reached yet"}},
)
async def list_deliveries(request: Request, query: Annotated[DeliveryQuery, Query()]) -> DeliveryPage:
    fitting = await find_deliveries(request, query.fits)
    following = query.offset + query.limit
    return DeliveryPage(
        items=[DeliveryStatus.of(one) for one in fitting[query.offset : following]],
        total=len(fitting),
        next_offset=following if len(fitting) > following else None,
    )


@router.get(
    "/{delivery_id}",
    summary="The status of one delivery",
    description="State, cause, since when, attempts, and what was acknowledged; of this moment.",
    responses={
        404: {"model": Problem, "description": "No forwarder has reported such a delivery"},
        503: {"model": Problem, "description": "NATS was not reached yet"},
    },
)
async def get_delivery(request: Request, delivery_id: UUID) -> DeliveryStatus:
    return await get_status(request, delivery_id)
