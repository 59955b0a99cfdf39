"""The deliveries of one camera."""

from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from forwarder.api.delivery_status import DeliveryStatus, find_deliveries, refresh_from_holder
from vonggac.auth import Right, require
from vonggac.http import Problem, ProblemError

router = APIRouter(prefix="/v1/cameras", tags=["cameras"], dependencies=[Depends(require(Right.READ))])


class CameraDeliveries(BaseModel):
    """Ordered by delivery."""

    items: list[DeliveryStatus]


@router.get(
    "/{camera_id}/deliveries",
    summary="The status of one camera at each of its destinations",
    description="One entry per planned delivery.",
    responses={
        404: {"model": Problem, "description": "No forwarder has reported a delivery of such a camera"},
        503: {"model": Problem, "description": "NATS was not reached yet"},
    },
)
async def list_camera_deliveries(request: Request, camera_id: UUID) -> CameraDeliveries:
    found = await find_deliveries(request, lambda observed: observed.camera_id == camera_id)
    items = [DeliveryStatus.of(one) for one in await refresh_from_holder(request, found)]
    if not items:
        msg = f"no forwarder has reported a delivery of a camera {camera_id}; is it in the inventory?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_unknown", msg)
    return CameraDeliveries(items=items)
