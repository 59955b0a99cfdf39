"""What destinations play: the latest read-back of each delivery, and a read-back now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from prober.api.advice import AdviceShown
from prober.api.bus import LocalTime, answered_by_the_bus, bus_of, now_of, verifications_of
from prober.messaging import Cameras, VerificationResults, delivery_camera
from prober.probes.limits import OnDemandLimit, OnDemandLimitError
from vonggac.auth import Right, require
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict
from vonggac.http import Problem, ProblemError

router = APIRouter(prefix="/v1/verifications", tags=["verifications"])

MAX_PAGE = 1000


class VerificationShown(BaseModel):
    """One delivery as it was last read back."""

    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    camera_revision: int = Field(description="State of the camera in the inventory that was read back.")
    verdict: VerificationVerdict
    cause: Cause | None
    detail: str | None
    advice: AdviceShown | None = Field(description="What to do about the cause; null without one.")
    captured_at: LocalTime | None = Field(description="When the recognised picture came from the camera.")
    delay_s: float | None = Field(description="Seconds from then to its return from the destination.")
    observed_at: LocalTime
    next_due_at: LocalTime
    overdue: bool = Field(description="Nobody read it back for two intervals: the verdict may no longer hold.")
    interval_s: float
    duration_ms: float
    worker_id: str

    @classmethod
    def of(cls, fact: DeliveryVerifiedV1, now: datetime) -> "VerificationShown":
        interval = timedelta(seconds=fact.interval_s)
        return cls(
            **fact.model_dump(),
            advice=AdviceShown.on(fact.cause),
            next_due_at=fact.observed_at + interval,
            overdue=now > fact.observed_at + 2 * interval,
        )


class VerificationPage(BaseModel):
    """Ordered by delivery id."""

    items: list[VerificationShown]
    total: int = Field(description="Read-backs that fit the filter, on all pages.")
    next_after: UUID | None = Field(description="Give it as `after` for the next page; null on the last one.")


@router.get(
    "",
    summary="The latest read-back of each delivery",
    description="Ordered by delivery id, filtered by camera, destination and verdict, in pages. Deliveries without a "
    "read-back address are not listed, nor those that were not read back for a day.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
    dependencies=[Depends(require(Right.READ))],
)
async def list_verifications(
    request: Request,
    camera_id: Annotated[UUID | None, Query(description="Only deliveries of this camera.")] = None,
    destination_id: Annotated[UUID | None, Query(description="Only deliveries to this destination.")] = None,
    verdict: Annotated[VerificationVerdict | None, Query(description="Only those with this verdict.")] = None,
    after: Annotated[UUID | None, Query(description="Only deliveries behind this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Deliveries a page.")] = MAX_PAGE,
) -> VerificationPage:
    with answered_by_the_bus():
        facts = await VerificationResults(bus_of(request)).all()
    fitting = [
        fact
        for fact in facts
        if (camera_id is None or fact.camera_id == camera_id)
        and (destination_id is None or fact.destination_id == destination_id)
        and (verdict is None or fact.verdict is verdict)
    ]
    rest = [fact for fact in fitting if after is None or str(fact.delivery_id) > str(after)]
    return VerificationPage(
        items=_shown(rest[:limit], now_of(request)),
        total=len(fitting),
        next_after=rest[limit - 1].delivery_id if len(rest) > limit else None,
    )


class VerificationRequest(BaseModel):
    """One delivery, or all enabled ones of a camera."""

    model_config = ConfigDict(extra="forbid")

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

    items: list[VerificationShown]


@router.post(
    "",
    summary="Read deliveries back now and wait for the verdict",
    description="It is published like any other read-back. Some seconds when it is proven, about the longest delay "
    "allowed (`VONGGAC_PROBER_MAX_DELAY_S`) when it is not. The rest after failed logins holds here too.",
    responses={
        404: {"model": Problem, "description": "There is no such camera or delivery"},
        409: {"model": Problem, "description": "It is disabled, or is read back now"},
        429: {"model": Problem, "description": "Too many on demand"},
        503: {"model": Problem, "description": "NATS does not answer"},
    },
    dependencies=[Depends(require(Right.OPERATE))],
)
async def verify_now(request: Request, wanted: VerificationRequest) -> VerificationList:
    limit: OnDemandLimit = request.app.state.on_demand_limit
    with answered_by_the_bus():
        camera = await _camera_of(request, wanted)
    deliveries = _chosen(camera, wanted.delivery_id)
    verifications = verifications_of(request)
    if verifications.is_verifying(camera.id):
        msg = "the camera's deliveries are read back now: see the result in a moment"
        raise _later(HTTPStatus.CONFLICT, "being_read_back", msg, verifications.longest_s)
    try:
        with limit.within(f"read-back of {camera.id}"), answered_by_the_bus():
            result = await verifications.verify_on_demand(camera, deliveries)
    except OnDemandLimitError as error:
        raise _later(HTTPStatus.TOO_MANY_REQUESTS, "on_demand_limit", str(error), error.after_s) from None
    return VerificationList(items=_shown(result.facts, now_of(request)))


async def _camera_of(request: Request, wanted: VerificationRequest) -> CameraV1:
    bus = bus_of(request)
    camera_id = wanted.camera_id
    if wanted.delivery_id is not None:
        camera_id = await delivery_camera(bus, wanted.delivery_id)
        if camera_id is None:
            msg = f"nothing is known of a delivery {wanted.delivery_id} yet: give camera_id instead"
            raise ProblemError(HTTPStatus.NOT_FOUND, "delivery_not_found", msg)
    assert camera_id is not None, "validated"
    camera = await Cameras(bus).get(camera_id)
    if camera is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_found", f"the inventory has no camera {camera_id}")
    return camera


def _chosen(camera: CameraV1, delivery_id: UUID | None) -> list[PlannedDelivery]:
    """Raises ProblemError when there is nothing to read back."""
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


def _shown(facts: Sequence[DeliveryVerifiedV1], now: datetime) -> list[VerificationShown]:
    return [VerificationShown.of(fact, now) for fact in facts]


def _later(status: HTTPStatus, code: str, message: str, after_s: float) -> ProblemError:
    return ProblemError(status, code, message, headers={"Retry-After": str(max(1, ceil(after_s)))})
