"""What stop, start and retry make of every state of a delivery."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from forwarder.domain.assignment import commands as orders
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Action, CameraAway, CameraLive, Delivery, Event, Failed, Limits, RetryDue, decide
from forwarder.domain.progress import Opened, ProgressRead
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryCommand, DeliveryState

BEGAN = datetime(2021, 5, 14, 8, 0, tzinfo=UTC)
NOW = Instant(BEGAN, 100.0)
LATER = Instant(BEGAN + timedelta(seconds=5), 105.0)
ORDER = DeliveryCommand(delivery_id=UUID(int=1), stopped=True, by="lan@example.vn", reason="thay máy ghi", at=BEGAN)
STOPPED = orders.stopped(Delivery(DeliveryState.ACKNOWLEDGED, BEGAN, attempt=3), ORDER, NOW).delivery
RUNNING = [state for state in DeliveryState if state is not DeliveryState.STOPPED]


@pytest.mark.parametrize("state", RUNNING)
def test_a_stopped_delivery_says_so_says_why_and_ends_its_session(state: DeliveryState) -> None:
    success = BEGAN - timedelta(minutes=1)
    decision = orders.stopped(Delivery(state, BEGAN, attempt=3, last_success_at=success), ORDER, LATER)
    stopped = decision.delivery
    assert (stopped.state, stopped.cause, stopped.since) == (DeliveryState.STOPPED, Cause.STOPPED, LATER.at)
    assert stopped.detail == "stopped by lan@example.vn: thay máy ghi"
    assert (stopped.attempt, stopped.next_attempt_at, stopped.last_success_at) == (0, None, success)
    assert decision.actions == (Action.CLOSE,)


def test_what_once_succeeded_stays_known_through_stop_and_start() -> None:
    proven = Delivery(
        DeliveryState.VERIFIED, BEGAN, last_success_at=NOW.at, verified_at=NOW.at - timedelta(seconds=9), delay_s=0.3
    )

    def known(delivery: Delivery) -> tuple[object, ...]:
        return delivery.last_success_at, delivery.verified_at, delivery.delay_s

    halted = orders.stopped(proven, ORDER, LATER).delivery
    assert known(halted) == known(orders.started(halted, LATER).delivery) == known(proven)


def test_a_second_order_to_stop_changes_the_reason_alone() -> None:
    again = orders.stopped(STOPPED, ORDER.model_copy(update={"reason": None}), LATER)
    assert again.actions == ()
    assert again.delivery == replace(STOPPED, detail="stopped by lan@example.vn")


EVENTS: list[Event] = [
    CameraLive(),
    CameraAway(Cause.REFUSED),
    RetryDue(),
    Opened(),
    ProgressRead(10, 10),
    Failed(Cause.TIMEOUT),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_nothing_that_happens_changes_a_stopped_delivery(event: Event) -> None:
    decision = decide(STOPPED, event, LATER, chance=0.5, limits=Limits())
    assert (decision.delivery, decision.actions) == (STOPPED, ())


def test_a_started_delivery_begins_as_a_new_one() -> None:
    started = orders.started(STOPPED, LATER)
    assert started.delivery.state is DeliveryState.WAITING_FOR_CAMERA
    assert (started.delivery.cause, started.delivery.since, started.actions) == (None, LATER.at, ())
    assert decide(started.delivery, CameraLive(), LATER, chance=0.5, limits=Limits()).actions == (Action.OPEN,)


@pytest.mark.parametrize("state", RUNNING)
def test_start_changes_nothing_that_is_not_stopped(state: DeliveryState) -> None:
    running = Delivery(state, BEGAN)
    assert orders.started(running, LATER).delivery is running


@pytest.mark.parametrize("state", [DeliveryState.BACKING_OFF, DeliveryState.REFUSED])
def test_retry_ends_a_wait_and_counts_from_the_beginning(state: DeliveryState) -> None:
    failure = Failed(Cause.AUTH_FAILED, "401")
    resting = Delivery(state, BEGAN, attempt=9, next_attempt_at=LATER.after(300), retry_in_s=300, failure=failure)
    decision, waited = orders.tried_again(resting, LATER, limits=Limits())
    assert waited
    assert decision.actions == (Action.OPEN,)
    assert (decision.delivery.state, decision.delivery.attempt) == (DeliveryState.CONNECTING, 1)
    assert (decision.delivery.cause, decision.delivery.next_attempt_at) == (Cause.AUTH_FAILED, None)


def test_retry_while_the_camera_is_away_lets_the_destination_be_tried_as_soon_as_it_is_back() -> None:
    failure = Failed(Cause.TIMEOUT)
    waiting = Delivery(
        DeliveryState.WAITING_FOR_CAMERA, BEGAN, attempt=9, next_attempt_at=LATER.after(300), failure=failure
    )
    decision, waited = orders.tried_again(waiting, LATER, limits=Limits())
    assert waited
    assert decision.actions == ()
    assert decide(decision.delivery, CameraLive(), LATER, chance=0.5, limits=Limits()).actions == (Action.OPEN,)


@pytest.mark.parametrize("state", [DeliveryState.ACKNOWLEDGED, DeliveryState.CONNECTING, DeliveryState.STALLED])
def test_retry_leaves_a_session_alone(state: DeliveryState) -> None:
    running = Delivery(state, BEGAN)
    decision, waited = orders.tried_again(running, LATER, limits=Limits())
    assert not waited
    assert (decision.delivery, decision.actions) == (running, ())
