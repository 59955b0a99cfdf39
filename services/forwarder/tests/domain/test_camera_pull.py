"""When the pull of a camera is tried again."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forwarder.domain import camera_pull as domain
from forwarder.domain.camera_pull import PullLimits, PullState, broken_by_us
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Delivery
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState

LIMITS = PullLimits()


def at(second: float) -> Instant:
    return Instant(datetime(2021, 5, 14, tzinfo=UTC) + timedelta(seconds=second), second)


def test_failures_in_a_row_wait_longer_and_longer() -> None:
    pull = domain.begun(at(0))
    waits = []
    for second in range(1, 9):
        pull = domain.failed(pull, Cause.TIMEOUT, None, at(second), chance=0.5, limits=LIMITS)
        waits.append(pull.retry_in_s)
        pull = domain.retried(pull, at(second))
        assert (pull.state, pull.cause) == (PullState.CONNECTING, Cause.TIMEOUT)
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_a_good_minute_forgives_what_was_before() -> None:
    pull = domain.begun(at(0))
    for second in (1, 2, 3):
        pull = domain.failed(pull, Cause.TIMEOUT, None, at(second), chance=0.5, limits=LIMITS)
    live = domain.media_came(pull, at(10))
    assert (live.state, live.cause) == (PullState.LIVE, None)
    assert domain.failed(live, Cause.ENDED, None, at(20), chance=0.5, limits=LIMITS).failures == 4
    assert domain.failed(live, Cause.ENDED, None, at(70), chance=0.5, limits=LIMITS).failures == 1


def test_a_refused_login_cools_down_at_once() -> None:
    pull = domain.failed(domain.begun(at(0)), Cause.AUTH_FAILED, "401", at(1), chance=0.0, limits=LIMITS)
    assert (pull.state, pull.retry_in_s) == (PullState.COOLING_DOWN, 1800.0)
    assert pull.next_attempt_at == at(1801).at


def test_rest_is_only_where_an_account_can_lock() -> None:
    pull = domain.begun(at(0))
    waits = []
    for second in range(1, 9):
        pull = domain.failed(pull, Cause.AUTH_FAILED, "401", at(second), chance=0.5, limits=LIMITS, has_login=False)
        assert (pull.state, pull.cause) == (PullState.BACKING_OFF, Cause.AUTH_FAILED)
        waits.append(pull.retry_in_s)
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_a_delivery_that_waits_for_its_camera_is_tried_when_the_camera_is() -> None:
    pull = domain.failed(domain.begun(at(0)), Cause.TIMEOUT, None, at(1), chance=0.5, limits=LIMITS)
    waiting = Delivery(DeliveryState.WAITING_FOR_CAMERA, at(1).at)
    assert domain.next_attempt_at(waiting, pull) == at(1.25).at
    assert domain.next_attempt_at(replace(waiting, next_attempt_at=at(9).at), pull) == at(9).at
    backing_off = Delivery(DeliveryState.BACKING_OFF, at(1).at, next_attempt_at=at(0.5).at)
    assert domain.next_attempt_at(backing_off, pull) == at(0.5).at
    assert domain.next_attempt_at(waiting, domain.retried(pull, at(2))) is None


def test_what_is_usual_between_two_pictures_is_not_changed_by_an_outage() -> None:
    assert domain.usual_gap_s(()) == 0.0
    assert domain.usual_gap_s((10.0,)) == 10.0
    assert domain.usual_gap_s((1.0, 1.0, 9.0)) == 1.0
    assert domain.usual_gap_s((9.0, 1.0, 1.0)) == 1.0
    # Two pictures at a time, every ten seconds.
    assert domain.usual_silence_s((1.0, 10.0, 1.0, 10.0)) == 20.0
    assert domain.usual_gap_s((100.0, 100.0)) == domain.MOST_USUAL_GAP_S


@pytest.mark.parametrize(
    ("cause", "began_s", "stood_still_until_s", "now_s", "ours"),
    [
        (Cause.ENDED, 0.0, 50.0, 50.0, True),
        (Cause.TIMEOUT, 49.0, 50.0, 60.0, True),
        (Cause.ENDED, 0.0, 50.0, 60.1, False),
        (Cause.ENDED, 50.1, 50.0, 51.0, False),
        (Cause.REFUSED, 0.0, 50.0, 50.0, False),
        (Cause.AUTH_FAILED, 0.0, 50.0, 50.0, False),
        (Cause.ENDED, 0.0, -math.inf, 5.0, False),
    ],
)
def test_waking_only_a_session_of_before_that_breaks_soon_after_is_broken_by_us(
    cause: Cause, began_s: float, stood_still_until_s: float, now_s: float, ours: bool
) -> None:
    found = broken_by_us(cause, began_s=began_s, stood_still_until_s=stood_still_until_s, now_s=now_s)
    assert found is ours
