"""Waiting times grow from half a second to thirty, and are spread over the whole of it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.backoff import ceiling_s, delay_s
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Delivery, Failed, Limits, Opened, ProgressRead, decide
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


@pytest.mark.parametrize(("worked_s", "longest_s"), [(0.1, 0.5), (3.0, 3.0), (20.0, 16.0), (61.0, 0.5)])
def test_a_session_that_worked_for_a_while_is_tried_again_within_that_while(worked_s: float, longest_s: float) -> None:
    began = Instant(datetime(2021, 5, 14, tzinfo=UTC), 100.0)
    lost = Instant(began.after(worked_s), 100.0 + worked_s)
    session = Delivery(DeliveryState.CONNECTING, began.at, attempt=6)
    for event in (Opened(), ProgressRead(9, 9)):
        session = decide(session, event, began, chance=0.0, limits=Limits()).delivery
    fallen = decide(session, Failed(Cause.ENDED), lost, chance=0.999, limits=Limits()).delivery
    assert fallen.retry_in_s == pytest.approx(longest_s, rel=0.01)


@pytest.mark.parametrize(("worked_s", "longest_s"), [(0.0, 0.5), (3.0, 3.0), (20.0, 16.0), (61.0, 0.5)])
def test_one_that_stalled_before_it_was_lost_is_counted_up_to_its_last_confirmation(
    worked_s: float, longest_s: float
) -> None:
    began = Instant(datetime(2021, 5, 14, tzinfo=UTC), 100.0)

    def at(second: float) -> Instant:
        return Instant(began.after(second), 100.0 + second)

    session = Delivery(DeliveryState.CONNECTING, began.at, attempt=6)
    looks = [(0.0, ProgressRead(9, 9)), (worked_s, ProgressRead(99, 10)), (worked_s + 6, ProgressRead(999, 10))]
    session = decide(session, Opened(), began, chance=0.0, limits=Limits()).delivery
    for second, look in looks:
        session = decide(session, look, at(second), chance=0.0, limits=Limits()).delivery
    assert session.state is DeliveryState.STALLED
    fallen = decide(session, ProgressRead(999, 10), at(worked_s + 15), chance=0.999, limits=Limits()).delivery
    assert (fallen.state, fallen.cause) == (DeliveryState.BACKING_OFF, Cause.STALLED)
    assert fallen.retry_in_s == pytest.approx(longest_s, rel=0.01)


def test_what_a_session_worked_before_and_after_a_stall_adds_up() -> None:
    began = Instant(datetime(2021, 5, 14, tzinfo=UTC), 100.0)

    def at(second: float) -> Instant:
        return Instant(began.after(second), 100.0 + second)

    session = Delivery(DeliveryState.CONNECTING, began.at, attempt=6)
    session = decide(session, Opened(), began, chance=0.0, limits=Limits()).delivery
    looks = [
        (0.0, ProgressRead(9, 9)),
        (3.0, ProgressRead(99, 10)),
        (9.0, ProgressRead(99, 10)),
        (10.0, ProgressRead(100, 100)),
    ]
    for second, look in looks:
        session = decide(session, look, at(second), chance=0.0, limits=Limits()).delivery
    assert session.state is DeliveryState.ACKNOWLEDGED
    fallen = decide(session, Failed(Cause.ENDED), at(12.0), chance=0.999, limits=Limits()).delivery
    assert fallen.retry_in_s == pytest.approx(5.0, rel=0.01)
