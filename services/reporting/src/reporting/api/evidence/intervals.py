"""GET /v1/cameras/{id}/intervals and /v1/deliveries/{id}/intervals: the lines behind the figures."""

from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, InContext, not_found, seen_by
from reporting.domain.evidence.claims import UNKNOWN, Status, resolve
from reporting.domain.instants import Millis, seconds, to_local
from reporting.domain.outages import accounted
from reporting.domain.segments import Period, Segment, overlay
from reporting.reports.accounts import watch_of
from reporting.storage import history, plan
from reporting.storage.sight import sees_camera, sees_delivery
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1", tags=["intervals"])


class Interval(BaseModel):
    """[start, end) cut to the period."""

    start: datetime
    end: datetime
    seconds: float
    state: str
    cause: str | None = None


class Intervals(BaseModel):
    """Intervals without gap or overlap; their seconds add up to the period."""

    id: UUID
    start: datetime = Field(description="Start of the period, included.")
    end: datetime = Field(description="End of the period, excluded.")
    intervals: list[Interval]


@router.get(
    "/cameras/{camera_id}/intervals",
    summary="What a camera was, interval by interval",
    description="States up, down, maintenance, unknown, out_of_scope, with causes; they fill the period. "
    "`format=csv`, `xlsx` or `parquet` gives its part of the table `camera_intervals`.",
    response_model=Intervals,
    responses=problems({404: "No such camera is known here"}) | file_answers(),
)
async def read_camera_intervals(
    camera_id: UUID, shared: InContext, asks: Asks, chosen: Chosen, caller: Caller
) -> Intervals | Response:
    start, end = asks.period
    async with snapshot(shared.database) as session:
        camera = await plan.camera_by_id(session, camera_id, asks.period)
        watch = await watch_of(session, asks)
        seen = (await history.camera_lines(session, [camera_id], start, end, watch)).get(camera_id, ())
        known = camera is not None or seen or await plan.camera_known(session, camera_id)
        if not known or not await sees_camera(session, caller.sight, camera_id):
            raise not_found("camera", camera_id)
        scope = await seen_by(session, caller.sight)
        windows = await history.maintenance(session, start, end)
    if chosen.is_file:
        return table_answer(shared, "camera_intervals", asks, chosen, scope, only=camera_id)
    agreed = history.maintenance_of(windows, camera) if camera is not None else []
    absences = camera.absences if camera is not None else []
    found = [
        _interval(start, end, state.value, cause)
        for start, end, (state, cause, *_) in accounted(asks.period, seen, agreed, absences)
    ]
    return _answer(camera_id, asks.period, found)


@router.get(
    "/deliveries/{delivery_id}/intervals",
    summary="How a delivery stood, interval by interval",
    description="Delivery states as the forwarders reported them, `unknown` where none did; they fill the period. "
    "`format=csv`, `xlsx` or `parquet` gives its part of the table `delivery_intervals`.",
    response_model=Intervals,
    responses=problems({404: "No such delivery is known here"}) | file_answers(),
)
async def read_delivery_intervals(
    delivery_id: UUID, shared: InContext, asks: Asks, chosen: Chosen, caller: Caller
) -> Intervals | Response:
    start, end = asks.period
    async with snapshot(shared.database) as session:
        watch = await watch_of(session, asks)
        claims = (await history.claims(session, [delivery_id], start, end, watch)).get(delivery_id, [])
        known = claims or await plan.camera_of(session, delivery_id)
        if not known or not await sees_delivery(session, caller.sight, delivery_id):
            raise not_found("delivery", delivery_id)
        scope = await seen_by(session, caller.sight)
    if chosen.is_file:
        return table_answer(shared, "delivery_intervals", asks, chosen, scope, only=delivery_id)
    return _answer(delivery_id, asks.period, _statuses(asks.period, resolve(claims, watch.forwarders)))


def _statuses(period: Period, segments: list[Segment[Status]]) -> list[Interval]:
    result: list[Interval] = []
    for start, end, (status,) in overlay(period, [segments]):
        state, cause = (UNKNOWN, None) if status is None else (status.state, status.cause)
        result.append(_interval(start, end, state, cause))
    return result


def _interval(start: Millis, end: Millis, state: str, cause: str | None) -> Interval:
    return Interval(start=to_local(start), end=to_local(end), seconds=seconds(end - start), state=state, cause=cause)


def _answer(thing: UUID, period: Period, intervals: list[Interval]) -> Intervals:
    return Intervals(id=thing, start=to_local(period.start), end=to_local(period.end), intervals=intervals)
