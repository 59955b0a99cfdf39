"""The deliveries of one camera."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from forwarder.api.delivery_status import (
    DELIVERIES,
    DeliveryPaging,
    answer_page,
    find_deliveries,
    refresh_from_holder,
)
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/cameras", tags=["cameras"])


@router.get(
    "/{camera_id}/deliveries",
    summary="The status of one camera at each of its destinations",
    description="One entry per planned delivery.",
    response_model=None,
    responses={
        **DELIVERIES.responses,
        **problems({404: "No forwarder has reported a delivery of such a camera", 503: "NATS was not reached yet"}),
    },
)
async def list_camera_deliveries(
    request: Request, caller: Caller, camera_id: UUID, paging: Annotated[DeliveryPaging, Depends(DELIVERIES)]
) -> Response:
    found = await find_deliveries(request, caller, lambda observed: observed.camera_id == camera_id)
    if not found:
        msg = f"no forwarder has reported a delivery of a camera {camera_id}; is it in the inventory?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_unknown", msg)
    return await answer_page(paging, await refresh_from_holder(request, found))
