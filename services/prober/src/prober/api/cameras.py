"""The latest probe of each camera, by whichever prober."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from prober.api.advice import AdviceResponse, CauseResponse, failures_for, probe_for
from prober.api.bus import (
    AWAY,
    LocalTime,
    answered_by_the_bus,
    bus_of,
    hides_camera,
    now_of,
    seen_facilities,
)
from prober.domain.failures import Failure
from prober.messaging import CameraStatuses, FailureHistories
from vonggac.auth import Caller, guarded_router
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Media, ProbeKind, Step, Verdict
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/cameras", tags=["cameras"])


class CameraStatus(BaseModel):
    """One camera as it was last seen."""

    camera_id: UUID
    camera_revision: int = Field(description="State of the camera in the inventory that was probed.")
    verdict: Verdict
    cause: CauseResponse | None = Field(
        description="Null exactly when the verdict is `up`. `unreachable` stands for refused, timeout and route where "
        "the caller may not have probes made (`operate`)."
    )
    detail: str | None
    observed_at: LocalTime
    next_probe_due_at: LocalTime
    overdue: bool = Field(description="Nobody probed it for two intervals: the verdict may no longer hold.")
    interval_s: float
    duration_ms: float | None = Field(description="Null beside `unreachable`.")
    worker_id: str
    steps: tuple[Step, ...] = Field(description="Each phase of the probe and what it took.")
    media: Media | None = Field(description="What was measured of the stream.")
    kind: ProbeKind = Field(description="`forwarder_keyframe`: a deep probe by the forwarder's keyframe.")
    findings: tuple[Cause, ...] = Field(description="What is wrong beside the cause, also with a camera that is `up`.")
    not_checked: dict[str, str] = Field(description="Checks (by their cause) that could not be made, and why.")
    since: LocalTime | None = Field(description="When this verdict began, probe by probe (without hysteresis).")
    deep_at: LocalTime | None = Field(description="When the picture was last judged.")
    advice: AdviceResponse | None = Field(description="What to do about the cause; null without one.")

    @classmethod
    def of(cls, observed: CameraObservedV1, now: datetime) -> "CameraStatus":
        interval = timedelta(seconds=observed.interval_s)
        return cls(
            **{
                name: getattr(observed, name) for name in cls.model_fields.keys() & CameraObservedV1.model_fields.keys()
            },
            advice=AdviceResponse.on(observed.cause),
            next_probe_due_at=observed.observed_at + interval,
            overdue=now > observed.observed_at + 2 * interval,
        )


class CameraQuery(BaseModel):
    """Which cameras."""

    verdict: Verdict | None = Field(None, description="Only cameras with this verdict.")
    cause: CauseResponse | None = Field(None, description="Only cameras with this cause, as it is shown to the caller.")
    finding: Cause | None = Field(None, description="Only cameras with this finding.")
    facility_id: UUID | None = Field(None, description="Only cameras of this facility.")

    def fits(self, status: CameraObservedV1) -> bool:
        """Whether a camera fits the filter, on whichever page."""
        return (
            (self.verdict is None or status.verdict is self.verdict)
            and (self.cause is None or status.cause == self.cause)
            and (self.finding is None or self.finding in status.findings)
            and (self.facility_id is None or status.facility_id == self.facility_id)
        )


KEYS: dict[str, Key[CameraObservedV1]] = {
    "camera_id": Key(lambda observed: str(observed.camera_id)),
    "verdict": Key(lambda observed: observed.verdict.value),
    "cause": Key(lambda observed: observed.cause and observed.cause.value),
    "observed_at": Key(lambda observed: observed.observed_at, datetime),
    "since": Key(lambda observed: observed.since, datetime),
}
CAMERAS = Listing(CameraStatus, keys=KEYS, id_key="camera_id")


@router.get(
    "",
    summary="The latest probe of each camera",
    description="Filtered by verdict, cause, finding and facility, in pages. Cameras that were removed or disabled are "
    "not listed, nor those that nobody has probed yet.",
    response_model=None,
    responses={**CAMERAS.responses, **problems(AWAY)},
)
async def list_cameras(
    request: Request,
    caller: Caller,
    query: Annotated[CameraQuery, Query()],
    paging: Annotated[PageQuery[CameraObservedV1, CameraStatus], Depends(CAMERAS)],
) -> Response:
    with answered_by_the_bus():
        statuses = await CameraStatuses(bus_of(request)).all()
    shown = (probe_for(caller, status) for status in statuses)
    fitting = [status for status in shown if query.fits(status)]
    seen = await seen_facilities(request, caller.sight, {status.facility_id for status in fitting})
    page = paging.cut([status for status in fitting if status.facility_id in seen])
    now = now_of(request)
    return paging.answer(page, [CameraStatus.of(status, now) for status in page.rows])


@router.get(
    "/{camera_id}",
    summary="The latest probe of one camera",
    description="With each phase of the probe and what was measured of the stream.",
    responses=problems({404: "Nobody has probed such a camera", **AWAY}),
)
async def get_camera(request: Request, caller: Caller, camera_id: UUID) -> CameraStatus:
    with answered_by_the_bus():
        status = await CameraStatuses(bus_of(request)).get(camera_id)
    if status is None or await hides_camera(request, caller, camera_id):
        msg = f"nobody has probed a camera {camera_id}; is it in the inventory and enabled?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_probed", msg)
    return CameraStatus.of(probe_for(caller, status), now_of(request))


class FailureResponse(BaseModel):
    """Probes in a row that ended with one cause."""

    verdict: Verdict
    cause: CauseResponse | None
    detail: str | None = Field(description="Of the last of these probes.")
    advice: AdviceResponse | None
    began_at: LocalTime
    last_at: LocalTime = Field(description="When the last of these probes ended.")
    probes: int
    ended_at: LocalTime | None = Field(description="When a probe ended otherwise; null while it lasts.")

    @classmethod
    def of(cls, failure: Failure) -> "FailureResponse":
        return cls(**dict(failure), advice=AdviceResponse.on(failure.cause))


FAILURE_KEYS: dict[str, Key[FailureResponse]] = {
    "began_at": Key(lambda failure: failure.began_at, datetime),
    "probes": Key(lambda failure: failure.probes, int),
}
FAILURES = Listing(FailureResponse, keys=FAILURE_KEYS, id_key="began_at", default_sort="-began_at")


@router.get(
    "/{camera_id}/failures",
    summary="The last failures of one camera",
    description="Newest first, each from its first failed probe to its end. Empty for a camera that never failed, or "
    "that is not there.",
    response_model=None,
    responses={**FAILURES.responses, **problems(AWAY)},
)
async def list_failures(
    request: Request,
    caller: Caller,
    camera_id: UUID,
    paging: Annotated[PageQuery[FailureResponse, FailureResponse], Depends(FAILURES)],
) -> Response:
    with answered_by_the_bus():
        failures = await FailureHistories(bus_of(request)).get(camera_id)
    if await hides_camera(request, caller, camera_id):
        failures = ()
    page = paging.cut([FailureResponse.of(failure) for failure in failures_for(caller, failures)])
    return paging.answer(page, page.rows)
