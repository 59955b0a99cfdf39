"""The state words of a delivery: each transition as a fact, and what holds for any history."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain import delivery as domain
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import (
    LEFT_OUT,
    Action,
    CameraAway,
    CameraLive,
    Delivery,
    Event,
    Failed,
    Limits,
    RetryDue,
)
from forwarder.domain.progress import READ_EVERY_S, Opened, ProgressRead
from forwarder.domain.proof import Mismatched, Verified
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState as State

START = datetime(2021, 5, 14, 7, 0, tzinfo=UTC)
LIMITS = Limits()


def at(second: float) -> Instant:
    return Instant(START + timedelta(seconds=second), 1000.0 + second)


def run(*steps: tuple[float, Event], chance: float = 0.5) -> tuple[Delivery, tuple[Action, ...]]:
    """The delivery after all steps, and the actions of the last one."""
    delivery = domain.waiting(at(0))
    actions: tuple[Action, ...] = ()
    for second, event in steps:
        decision = domain.decide(delivery, event, at(second), chance=chance, limits=LIMITS)
        delivery, actions = decision.delivery, decision.actions
    return delivery, actions


CONNECTED: list[tuple[float, Event]] = [(1, CameraLive()), (2, Opened())]
SENDING = [*CONNECTED, (3, ProgressRead(1000, 0))]
ACKNOWLEDGED = [*SENDING, (4, ProgressRead(2000, 1500))]


def test_a_live_camera_opens_a_session() -> None:
    delivery, actions = run((1, CameraLive()))
    assert (delivery.state, delivery.attempt, actions) == (State.CONNECTING, 1, (Action.OPEN,))


def test_the_ok_to_record_alone_is_not_sending() -> None:
    delivery, _ = run(*CONNECTED)
    assert delivery.state is State.CONNECTING
    delivery, _ = run(*CONNECTED, (3, ProgressRead(0, 0)))
    assert delivery.state is State.CONNECTING


def test_a_written_byte_is_sending_and_a_confirmed_one_acknowledged() -> None:
    assert run(*SENDING)[0].state is State.SENDING
    delivery, _ = run(*ACKNOWLEDGED)
    assert (delivery.state, delivery.cause, delivery.last_success_at) == (State.ACKNOWLEDGED, None, at(4).at)


def test_confirmed_bytes_are_dated_to_the_middle_of_the_time_in_which_they_came() -> None:
    delivery, _ = run(*SENDING, (3.5, ProgressRead(2000, 1500)))
    assert delivery.last_acknowledged_at == at(3.25).at
    # Samples that came late say no more than that it was lately.
    delivery, _ = run(*ACKNOWLEDGED, (7, ProgressRead(3000, 2500)), (8, ProgressRead(3500, 2500)))
    assert delivery.last_acknowledged_at == at(7 - READ_EVERY_S / 2).at


def test_bytes_that_were_confirmed_before_this_process_slept_are_dated_to_then() -> None:
    delivery, _ = run(*ACKNOWLEDGED, (8.5, ProgressRead(3000, 2500, ack_age_s=4.2)))
    assert delivery.last_acknowledged_at == at(4.3).at
    delivery, _ = run(*ACKNOWLEDGED, (5, ProgressRead(3000, 2500, ack_age_s=0.1)))
    assert delivery.last_acknowledged_at == at(4.5).at


def test_a_camera_that_sends_seldom_is_not_waited_for_between_its_pictures() -> None:
    quiet = [(12.0, ProgressRead(2000, 2000, silent_s=8.0, usual_silence_s=20.0))]
    assert run(*ACKNOWLEDGED, *quiet)[0].state is State.ACKNOWLEDGED
    gone = [(25.0, ProgressRead(2000, 2000, silent_s=20.0, usual_silence_s=20.0))]
    assert run(*ACKNOWLEDGED, *quiet, *gone)[0].state is State.WAITING_FOR_CAMERA
    ordinary = [(8.0, ProgressRead(2000, 2000, silent_s=4.0, usual_silence_s=2.0))]
    assert run(*ACKNOWLEDGED, *ordinary)[0].state is State.WAITING_FOR_CAMERA


def test_acknowledged_is_left_when_confirmations_cease() -> None:
    delivery, _ = run(*ACKNOWLEDGED, (8, ProgressRead(9000, 1500)))
    assert delivery.state is State.ACKNOWLEDGED
    delivery, actions = run(*ACKNOWLEDGED, (8, ProgressRead(9000, 1500)), (9.5, ProgressRead(9500, 1500)))
    assert (delivery.state, delivery.cause, actions) == (State.STALLED, Cause.STALLED, ())


def test_what_lay_unread_in_a_kernel_counts_no_more_once_that_is_known() -> None:
    """Acknowledged at 7 as it seemed, and nothing was read since 3: at 8 that is five seconds."""
    seemed = [*ACKNOWLEDGED, (7, ProgressRead(9000, 8000)), (7.9, ProgressRead(9500, 8000, unread_for_s=4.9))]
    assert run(*seemed)[0].state is State.ACKNOWLEDGED
    delivery, _ = run(*seemed, (8, ProgressRead(9500, 8000, unread_for_s=5.0)))
    assert (delivery.state, delivery.cause) == (State.STALLED, Cause.STALLED)
    delivery, _ = run(*seemed, (8, ProgressRead(9500, 9000)))
    assert delivery.state is State.ACKNOWLEDGED


def test_a_stalled_session_is_dropped_in_the_end() -> None:
    stalled = [*ACKNOWLEDGED, (9.5, ProgressRead(9500, 1500))]
    delivery, actions = run(*stalled, (20, ProgressRead(9500, 1500)))
    assert (delivery.state, delivery.cause) == (State.BACKING_OFF, Cause.STALLED)
    assert actions == (Action.CLOSE, Action.WAIT)


def test_a_stalled_session_that_moves_again_is_acknowledged() -> None:
    assert (
        run(*ACKNOWLEDGED, (9.5, ProgressRead(9500, 1500)), (10, ProgressRead(9600, 9600)))[0].state
        is State.ACKNOWLEDGED
    )


ALL_CONFIRMED = [*ACKNOWLEDGED, (5, ProgressRead(3000, 3000))]
"""And from then on all media is left out, until there is room and a keyframe comes."""


def test_acknowledged_is_left_when_all_that_the_camera_sends_is_left_out() -> None:
    assert run(*ALL_CONFIRMED, (9.9, ProgressRead(3000, 3000)))[0].state is State.ACKNOWLEDGED
    delivery, actions = run(*ALL_CONFIRMED, (10, ProgressRead(3000, 3000)))
    assert (delivery.state, delivery.cause, delivery.detail) == (State.STALLED, Cause.STALLED, LEFT_OUT)
    assert (delivery.since, actions) == (at(10).at, ())


def test_old_media_that_is_confirmed_late_does_not_hide_that_the_camera_is_left_out() -> None:
    slow = [*ACKNOWLEDGED, (5, ProgressRead(9000, 2000)), (7, ProgressRead(9000, 3000)), (9, ProgressRead(9000, 4000))]
    delivery, _ = run(*slow, (10, ProgressRead(9000, 5000)))
    assert (delivery.state, delivery.detail, delivery.last_success_at) == (State.STALLED, LEFT_OUT, at(10).at)


def test_media_that_flows_again_ends_it() -> None:
    left_out = [*ALL_CONFIRMED, (10, ProgressRead(3000, 3000))]
    delivery, _ = run(*left_out, (40, ProgressRead(3000, 3000)), (41, ProgressRead(4000, 3000)))
    assert delivery.state is State.STALLED, "not before a byte of it is confirmed"
    delivery, actions = run(*left_out, (40, ProgressRead(3000, 3000)), (41, ProgressRead(4000, 3500)))
    assert (delivery.state, delivery.cause, delivery.detail, actions) == (State.ACKNOWLEDGED, None, None, ())


def test_a_session_whose_media_is_left_out_is_kept_for_as_long_as_it_lasts() -> None:
    delivery, actions = run(*ALL_CONFIRMED, (10, ProgressRead(3000, 3000)), (300, ProgressRead(3000, 3000)))
    assert (delivery.state, delivery.detail, actions) == (State.STALLED, LEFT_OUT, ())
    assert not delivery.unacknowledged


def test_what_is_left_out_and_then_unconfirmed_as_well_is_dropped() -> None:
    stalled = [
        *ACKNOWLEDGED,
        (5, ProgressRead(9000, 2000)),
        (9, ProgressRead(9000, 4000)),
        (10, ProgressRead(9000, 5000)),
    ]
    assert not run(*stalled)[0].unacknowledged
    delivery, _ = run(*stalled, (15, ProgressRead(9000, 5000)))
    assert (delivery.state, delivery.detail, delivery.unacknowledged) == (State.STALLED, None, True)
    assert run(*stalled, (15, ProgressRead(9000, 5000)), (25, ProgressRead(9000, 5000)))[1] == (
        Action.CLOSE,
        Action.WAIT,
    )
    again = run(*stalled, (15, ProgressRead(9000, 5000)), (16, ProgressRead(9000, 9000)))[0]
    assert (again.state, again.detail, again.unacknowledged) == (State.STALLED, LEFT_OUT, False)


@pytest.mark.parametrize("stall_s", [0.1, 5.0, 40.0])
@pytest.mark.parametrize("interval_s", [1, 7, 30])
def test_a_camera_that_sends_seldom_is_left_out_of_nothing(stall_s: float, interval_s: int) -> None:
    limits = Limits(silent_s=60.0, stall_s=stall_s)
    delivery, _ = run(*CONNECTED)
    for second in range(3, 120):
        sent = 1000 * (1 + (second - 3) // interval_s)
        sample = ProgressRead(sent, sent, silent_s=(second - 3) % interval_s)
        delivery = domain.decide(delivery, sample, at(second), chance=0.5, limits=limits).delivery
        assert delivery.state is State.ACKNOWLEDGED


def test_acknowledged_is_left_when_the_camera_falls_silent_even_if_its_reports_are_confirmed() -> None:
    delivery, actions = run(*ACKNOWLEDGED, (9, ProgressRead(2060, 2060, silent_s=5)))
    assert (delivery.state, delivery.cause, actions) == (State.WAITING_FOR_CAMERA, Cause.STALLED, ())


def test_a_session_that_waits_too_long_for_a_keyframe_blames_the_camera() -> None:
    delivery, _ = run(*CONNECTED, (18, ProgressRead(0, 0)))
    assert (delivery.state, delivery.cause) == (State.WAITING_FOR_CAMERA, Cause.NO_KEYFRAME)
    delivery, _ = run(*CONNECTED, (18, ProgressRead(0, 0)), (19, ProgressRead(500, 0)))
    assert delivery.state is State.SENDING


def test_a_failure_backs_off_and_keeps_its_cause_while_it_connects_again() -> None:
    failed: list[tuple[float, Event]] = [(1, CameraLive()), (2, Failed(Cause.REFUSED, "nobody listens"))]
    delivery, actions = run(*failed)
    assert (delivery.state, delivery.cause, actions) == (State.BACKING_OFF, Cause.REFUSED, (Action.CLOSE, Action.WAIT))
    assert delivery.next_attempt_at == at(2.25).at
    delivery, actions = run(*failed, (3, RetryDue()))
    assert (delivery.state, delivery.cause, delivery.attempt) == (State.CONNECTING, Cause.REFUSED, 2)
    assert actions == (Action.OPEN,)


def test_refused_credentials_rest_for_long() -> None:
    delivery, _ = run((1, CameraLive()), (2, Failed(Cause.AUTH_FAILED)))
    assert delivery.state is State.REFUSED
    assert delivery.retry_in_s >= LIMITS.refused_retry_s


def test_a_refusal_without_a_login_locks_nothing_and_backs_off_as_usual() -> None:
    delivery, _ = run((1, CameraLive()), (2, Failed(Cause.AUTH_FAILED, login_sent=False)))
    assert (delivery.state, delivery.cause) == (State.REFUSED, Cause.AUTH_FAILED)
    assert delivery.next_attempt_at == at(2.25).at


def test_a_camera_that_comes_and_goes_does_not_shorten_the_rest_after_refused_credentials() -> None:
    delivery, actions = run(
        (1, CameraLive()), (2, Failed(Cause.AUTH_FAILED)), (3, CameraAway(Cause.ENDED)), (4, CameraLive())
    )
    assert (delivery.state, delivery.cause, actions) == (State.REFUSED, Cause.AUTH_FAILED, (Action.WAIT,))
    assert delivery.retry_in_s == pytest.approx(LIMITS.refused_retry_s * 1.05 - 2)


def test_a_clock_that_is_set_back_does_not_lengthen_the_rest_of_a_wait() -> None:
    away, _ = run((1, CameraLive()), (2, Failed(Cause.REFUSED)), (3, CameraAway(Cause.ENDED)))
    back = Instant(at(3).at - timedelta(minutes=10), at(3.1).monotonic_s)
    decision = domain.decide(away, CameraLive(), back, chance=0.5, limits=LIMITS)
    waits = decision.delivery
    assert (waits.state, decision.actions) == (State.BACKING_OFF, (Action.WAIT,))
    assert waits.retry_in_s == away.retry_in_s
    assert waits.next_attempt_at == back.after(away.retry_in_s)


def test_a_camera_that_goes_away_ends_the_session_and_hands_its_cause_on() -> None:
    delivery, actions = run(*ACKNOWLEDGED, (5, CameraAway(Cause.ENDED, "gone")))
    assert (delivery.state, delivery.cause, delivery.detail) == (State.WAITING_FOR_CAMERA, Cause.ENDED, "gone")
    assert actions == (Action.CLOSE,)
    assert delivery.progress is None


def test_a_repeated_loss_of_the_camera_does_not_move_the_beginning() -> None:
    delivery, _ = run((5, CameraAway(Cause.TIMEOUT)), (9, CameraAway(Cause.TIMEOUT)))
    assert delivery.since == at(5).at


def test_a_good_minute_starts_the_attempts_anew() -> None:
    good = [
        *ACKNOWLEDGED,
        (40, ProgressRead(50_000, 40_000)),
        (66, ProgressRead(90_000, 80_000)),
        (67, Failed(Cause.ENDED)),
        (68, RetryDue()),
    ]
    assert run(*good)[0].attempt == 1
    short = [*ACKNOWLEDGED, (5, Failed(Cause.ENDED)), (6, RetryDue())]
    assert run(*short)[0].attempt == 2


def test_a_sample_of_a_session_that_is_gone_changes_nothing() -> None:
    failed, _ = run((1, CameraLive()), (2, Failed(Cause.REFUSED)))
    assert domain.decide(failed, ProgressRead(5, 5), at(3), chance=0, limits=LIMITS).delivery == failed


EVENTS = st.one_of(
    st.builds(CameraLive),
    st.builds(CameraAway, st.sampled_from([None, Cause.ENDED, Cause.STALLED])),
    st.builds(RetryDue),
    st.builds(Opened),
    st.integers(0, 400).map(lambda second: Verified(at(second).at, 0.5, 30.0)),
    st.integers(0, 400).map(lambda second: Mismatched(at(second).at)),
    st.builds(Failed, st.sampled_from([Cause.REFUSED, Cause.AUTH_FAILED, Cause.TIMEOUT])),
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 10)).map(
        lambda sample: ProgressRead(sample[0], min(sample[0], sample[1]), sample[2])
    ),
)


@given(st.lists(st.tuples(st.floats(0, 20), EVENTS), max_size=40), st.floats(0, 1, exclude_max=True))
def test_no_history_makes_a_word_a_lie(steps: list[tuple[float, Event]], chance: float) -> None:
    delivery, moment, open_sessions = domain.waiting(at(0)), 0.0, 0
    for wait, event in steps:
        moment += wait
        decision = domain.decide(delivery, event, at(moment), chance=chance, limits=LIMITS)
        before, delivery = delivery, decision.delivery
        for action in decision.actions:
            open_sessions = {Action.OPEN: open_sessions + 1, Action.CLOSE: 0, Action.WAIT: open_sessions}[action]
        # Never two sessions of one delivery, and never one while it is left alone.
        assert open_sessions <= 1
        if delivery.failing:
            assert open_sessions == 0
            assert delivery.cause is not None
            assert delivery.next_attempt_at is not None
        if delivery.state is State.ACKNOWLEDGED:
            assert delivery.progress is not None
            assert delivery.progress.acknowledged > 0
            assert delivery.cause is None
        if delivery.state in {State.VERIFIED, State.MISMATCH}:
            assert delivery.progress is not None
            assert delivery.progress.media_at is not None
            assert delivery.progress.proof is not None
            assert delivery.progress.proof.matches is (delivery.state is State.VERIFIED)
        if delivery.state is State.SENDING:
            assert delivery.progress is not None
            assert delivery.progress.written > 0
        if delivery.state is State.STALLED:
            assert delivery.progress is not None
            assert delivery.progress.written > (delivery.progress.acknowledged if delivery.unacknowledged else 0)
            assert delivery.unacknowledged is (delivery.detail != LEFT_OUT)
        if delivery.state in {State.ACKNOWLEDGED, State.VERIFIED} and isinstance(event, ProgressRead):
            assert delivery.progress is not None
            assert delivery.progress.left_out_s(silent_s=event.silent_s, now=at(moment)) < LIMITS.stall_s
        assert delivery.since >= before.since
        assert delivery.since <= at(moment).at


def test_of_doubtful_acknowledgements_nobody_is_accused() -> None:
    """Nothing is counted while a proxy may acknowledge for it: a destination that takes all seems to take none."""
    since: list[tuple[float, Event]] = [*SENDING, (5, ProgressRead(2000, 0)), (7, ProgressRead(3000, 0))]
    stalled, _ = run(*since, (9, ProgressRead(4000, 0)))
    doubted, _ = run(*since, (9, ProgressRead(4000, 0, doubtful=True)))
    assert (stalled.state, doubted.state) == (State.STALLED, State.SENDING)
