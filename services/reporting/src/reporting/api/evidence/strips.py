"""GET /v1/facilities/{facility}/strips: a facility's cameras and their deliveries as lines of time, in one call."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field

from reporting.api.parameters import Asks, InContext, invalid, not_found, seen_by
from reporting.domain.instants import HOUR, to_local
from reporting.reports.availability.strips import Strip, load_strips
from reporting.storage import plan
from reporting.storage.mandate import codes
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/facilities", tags=["intervals"])

LONGEST_DAYS = 31
"""Of one answer: each moment at which something changed is in it."""


class CameraSegment(BaseModel):
    """[start, end) of one state, cut to the period."""

    start: datetime
    end: datetime
    state: Literal["up", "down", "maintenance", "unknown", "out_of_scope"]
    cause: str | None = Field(description="Why it was down, or out of scope.")


class DeliverySegment(BaseModel):
    """[start, end) of what a delivery's time counts for, cut to the period."""

    start: datetime
    end: datetime
    state: Literal["connected", "not_connected", "maintenance", "unknown", "out_of_scope"]
    cause: str | None = Field(description="Why it was not connected.")


class DeliveryStrip(BaseModel):
    """One delivery that the camera's plan named within the period."""

    delivery_id: UUID
    destination_code: str | None
    role: Literal["national", "provincial"] | None = Field(description="null: the destination is not known here yet.")
    segments: list[DeliverySegment]


class CameraStrip(BaseModel):
    """One camera that stood at the facility within the period."""

    camera_id: UUID
    camera_code: str
    camera_name: str
    segments: list[CameraSegment]
    deliveries: list[DeliveryStrip]


class Strips(BaseModel):
    """Segments without gap or overlap: each list fills [start, end)."""

    facility_id: UUID
    facility_code: str
    facility_name: str
    start: datetime = Field(description="Start of the period, included.")
    end: datetime = Field(description="End of the period, excluded.")
    as_of: datetime
    cameras: list[CameraStrip] = Field(description="In the order of their codes.")


@router.get(
    "/{facility}/strips",
    summary="A facility's cameras and deliveries as lines of time",
    description="By the accounts of every report: their lengths are its figures. Of at most 31 days; by default of the "
    "last 24 hours. Time in which a camera stood at another facility is `out_of_scope`, cause `elsewhere`.",
    responses=problems({404: "No such facility is known here in the period"}),
)
async def read_strips(
    facility: Annotated[str, Path(max_length=64, description="Code or id of the facility.")],
    shared: InContext,
    asks: Asks,
    caller: Caller,
) -> Strips:
    if asks.period.length > LONGEST_DAYS * 24 * HOUR:
        raise invalid("from", f"the period is longer than {LONGEST_DAYS} days; ask in parts")
    async with snapshot(shared.database) as session:
        found = await codes.find(session, "facility", facility, asks.last)
        scope = await seen_by(session, caller.sight)
        if found is None or (scope.visible is not None and found not in scope.visible):
            raise not_found("facility", facility)
        places = await plan.places(session, replace(scope, facility_id=found), asks.period)
        if not places.facilities:
            raise not_found("facility", facility)
        strips = await load_strips(session, asks, places)
    (place,) = places.facilities
    return Strips(
        facility_id=place.id,
        facility_code=place.code,
        facility_name=place.name,
        start=to_local(asks.period.start),
        end=to_local(asks.period.end),
        as_of=to_local(asks.now),
        cameras=[_to_response(one) for one in strips],
    )


def _to_response(strip: Strip) -> CameraStrip:
    return CameraStrip(
        camera_id=UUID(strip.camera.id),
        camera_code=strip.camera.code,
        camera_name=strip.camera.name,
        segments=[
            CameraSegment(start=to_local(start), end=to_local(end), state=seen.state.value, cause=seen.cause)
            for start, end, seen in strip.states
        ],
        deliveries=[
            DeliveryStrip.model_validate(
                {
                    "delivery_id": planned.id,
                    "destination_code": planned.destination.code,
                    "role": planned.role,
                    "segments": [
                        {"start": to_local(start), "end": to_local(end), "state": state, "cause": cause}
                        for start, end, (state, cause) in segments
                    ],
                }
            )
            for planned, segments in strip.deliveries
        ],
    )
