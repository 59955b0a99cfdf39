"""The latest look at each camera, by whichever prober."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from prober.api.bus import LocalTime, answered_by_the_bus, bus_of
from prober.messaging import CameraStatuses
from vonggac.auth import Right, require
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Media, Step, Verdict
from vonggac.http import Problem, ProblemError

router = APIRouter(prefix="/v1/cameras", tags=["cameras"], dependencies=[Depends(require(Right.READ))])

MAX_PAGE = 1000


class CameraStatus(BaseModel):
    """One camera as it was last seen."""

    camera_id: UUID
    camera_revision: int = Field(description="State of the camera in the inventory that was looked at.")
    verdict: Verdict
    cause: Cause | None = Field(description="Null exactly when the verdict is `up`.")
    detail: str | None
    observed_at: LocalTime
    next_look_due_at: LocalTime
    overdue: bool = Field(description="Nobody looked for two intervals: the verdict may no longer hold.")
    interval_s: float
    duration_ms: float
    worker_id: str
    steps: tuple[Step, ...] = Field(description="Each phase of the look and what it took.")
    media: Media | None = Field(description="What was measured of the stream.")

    @classmethod
    def of(cls, observed: CameraObservedV1, now: datetime) -> "CameraStatus":
        interval = timedelta(seconds=observed.interval_s)
        return cls(
            **{name: getattr(observed, name) for name in CameraObservedV1.model_fields},
            next_look_due_at=observed.observed_at + interval,
            overdue=now > observed.observed_at + 2 * interval,
        )


class CameraPage(BaseModel):
    """Cameras ordered by id."""

    items: list[CameraStatus]
    total: int = Field(description="Cameras that fit the filter, on all pages.")
    next_after: UUID | None = Field(description="Give it as `after` for the next page; null on the last one.")


@router.get(
    "",
    summary="The latest look at each camera",
    description="Ordered by camera id, filtered by verdict and cause, in pages. Cameras that were removed or disabled "
    "are not listed, nor those that nobody has looked at yet.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
)
async def list_cameras(
    request: Request,
    verdict: Annotated[Verdict | None, Query(description="Only cameras with this verdict.")] = None,
    cause: Annotated[Cause | None, Query(description="Only cameras with this cause.")] = None,
    after: Annotated[UUID | None, Query(description="Only cameras behind this id.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Cameras a page.")] = MAX_PAGE,
) -> CameraPage:
    with answered_by_the_bus():
        statuses = await CameraStatuses(bus_of(request)).all()
    fitting = [
        status
        for status in statuses
        if (verdict is None or status.verdict is verdict) and (cause is None or status.cause is cause)
    ]
    rest = [status for status in fitting if after is None or str(status.camera_id) > str(after)]
    now = datetime.now(UTC)
    return CameraPage(
        items=[CameraStatus.of(status, now) for status in rest[:limit]],
        total=len(fitting),
        next_after=rest[limit - 1].camera_id if len(rest) > limit else None,
    )


@router.get(
    "/{camera_id}",
    summary="The latest look at one camera",
    description="With each phase of the look and what was measured of the stream.",
    responses={
        404: {"model": Problem, "description": "Nobody has looked at such a camera"},
        503: {"model": Problem, "description": "NATS does not answer"},
    },
)
async def get_camera(request: Request, camera_id: UUID) -> CameraStatus:
    with answered_by_the_bus():
        status = await CameraStatuses(bus_of(request)).get(camera_id)
    if status is None:
        msg = f"nobody has looked at a camera {camera_id}; is it in the inventory and enabled?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_looked_at", msg)
    return CameraStatus.of(status, datetime.now(UTC))
