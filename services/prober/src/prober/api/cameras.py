"""The latest probe of each camera, by whichever prober."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from prober.api.advice import AdviceShown
from prober.api.bus import LocalTime, answered_by_the_bus, bus_of, now_of
from prober.domain.failures import Failure
from prober.messaging import CameraStatuses, FailureHistories
from vonggac.auth import Right, require
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Media, ProbeKind, Step, Verdict
from vonggac.http import Problem, ProblemError

router = APIRouter(prefix="/v1/cameras", tags=["cameras"], dependencies=[Depends(require(Right.READ))])

MAX_PAGE = 1000


class CameraStatus(BaseModel):
    """One camera as it was last seen."""

    camera_id: UUID
    camera_revision: int = Field(description="State of the camera in the inventory that was probed.")
    verdict: Verdict
    cause: Cause | None = Field(description="Null exactly when the verdict is `up`.")
    detail: str | None
    observed_at: LocalTime
    next_probe_due_at: LocalTime
    overdue: bool = Field(description="Nobody probed it for two intervals: the verdict may no longer hold.")
    interval_s: float
    duration_ms: float
    worker_id: str
    steps: tuple[Step, ...] = Field(description="Each phase of the probe and what it took.")
    media: Media | None = Field(description="What was measured of the stream.")
    kind: ProbeKind = Field(description="`forwarder_keyframe`: a deep probe by the forwarder's keyframe.")
    findings: tuple[Cause, ...] = Field(description="What is wrong beside the cause, also with a camera that is `up`.")
    not_checked: dict[str, str] = Field(description="Checks (by their cause) that could not be made, and why.")
    since: LocalTime | None = Field(description="When this verdict began, probe by probe (without hysteresis).")
    deep_at: LocalTime | None = Field(description="When the picture was last judged.")
    advice: AdviceShown | None = Field(description="What to do about the cause; null without one.")

    @classmethod
    def of(cls, observed: CameraObservedV1, now: datetime) -> "CameraStatus":
        interval = timedelta(seconds=observed.interval_s)
        return cls(
            **{
                name: getattr(observed, name) for name in cls.model_fields.keys() & CameraObservedV1.model_fields.keys()
            },
            advice=AdviceShown.on(observed.cause),
            next_probe_due_at=observed.observed_at + interval,
            overdue=now > observed.observed_at + 2 * interval,
        )


class CameraQuery(BaseModel):
    """Which cameras, and which page of them. A parameter that is not known is refused: it would filter nothing."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict | None = Field(None, description="Only cameras with this verdict.")
    cause: Cause | None = Field(None, description="Only cameras with this cause.")
    finding: Cause | None = Field(None, description="Only cameras with this finding.")
    facility_id: UUID | None = Field(None, description="Only cameras of this facility.")
    after: UUID | None = Field(None, description="Only cameras behind this id.")
    limit: int = Field(MAX_PAGE, ge=1, le=MAX_PAGE, description="Cameras a page.")

    def fits(self, status: CameraObservedV1) -> bool:
        """Whether a camera fits the filter, on whichever page."""
        return (
            (self.verdict is None or status.verdict is self.verdict)
            and (self.cause is None or status.cause is self.cause)
            and (self.finding is None or self.finding in status.findings)
            and (self.facility_id is None or status.facility_id == self.facility_id)
        )


class CameraPage(BaseModel):
    """Cameras ordered by id."""

    items: list[CameraStatus]
    total: int = Field(description="Cameras that fit the filter, on all pages.")
    next_after: UUID | None = Field(description="Give it as `after` for the next page; null on the last one.")


@router.get(
    "",
    summary="The latest probe of each camera",
    description="Ordered by camera id, filtered by verdict, cause, finding and facility, in pages. Cameras that were "
    "removed or disabled are not listed, nor those that nobody has probed yet.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
)
async def list_cameras(request: Request, query: Annotated[CameraQuery, Query()]) -> CameraPage:
    with answered_by_the_bus():
        statuses = await CameraStatuses(bus_of(request)).all()
    fitting = [status for status in statuses if query.fits(status)]
    rest = [status for status in fitting if query.after is None or str(status.camera_id) > str(query.after)]
    now = now_of(request)
    return CameraPage(
        items=[CameraStatus.of(status, now) for status in rest[: query.limit]],
        total=len(fitting),
        next_after=rest[query.limit - 1].camera_id if len(rest) > query.limit else None,
    )


@router.get(
    "/{camera_id}",
    summary="The latest probe of one camera",
    description="With each phase of the probe and what was measured of the stream.",
    responses={
        404: {"model": Problem, "description": "Nobody has probed such a camera"},
        503: {"model": Problem, "description": "NATS does not answer"},
    },
)
async def get_camera(request: Request, camera_id: UUID) -> CameraStatus:
    with answered_by_the_bus():
        status = await CameraStatuses(bus_of(request)).get(camera_id)
    if status is None:
        msg = f"nobody has probed a camera {camera_id}; is it in the inventory and enabled?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_probed", msg)
    return CameraStatus.of(status, now_of(request))


class FailureShown(BaseModel):
    """Probes in a row that ended with one cause."""

    verdict: Verdict
    cause: Cause | None
    detail: str | None = Field(description="Of the last of these probes.")
    advice: AdviceShown | None
    began_at: LocalTime
    last_at: LocalTime = Field(description="When the last of these probes ended.")
    probes: int
    ended_at: LocalTime | None = Field(description="When a probe ended otherwise; null while it lasts.")

    @classmethod
    def of(cls, failure: Failure) -> "FailureShown":
        return cls(**dict(failure), advice=AdviceShown.on(failure.cause))


class FailureList(BaseModel):
    """Newest first."""

    items: list[FailureShown]


@router.get(
    "/{camera_id}/failures",
    summary="The last failures of one camera",
    description="Newest first, each from its first failed probe to its end. Empty for a camera that never failed, or "
    "that is not there.",
    responses={503: {"model": Problem, "description": "NATS does not answer"}},
)
async def get_failures(request: Request, camera_id: UUID) -> FailureList:
    with answered_by_the_bus():
        failures = await FailureHistories(bus_of(request)).get(camera_id)
    return FailureList(items=[FailureShown.of(failure) for failure in failures])
