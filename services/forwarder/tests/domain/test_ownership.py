"""Who holds a camera by the reports."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from forwarder.domain.assignment.ownership import (
    DeliveryHistory,
    comes_too_late,
    history_of,
    holds,
    orphaned,
    takes_over,
)
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState

NOON = datetime(2021, 5, 14, 12, tzinfo=UTC)


def observed(**changes: Any) -> DeliveryObservedV1:
    report = DeliveryObservedV1(
        delivery_id=UUID(int=1),
        camera_id=UUID(int=2),
        destination_id=UUID(int=3),
        camera_revision=1,
        worker_id="forwarder-other",
        held_since=NOON,
        sequence=1,
        observed_at=NOON,
        state=DeliveryState.CONNECTING,
    )
    return report.model_copy(update=changes)


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_but_the_last_words_means_held(state: DeliveryState) -> None:
    assert holds(observed(state=state)) == (state not in {DeliveryState.RELEASED, DeliveryState.DISABLED})


def test_only_a_later_holder_takes_over() -> None:
    def taken(report: DeliveryObservedV1, since: datetime) -> bool:
        return takes_over(report, worker_id="forwarder-me", held_since=since)

    assert taken(observed(), NOON - timedelta(seconds=1))
    assert not taken(observed(), NOON)
    assert not taken(observed(worker_id="forwarder-me"), NOON - timedelta(seconds=1))
    assert not taken(observed(state=DeliveryState.RELEASED), NOON - timedelta(seconds=1))


def test_the_report_of_an_earlier_holder_comes_too_late_whatever_it_says() -> None:
    def late(report: DeliveryObservedV1, since: datetime) -> bool:
        return comes_too_late(report, worker_id="forwarder-me", held_since=since)

    for state in (DeliveryState.RELEASED, DeliveryState.ACKNOWLEDGED):
        assert late(observed(state=state), NOON + timedelta(seconds=1))
        assert not late(observed(state=state), NOON)
    assert not late(observed(worker_id="forwarder-me"), NOON + timedelta(seconds=1))


def test_a_confirmed_state_held_until_the_holders_last_sign_of_life() -> None:
    report = observed(state=DeliveryState.VERIFIED, last_success_at=NOON, verified_at=NOON, delay_s=0.2)
    later = NOON + timedelta(hours=2)
    assert history_of(report, later) == DeliveryHistory(later, NOON, 0.2, interrupted=True)
    assert history_of(report, None) == DeliveryHistory(NOON, NOON, 0.2, interrupted=True)


@pytest.mark.parametrize(
    ("state", "cause", "interrupted"),
    [
        (DeliveryState.SENDING, None, True),
        (DeliveryState.RELEASED, Cause.ENDED, True),
        (DeliveryState.RELEASED, None, False),
        (DeliveryState.WAITING_FOR_CENTRE, Cause.ENDED, True),
        (DeliveryState.WAITING_FOR_CENTRE, Cause.LEFT, False),
        (DeliveryState.BACKING_OFF, Cause.ENDED, False),
        (DeliveryState.STALLED, Cause.STALLED, False),
    ],
)
def test_a_session_that_was_open_was_interrupted(state: DeliveryState, cause: Cause | None, interrupted: bool) -> None:
    assert history_of(observed(state=state, cause=cause), None).interrupted is interrupted


@pytest.mark.parametrize("state", [DeliveryState.BACKING_OFF, DeliveryState.STALLED, DeliveryState.RELEASED])
def test_a_holder_that_lived_on_after_a_failure_had_no_success_meanwhile(state: DeliveryState) -> None:
    report = observed(state=state, last_success_at=NOON)
    assert history_of(report, NOON + timedelta(hours=2)).last_success_at == NOON


def test_what_a_silent_worker_said_last_is_not_said_of_now() -> None:
    report = observed(state=DeliveryState.VERIFIED, last_success_at=NOON, next_attempt_at=NOON)
    last_sign = NOON + timedelta(minutes=1)
    orphan = orphaned(report, last_sign)
    assert (orphan.state, orphan.cause, orphan.next_attempt_at) == (DeliveryState.RELEASED, None, None)
    assert (orphan.observed_at, orphan.last_success_at) == (last_sign, last_sign)
    assert orphan.detail == "forwarder-other sends no heartbeat; it was verified before"
    assert orphaned(report, None).observed_at == NOON


@pytest.mark.parametrize("state", [DeliveryState.DISABLED, DeliveryState.RELEASED])
def test_a_last_word_stands_whoever_said_it(state: DeliveryState) -> None:
    report = observed(state=state)
    assert orphaned(report, NOON) is report
