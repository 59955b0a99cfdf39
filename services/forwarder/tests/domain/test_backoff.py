"""Waiting times grow from half a second to thirty, and are spread over the whole of it."""

import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.backoff import EARLY_EVERY_S, ceiling_s, delay_s, early_in_s
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import CameraAway, CameraLive, Delivery, Failed, Limits, RetryDue, decide
from forwarder.domain.progress import Opened, ProgressRead
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState


@pytest.mark.parametrize(
    ("failures", "longest_s"), [(0, 0.5), (1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (10_000, 30)]
)
def test_the_longest_wait_doubles_up_to_thirty_seconds(failures: int, longest_s: float) -> None:
    assert ceiling_s(failures) == longest_s


@given(st.integers(0, 1_000_000), st.floats(0, 1, exclude_max=True))
def test_every_wait_lies_within_its_bound(failures: int, chance: float) -> None:
    assert 0 <= delay_s(failures, chance) <= ceiling_s(failures) <= 30


BEGAN = Instant(datetime(2021, 5, 14, tzinfo=UTC), 100.0)


def at(second: float) -> Instant:
    return Instant(BEGAN.after(second), 100.0 + second)


def opened(attempt: int) -> Delivery:
    session = Delivery(DeliveryState.CONNECTING, BEGAN.at, attempt=attempt)
    return decide(session, Opened(), BEGAN, chance=0.0, limits=Limits()).delivery


@pytest.mark.parametrize(("worked_s", "longest_s"), [(0.1, 16.0), (3.0, 16.0), (59.0, 16.0), (61.0, 0.5)])
def test_flapping_only_a_good_minute_starts_the_back_off_anew(worked_s: float, longest_s: float) -> None:
    session = decide(opened(6), ProgressRead(9, 9), BEGAN, chance=0.0, limits=Limits()).delivery
    fallen = decide(session, Failed(Cause.ENDED), at(worked_s), chance=0.999, limits=Limits()).delivery
    assert fallen.retry_in_s == pytest.approx(longest_s, rel=0.01)


@pytest.mark.parametrize("chance", [0.0, 0.999])
def test_flapping_a_centre_that_confirms_for_a_second_and_resets_is_tried_ever_later(chance: float) -> None:
    delivery, second, waits = Delivery(DeliveryState.WAITING_FOR_CAMERA, BEGAN.at), 0.0, list[float]()
    delivery = decide(delivery, CameraLive(), at(0), chance=chance, limits=Limits()).delivery
    for _ in range(12):
        for after_s, event in (
            (0.1, Opened()),
            (0.2, ProgressRead(9, 9)),
            (1.0, ProgressRead(99, 99)),
            (0.1, Failed(Cause.ENDED)),
        ):
            second += after_s
            delivery = decide(delivery, event, at(second), chance=chance, limits=Limits()).delivery
        waits.append(delivery.retry_in_s)
        second += delivery.retry_in_s
        delivery = decide(delivery, RetryDue(), at(second), chance=chance, limits=Limits()).delivery
    assert waits == [pytest.approx(ceiling_s(failures) * chance) for failures in range(1, 13)]


def test_flapping_a_camera_that_comes_and_goes_is_no_failure_of_the_destination() -> None:
    delivery = Delivery(DeliveryState.WAITING_FOR_CAMERA, BEGAN.at)
    for cycle in range(8):
        for after_s, event in ((0, CameraLive()), (1, Opened()), (2, ProgressRead(9, 9)), (8, CameraAway(Cause.ENDED))):
            delivery = decide(delivery, event, at(10 * cycle + after_s), chance=0.0, limits=Limits()).delivery
    assert delivery.attempt == 0


@pytest.mark.parametrize(("worked_s", "longest_s"), [(0.0, 16.0), (20.0, 16.0), (61.0, 0.5)])
def test_one_that_stalled_before_it_was_lost_is_counted_up_to_its_last_acknowledgement(
    worked_s: float, longest_s: float
) -> None:
    session = opened(6)
    samples = [(0.0, ProgressRead(9, 9)), (worked_s, ProgressRead(99, 10)), (worked_s + 6, ProgressRead(999, 10))]
    for second, sample in samples:
        session = decide(session, sample, at(second), chance=0.0, limits=Limits()).delivery
    assert session.state is DeliveryState.STALLED
    fallen = decide(session, ProgressRead(999, 10), at(worked_s + 15), chance=0.999, limits=Limits()).delivery
    assert (fallen.state, fallen.cause) == (DeliveryState.BACKING_OFF, Cause.STALLED)
    assert fallen.retry_in_s == pytest.approx(longest_s, rel=0.01)


@pytest.mark.parametrize(("lost_s", "attempt"), [(66.0, 6), (68.0, 0)])
def test_what_a_session_worked_before_and_after_a_stall_adds_up(lost_s: float, attempt: int) -> None:
    session = opened(6)
    samples = [
        (0.0, ProgressRead(9, 9)),
        (3.0, ProgressRead(99, 10)),
        (9.0, ProgressRead(99, 10)),
        (10.0, ProgressRead(100, 100)),
    ]
    for second, sample in samples:
        session = decide(session, sample, at(second), chance=0.0, limits=Limits()).delivery
    assert session.state is DeliveryState.ACKNOWLEDGED
    fallen = decide(session, Failed(Cause.ENDED), at(lost_s), chance=0.999, limits=Limits()).delivery
    assert fallen.attempt == attempt


def test_what_a_session_worked_before_each_of_two_stalls_adds_up() -> None:
    """20 s, 20 s and 24 s: no two of them are a good minute."""
    session = opened(6)
    for second, written, acknowledged, state in (
        (0.0, 9, 9, DeliveryState.ACKNOWLEDGED),
        (20.0, 99, 10, DeliveryState.ACKNOWLEDGED),
        (26.0, 150, 10, DeliveryState.STALLED),
        (27.0, 150, 150, DeliveryState.ACKNOWLEDGED),
        (47.0, 300, 151, DeliveryState.ACKNOWLEDGED),
        (53.0, 350, 151, DeliveryState.STALLED),
        (54.0, 350, 350, DeliveryState.ACKNOWLEDGED),
    ):
        session = decide(session, ProgressRead(written, acknowledged), at(second), chance=0.0, limits=Limits()).delivery
        assert session.state is state, second
    fallen = decide(session, Failed(Cause.ENDED), at(78.0), chance=0.999, limits=Limits()).delivery
    assert fallen.attempt == 0


@given(st.lists(st.floats(0, 10), max_size=60))
def test_flapping_an_endpoint_that_comes_and_goes_brings_one_attempt_forward_in_thirty_seconds(
    answers: list[float],
) -> None:
    now_s, last_s, early = 0.0, -math.inf, list[float]()
    for after_s in answers:
        now_s += after_s
        if early_in_s(last_s, now_s) == 0:
            last_s = now_s
            early.append(now_s)
    assert all(later - earlier >= EARLY_EVERY_S - 1e-6 for earlier, later in pairwise(early))
    assert not answers or early[0] == answers[0]


def refused_by_an_older_publisher(delivery: Delivery, second: float, chance: float) -> Delivery:
    connecting = decide(delivery, RetryDue(), at(second), chance=chance, limits=Limits()).delivery
    return decide(connecting, Failed(Cause.ALREADY_PUBLISHING), at(second), chance=chance, limits=Limits()).delivery


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 50))
def test_an_older_publisher_is_waited_for_with_short_waits_that_count_as_no_failure(chance: float, failed: int) -> None:
    delivery = Delivery(DeliveryState.BACKING_OFF, BEGAN.at, attempt=failed)
    for second in range(0, 300, 3):
        delivery = refused_by_an_older_publisher(delivery, second, chance)
        assert (delivery.attempt, 0.5 <= delivery.retry_in_s < 3) == (failed, True)


def test_who_publishes_for_more_than_five_minutes_is_no_session_of_ours() -> None:
    delivery = Delivery(DeliveryState.BACKING_OFF, BEGAN.at)
    waits = []
    for second in (*range(0, 300, 3), *range(301, 310)):
        delivery = refused_by_an_older_publisher(delivery, second, 0.999)
        waits.append(round(delivery.retry_in_s))
    assert max(waits[:100]) == 2
    assert waits[-2:] == [30, 30]
