"""The effect of a person's commands on one delivery: stop, start, retry now."""

from dataclasses import replace
from enum import StrEnum

from forwarder.domain.clock import Instant
from forwarder.domain.delivery import MAX_DETAIL_CHARACTERS, Action, Decision, Delivery, RetryDue, decide, restarted
from forwarder.domain.delivery import Limits as DeliveryLimits
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryCommand, DeliveryState


class RetryOutcome(StrEnum):
    """The outcome of the command to retry now."""

    RETRIED = "retried"
    NOT_WAITING = "not_waiting"
    """A session stands or is being opened: there is nothing to hurry."""
    CAMERA_RESTS = "camera_rests"
    """The camera refused the credentials; another login now could lock the account."""
    STOPPED = "stopped"
    NOT_RUNNING = "not_running"
    """The plan does not want this delivery, or the asked worker does not have it."""


def describe(command: DeliveryCommand) -> str:
    """Who stopped it and why, for people."""
    reason = f": {command.reason}" if command.reason else ""
    return f"stopped by {command.by}{reason}"[:MAX_DETAIL_CHARACTERS]


def stopped(delivery: Delivery, command: DeliveryCommand, now: Instant) -> Decision:
    """No session from now on, whatever camera and destination do."""
    same = delivery.state is DeliveryState.STOPPED
    since = delivery.since if same else now.at
    halted = restarted(delivery, DeliveryState.STOPPED, now)
    halted = replace(halted, since=since, cause=Cause.STOPPED, detail=describe(command))
    return Decision(halted, () if same else (Action.CLOSE,))


def started(delivery: Delivery, now: Instant) -> Decision:
    """Withdraw the command to stop: begin as at the very beginning."""
    if delivery.state is not DeliveryState.STOPPED:
        return Decision(delivery)
    return Decision(restarted(delivery, DeliveryState.WAITING_FOR_CAMERA, now))


def tried_again(delivery: Delivery, now: Instant, *, limits: DeliveryLimits) -> tuple[Decision, bool]:
    """Try now and count waiting times from the beginning; whether there was a wait of the destination to end."""
    if delivery.failing:
        return decide(replace(delivery, attempt=0), RetryDue(), now, chance=0.0, limits=limits), True
    if delivery.state is DeliveryState.WAITING_FOR_CAMERA and delivery.next_attempt_at is not None:
        return Decision(replace(delivery, attempt=0, next_attempt_at=None)), True
    return Decision(delivery), False
