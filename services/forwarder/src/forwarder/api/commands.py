"""Commands for one delivery: stop, start, retry now. Any forwarder accepts them, whichever holds the camera."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Request
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from forwarder.api.delivery_status import DeliveryStatus, LocalTime, get_status, process_of, unavailable
from forwarder.domain.assignment.commands import RetryOutcome
from forwarder.messaging import request_retry
from forwarder.relay.assignment.commands import store_command, withdraw_command
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.bus import Bus
from vonggac.events.forwarder import DeliveryCommand, DeliveryState
from vonggac.http import ProblemError
from vonggac.http.openapi import problems
from vonggac.http.protection.texts import VisibleText
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)
router = guarded_router(prefix="/v1/deliveries/{delivery_id}", tags=["deliveries"])

_UNAVAILABLE = "NATS does not answer: the command was perhaps not stored. Send it again."
_RESPONSES = problems(
    {
        404: "No forwarder has reported such a delivery",
        409: "The command means nothing in the delivery's present state (`code`)",
        503: "NATS does not answer",
    }
)
_NOT_RETRIED = {
    RetryOutcome.NOT_WAITING: (
        "delivery_not_waiting",
        "it waits for nothing: a session stands, or is being opened at this moment",
    ),
    RetryOutcome.CAMERA_RESTS: (
        "camera_rests",
        "the camera refused the credentials, and another login could lock the account; correct them in the inventory",
    ),
    RetryOutcome.STOPPED: ("delivery_stopped", "it is stopped; start it instead"),
    RetryOutcome.NOT_RUNNING: (
        "delivery_not_running",
        "no forwarder runs it at this moment: it is disabled, or its camera waits for a forwarder with room",
    ),
}


class StopRequest(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[VisibleText, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)] = Field(
        description="For those who find it stopped.", examples=["The centre changes its server until Friday."]
    )


class CommandInForce(BaseModel):
    """A command that is in force, or was until now."""

    delivery_id: UUID
    stopped: bool
    by: str = Field(description="Subject of the token that sent it.")
    reason: str | None
    at: LocalTime


@router.post(
    "/stop",
    summary="Stop one delivery until it is started again",
    description="Its session ends in order, and its state is `stopped`. The command outlives restarts. The other "
    "deliveries of its camera go on. Stopped again, it takes the new reason.",
    responses={key: _RESPONSES[key] for key in (404, 503)},
)
async def stop_delivery(request: Request, delivery_id: UUID, body: StopRequest, caller: Caller) -> CommandInForce:
    await get_status(request, caller, delivery_id)
    command = DeliveryCommand(
        delivery_id=delivery_id,
        stopped=True,
        by=caller.subject,
        reason=redact(body.reason),
        at=process_of(request).clock.now(),
    )
    try:
        await store_command(_bus(request), command)
    except (NatsError, TimeoutError, OSError):
        raise unavailable(_UNAVAILABLE) from None
    log.info("delivery_stopped", delivery_id=str(delivery_id), by=caller.subject, reason=command.reason)
    return CommandInForce.model_validate(command, from_attributes=True)


@router.post(
    "/start",
    summary="Start a stopped delivery",
    description="The command to stop is withdrawn; the answer is that command. A session is opened as soon as the "
    "camera is live.",
    responses=_RESPONSES,
)
async def start_delivery(request: Request, delivery_id: UUID, caller: Caller) -> CommandInForce:
    await get_status(request, caller, delivery_id)
    try:
        command = await withdraw_command(_bus(request), _start_of(request, caller, delivery_id))
    except (NatsError, TimeoutError, OSError):
        raise unavailable(_UNAVAILABLE) from None
    if command is None:
        raise ProblemError(HTTPStatus.CONFLICT, "delivery_not_stopped", "nobody has stopped it")
    log.info("delivery_started", delivery_id=str(delivery_id), by=caller.subject)
    return CommandInForce.model_validate(command, from_attributes=True)


@router.post(
    "/retry",
    status_code=HTTPStatus.ACCEPTED,
    summary="Try one delivery again now",
    description="Ends a wait of the destination (`backing_off`, `refused`), and of its camera unless that refused the "
    "credentials; waiting times begin anew.",
    responses=_RESPONSES,
)
async def retry_delivery(request: Request, delivery_id: UUID, caller: Caller) -> DeliveryStatus:
    status = await get_status(request, caller, delivery_id)
    if status.state is DeliveryState.DISABLED:
        raise _not_retried(RetryOutcome.NOT_RUNNING)
    try:
        outcome = await request_retry(_bus(request), status.camera_id, delivery_id)
    except (NatsError, TimeoutError, OSError, ValueError):
        raise unavailable(_UNAVAILABLE) from None
    if outcome is not RetryOutcome.RETRIED:
        raise _not_retried(outcome)
    log.info("delivery_retried", delivery_id=str(delivery_id), by=caller.subject)
    return await get_status(request, caller, delivery_id)


def _start_of(request: Request, caller: Principal, delivery_id: UUID) -> DeliveryCommand:
    at = process_of(request).clock.now()
    return DeliveryCommand(delivery_id=delivery_id, stopped=False, by=caller.subject, at=at)


def _not_retried(outcome: RetryOutcome) -> ProblemError:
    code, detail = _NOT_RETRIED[outcome]
    return ProblemError(HTTPStatus.CONFLICT, code, detail)


def _bus(request: Request) -> Bus:
    bus = process_of(request).bus
    if bus is None or not bus.connected:
        raise unavailable(_UNAVAILABLE)
    return bus
