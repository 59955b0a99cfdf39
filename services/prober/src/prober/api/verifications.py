"""What destinations play: the latest read-back of each delivery, and a read-back now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from prober.api.advice import AdviceResponse, CauseResponse, read_back_for
from prober.api.bus import (
    AWAY,
    LocalTime,
    answered_by_the_bus,
    bus_of,
    hides_camera,
    now_of,
    seen_camera,
    seen_facilities,
    verifications_of,
)
from prober.api.demands import Wanted, admit
from prober.messaging import CameraStatuses, VerificationResults, delivery_camera
from prober.probes.limits import OnDemandLimit, OnDemandLimitError
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, DemandKind, VerificationVerdict
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/verifications", tags=["verifications"])


class VerificationResponse(BaseModel):
    """One delivery as it was last read back."""

    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    camera_revision: int = Field(description="State of the camera in the inventory that was read back.")
    verdict: VerificationVerdict
    cause: CauseResponse | None = Field(description="`unreachable`: as of cameras.")
    detail: str | None
    advice: AdviceResponse | None = Field(description="What to do about the cause; null without one.")
    captured_at: LocalTime | None = Field(description="When the recognised picture came from the camera.")
    delay_s: float | None = Field(description="Seconds from then to its return from the destination.")
    observed_at: LocalTime
    next_due_at: LocalTime
    overdue: bool = Field(description="Nobody read it back for two intervals: the verdict may no longer hold.")
    interval_s: float
    duration_ms: float | None = Field(description="Null beside `unreachable`.")
    worker_id: str

    @classmethod
    def of(cls, fact: DeliveryVerifiedV1, now: datetime) -> "VerificationResponse":
        interval = timedelta(seconds=fact.interval_s)
        return cls(
            **fact.model_dump(),
            advice=AdviceResponse.on(fact.cause),
            next_due_at=fact.observed_at + interval,
            overdue=now > fact.observed_at + 2 * interval,
        )


KEYS: dict[str, Key[DeliveryVerifiedV1]] = {
    "delivery_id": Key(lambda fact: str(fact.delivery_id)),
    "camera_id": Key(lambda fact: str(fact.camera_id)),
    "verdict": Key(lambda fact: fact.verdict.value),
    "observed_at": Key(lambda fact: fact.observed_at, datetime),
    "delay_s": Key(lambda fact: fact.delay_s, float),
}
VERIFICATIONS = Listing(VerificationResponse, keys=KEYS, id_key="delivery_id")


@router.get(
    "",
    summary="The latest read-back of each delivery",
    description="Filtered by camera, destination and verdict, in pages. Deliveries without a read-back address are not "
    "listed, nor those that were not read back for a day.",
    response_model=None,
    responses={**VERIFICATIONS.responses, **problems(AWAY)},
)
async def list_verifications(
    request: Request,
    caller: Caller,
    paging: Annotated[PageQuery[DeliveryVerifiedV1, VerificationResponse], Depends(VERIFICATIONS)],
    camera_id: Annotated[UUID | None, Query(description="Only deliveries of this camera.")] = None,
    destination_id: Annotated[UUID | None, Query(description="Only deliveries to this destination.")] = None,
    verdict: Annotated[VerificationVerdict | None, Query(description="Only those with this verdict.")] = None,
) -> Response:
    with answered_by_the_bus():
        facts = await VerificationResults(bus_of(request)).all()
    fitting = [
        fact
        for fact in facts
        if (camera_id is None or fact.camera_id == camera_id)
        and (destination_id is None or fact.destination_id == destination_id)
        and (verdict is None or fact.verdict is verdict)
    ]
    page = paging.cut(await _select_visible(request, caller, fitting))
    return paging.answer(page, _to_response([read_back_for(caller, fact) for fact in page.rows], now_of(request)))


class VerificationRequest(BaseModel):
    """One delivery, or all enabled ones of a camera."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"camera_id": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31"}]}
    )

    delivery_id: UUID | None = None
    camera_id: UUID | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.delivery_id is None) == (self.camera_id is None):
            msg = "give either delivery_id or camera_id"
            raise ValueError(msg)
        return self


class VerificationList(BaseModel):
    """What was found just now."""

    items: list[VerificationResponse]


@router.post(
    "",
    summary="Read deliveries back now and wait for the verdict",
    description="It is published like any other read-back. Some seconds when it is proven, about the longest delay "
    "allowed (`VONGGAC_PROBER_MAX_DELAY_S`) when it is not. The rest after failed logins holds here too.",
    responses=problems(
        {
            404: "There is no such camera or delivery",
            409: "It is disabled, or is read back now",
            429: "Too many on demand, now or in the last hour",
            **AWAY,
        }
    ),
)
async def verify_now(request: Request, caller: Caller, wanted: VerificationRequest) -> VerificationList:
    limit: OnDemandLimit = request.app.state.on_demand_limit
    with answered_by_the_bus():
        camera = await _camera_of(request, caller, wanted)
    deliveries = _chosen(camera, wanted.delivery_id)
    verifications = verifications_of(request)
    if verifications.is_verifying(camera.id):
        msg = "the camera's deliveries are read back now: see the result in a moment"
        raise _later(HTTPStatus.CONFLICT, "being_read_back", msg, verifications.longest_s)
    try:
        with limit.within(f"read-back of {camera.id}"), answered_by_the_bus():
            await admit(request, caller, Wanted.of_camera(DemandKind.READ_BACK, camera.id, f"camera {camera.id}"))
            result = await verifications.verify_on_demand(camera, deliveries)
    except OnDemandLimitError as error:
        raise _later(HTTPStatus.TOO_MANY_REQUESTS, "on_demand_limit", str(error), error.after_s) from None
    return VerificationList(items=_to_response(result.facts, now_of(request)))


async def _camera_of(request: Request, caller: Principal, wanted: VerificationRequest) -> CameraV1:
    bus = bus_of(request)
    camera_id = wanted.camera_id
    if wanted.delivery_id is not None:
        camera_id = await delivery_camera(bus, wanted.delivery_id)
        if camera_id is None or await hides_camera(request, caller, camera_id):
            msg = f"nothing is known of a delivery {wanted.delivery_id} yet: give camera_id instead"
            raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_not_found", msg)
    assert camera_id is not None, "validated"
    camera = await seen_camera(request, caller, camera_id)
    if camera is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", f"the inventory has no camera {camera_id}")
    return camera


async def _select_visible(
    request: Request, caller: Principal, facts: Sequence[DeliveryVerifiedV1]
) -> Sequence[DeliveryVerifiedV1]:
    """Those of cameras that the caller sees; of a camera that nobody has probed yet the facility is not known."""
    if caller.sight.is_everything:
        return facts
    with answered_by_the_bus():
        statuses = await CameraStatuses(bus_of(request)).all()
    facilities = {status.camera_id: status.facility_id for status in statuses}
    seen = await seen_facilities(request, caller.sight, set(facilities.values()))
    return [fact for fact in facts if facilities.get(fact.camera_id) in seen]


def _chosen(camera: CameraV1, delivery_id: UUID | None) -> list[PlannedDelivery]:
    """List the deliveries to read back. Raises ProblemError when there is nothing to read back."""
    mine = [delivery for delivery in camera.deliveries if delivery_id in (None, delivery.id)]
    if not mine:
        msg = f"the camera {camera.id} has no such delivery"
        raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_not_found", msg)
    running = camera.forwarded
    enabled = [delivery for delivery in mine if delivery in running]
    if not enabled:
        msg = (
            "the camera or its delivery is disabled or without an agreed plan, or its facility closed: "
            "change that in the inventory"
        )
        raise ProblemError(HTTPStatus.CONFLICT, "delivery_disabled", msg)
    return enabled


def _to_response(facts: Sequence[DeliveryVerifiedV1], now: datetime) -> list[VerificationResponse]:
    return [VerificationResponse.of(fact, now) for fact in facts]


def _later(status: HTTPStatus, code: str, message: str, after_s: float) -> ProblemError:
    return ProblemError(status, code, message, headers={"Retry-After": str(max(1, ceil(after_s)))})
