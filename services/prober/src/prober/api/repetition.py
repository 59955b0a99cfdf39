"""A camera that `repeats`: somebody disputes it with a reason, and another one decides."""

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints

from prober.api.bus import AWAY, LocalTime, answered_by_the_bus, bus_of, disputes_of, hides_camera, now_of, observer_of
from prober.api.probes import observe_now
from prober.domain.dispute import DisputeState, repeats, state_of
from prober.messaging import CameraStatuses
from prober.probes.disputes import DisputeRecord, decided
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.prober import CameraObservedV1, DisputeDecision
from vonggac.http import ProblemError
from vonggac.http.conditional.etags import etag_of
from vonggac.http.conditional.if_match import IfMatch
from vonggac.http.openapi import problems
from vonggac.telemetry import get_logger

log = get_logger(__name__)
router = guarded_router(prefix="/v1/cameras/{camera_id}/repetition", tags=["repetition"])

NONE = {404: "The camera shows no recording in a loop, and nobody disputed that it did"}
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class RepetitionResponse(BaseModel):
    """How the finding `repeats` of a camera stands, and what people said of it last."""

    camera_id: UUID
    state: DisputeState = Field(
        description="`found`: nobody disputes it, the camera is down. `disputed`: unknown until somebody decides. "
        "`confirmed`: down. `refused`: the finding is off until the keyframes are new. `over`: they are."
    )
    repeats_since: LocalTime | None = Field(description="As it was found.")
    disputed_at: LocalTime | None
    disputed_by: str | None
    reason: str | None
    decided_at: LocalTime | None
    decided_by: str | None
    decision_reason: str | None
    ended_at: LocalTime | None = Field(description="When the first new keyframe came; null: none has.")


class DisputeRequest(BaseModel):
    """Why what the camera shows is live."""

    reason: Reason = Field(description="For whoever decides.", examples=["I stand before it and see myself move."])


class DecisionRequest(BaseModel):
    """`confirmed`: the camera shows a recording. `refused`: it is live, and the finding is off."""

    decision: DisputeDecision
    reason: Reason = Field(examples=["Compared with the guard's telephone at 14:05: the same people."])


@router.get(
    "",
    summary="Whether the camera shows a recording in a loop, and who disputes that",
    description="The ETag is for `If-Match` of the decision.",
    responses=problems({**NONE, **AWAY}),
)
async def get_repetition(request: Request, response: Response, caller: Caller, camera_id: UUID) -> RepetitionResponse:
    return await _answer(request, response, caller, camera_id)


@router.put(
    "/dispute",
    summary="Say that the camera is live",
    description="From now on the camera is `unknown`, neither up nor down, until somebody else decides; what was "
    "counted before stays. With name, time and reason on record. The camera is probed at once.",
    responses=problems(
        {**NONE, 409: "It is disputed or decided already, or the camera does not repeat itself now", **AWAY}
    ),
)
async def dispute_repetition(
    request: Request, response: Response, caller: Caller, camera_id: UUID, wanted: DisputeRequest
) -> RepetitionResponse:
    status, record, revision = await _load(request, caller, camera_id)
    if record is not None and record.ended_at is None:
        msg = f"it is {state_of(record)} already; read it (GET) for who said so and why"
        raise ProblemError(HTTPStatus.CONFLICT, "disputed_already", msg)
    if status is None or not repeats(status):
        msg = "the camera does not repeat itself, as its last probe found: there is nothing to dispute"
        raise ProblemError(HTTPStatus.CONFLICT, "not_repeating", msg)
    new = DisputeRecord(
        disputed_at=now_of(request), disputed_by=caller.subject, reason=wanted.reason, repeats_since=status.still_since
    )
    await _store(request, camera_id, new, revision)
    log.info("repetition_disputed", camera_id=str(camera_id), by=caller.subject)
    await _probe(request, caller, camera_id)
    return await _answer(request, response, caller, camera_id)


@router.put(
    "/decision",
    summary="Decide what somebody else disputes",
    description="`confirmed`: the camera is down from now on. `refused`: the finding is off from now on, until the "
    "camera's keyframes are new; from then on it is watched anew. Not by whoever disputes it, and once. With name, "
    "time and reason on record. The camera is probed at once.",
    responses=problems(
        {
            **NONE,
            403: "The right is missing, or the caller disputed it",
            409: "Nobody disputes it, it is decided already, or the recording is over",
            412: "It changed since it was read",
            428: "If-Match is missing",
            **AWAY,
        }
    ),
)
async def decide_repetition(
    request: Request, response: Response, caller: Caller, camera_id: UUID, wanted: DecisionRequest, if_match: IfMatch
) -> RepetitionResponse:
    _, record, revision = await _load(request, caller, camera_id)
    if_match.check(revision)
    if record is None or (state := state_of(record)) is DisputeState.OVER:
        raise ProblemError(HTTPStatus.CONFLICT, "not_disputed", "nobody disputes it: there is nothing to decide")
    if state is not DisputeState.DISPUTED:
        msg = f"it was decided already: {state}, by {record.decided_by}"
        raise ProblemError(HTTPStatus.CONFLICT, "decided_already", msg)
    if caller.subject == record.disputed_by:
        msg = "whoever disputes it does not decide it: somebody else with the right 'decide' does"
        raise ProblemError(HTTPStatus.FORBIDDEN, "own_dispute", msg)
    new = decided(record, wanted.decision, by=caller.subject, reason=wanted.reason, at=now_of(request))
    await _store(request, camera_id, new, revision)
    log.info("repetition_decided", camera_id=str(camera_id), by=caller.subject, decision=wanted.decision)
    await _probe(request, caller, camera_id)
    return await _answer(request, response, caller, camera_id)


async def _load(
    request: Request, caller: Principal, camera_id: UUID
) -> tuple[CameraObservedV1 | None, DisputeRecord | None, int]:
    """Load the camera's last observation, what people said, and the revision of that. Raises ProblemError 404."""
    hidden = await hides_camera(request, caller, camera_id)
    with answered_by_the_bus():
        status = await CameraStatuses(bus_of(request)).get(camera_id)
        record, revision = await disputes_of(request).load(camera_id)
    if hidden or (status is None and record is None):
        raise _nothing()
    return status, record, revision


async def _store(request: Request, camera_id: UUID, record: DisputeRecord, revision: int) -> None:
    with answered_by_the_bus():
        stored = await disputes_of(request).store(camera_id, record, revision)
    if not stored:
        msg = "somebody else said something of it this moment: read it (GET) and try again"
        raise ProblemError(HTTPStatus.CONFLICT, "overtaken", msg)


async def _probe(request: Request, caller: Principal, camera_id: UUID) -> None:
    """So that nobody waits for the schedule, which does it otherwise."""
    with suppress(ProblemError):
        await observe_now(request, caller, observer_of(request), camera_id)


async def _answer(request: Request, response: Response, caller: Principal, camera_id: UUID) -> RepetitionResponse:
    status, record, revision = await _load(request, caller, camera_id)
    found = status is not None and repeats(status)
    if record is None or (record.ended_at is not None and found):
        if status is None or not found:
            raise _nothing()
        # Another one than what people spoke of last.
        record = None
    response.headers["ETag"] = etag_of(revision)
    since = record.repeats_since if record is not None else None
    return RepetitionResponse(
        camera_id=camera_id,
        state=state_of(record),
        repeats_since=since or (status.still_since if status is not None else None),
        **{
            name: getattr(record, name, None)
            for name in RepetitionResponse.model_fields.keys() & DisputeRecord.model_fields.keys() - {"repeats_since"}
        },
    )


def _nothing() -> ProblemError:
    msg = "the camera shows no recording in a loop, as far as its probes found, and nobody disputed that it did"
    return ProblemError(HTTPStatus.NOT_FOUND, "no_repetition", msg)
