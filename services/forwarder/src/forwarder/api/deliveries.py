"""The status of each delivery, whichever forwarder holds its camera."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from forwarder.api.delivery_status import (
    DELIVERIES,
    DeliveryPaging,
    DeliveryStatus,
    answer_page,
    find_deliveries,
    get_status,
)
from vonggac.auth import Caller, guarded_router
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/deliveries", tags=["deliveries"])


class DeliveryQuery(BaseModel):
    """Which deliveries."""

    state: list[DeliveryState] = Field([], description="Only deliveries in this state; several may be given.")
    camera_id: UUID | None = Field(None, description="Only deliveries of this camera.")
    facility_id: UUID | None = Field(None, description="Only deliveries of this facility's cameras.")
    destination_id: UUID | None = Field(None, description="Only deliveries to this destination.")
    worker_id: str | None = Field(None, description="Only deliveries held by this worker.")

    def fits(self, observed: DeliveryObservedV1) -> bool:
        """Whether a delivery is asked for, on whichever page."""
        return (
            (not self.state or observed.state in self.state)
            and (self.camera_id is None or observed.camera_id == self.camera_id)
            and (self.facility_id is None or observed.facility_id == self.facility_id)
            and (self.destination_id is None or observed.destination_id == self.destination_id)
            and (self.worker_id is None or observed.worker_id == self.worker_id)
        )


@router.get(
    "",
    summary="The status of each delivery",
    description="The live view of the worker that answers, and the last report of the others. Filtered by state, "
    "camera, facility, destination and worker, in pages.",
    response_model=None,
    responses={**DELIVERIES.responses, **problems({503: "NATS was not reached yet"})},
)
async def list_deliveries(
    request: Request,
    caller: Caller,
    query: Annotated[DeliveryQuery, Query()],
    paging: Annotated[DeliveryPaging, Depends(DELIVERIES)],
) -> Response:
    return await answer_page(paging, await find_deliveries(request, caller, query.fits))


@router.get(
    "/{delivery_id}",
    summary="The status of one delivery",
    description="State, cause, since when, attempts, and what was acknowledged; of this moment.",
    responses=problems({404: "No forwarder has reported such a delivery", 503: "NATS was not reached yet"}),
)
async def get_delivery(request: Request, caller: Caller, delivery_id: UUID) -> DeliveryStatus:
    return await get_status(request, caller, delivery_id)
