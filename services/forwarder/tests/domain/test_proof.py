"""What a read-back says of a delivery: when it is believed, how long it holds, and every state with every event."""

import math
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from forwarder.domain import delivery as domain
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Action, CameraAway, CameraLive, Delivery, Event, Failed, Limits, RetryDue
from forwarder.domain.progress import Opened, ProgressRead
from forwarder.domain.proof import HOLDS_INTERVALS, Mismatched, Unprovable, Unreached, Verified, judged
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState as State
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

START = datetime(2021, 5, 14, 7, 0, tzinfo=UTC)
LIMITS = Limits()


def at(second: float) -> Instant:
    return Instant(START + timedelta(seconds=second), 1000.0 + second)


def verified(captured: float, holds_s: float = 180.0) -> Verified:
    return Verified(at(captured).at, 0.4, holds_s)


def mismatched(began: float) -> Mismatched:
    return Mismatched(at(began).at, "an old picture")


def run(*steps: tuple[float, Event]) -> tuple[Delivery, tuple[Action, ...]]:
    """The delivery after all steps, and the actions of the last one."""
    delivery = domain.waiting(at(0))
    actions: tuple[Action, ...] = ()
    for second, event in steps:
        decision = domain.decide(delivery, event, at(second), chance=0.5, limits=LIMITS)
        delivery, actions = decision.delivery, decision.actions
    return delivery, actions


OPENED: list[tuple[float, Event]] = [(1, CameraLive()), (2, Opened())]
SENDING = [*OPENED, (3, ProgressRead(1000, 0))]
ACKNOWLEDGED = [*SENDING, (4, ProgressRead(2000, 1500))]
VERIFIED = [*ACKNOWLEDGED, (5, verified(4.5))]
MISMATCH = [*ACKNOWLEDGED, (5, mismatched(4.5))]

REACHED: dict[str, list[tuple[float, Event]]] = {
    "waiting": [],
    "attempting": [(1, CameraLive())],
    "opened": OPENED,
    "sending": SENDING,
    "acknowledged": ACKNOWLEDGED,
    "verified": VERIFIED,
    "mismatch": MISMATCH,
    "stalled": [*ACKNOWLEDGED, (9.5, ProgressRead(9000, 1500))],
    "left_out": [*ACKNOWLEDGED, (9.5, ProgressRead(2000, 2000))],
    "silent": [*ACKNOWLEDGED, (9.5, ProgressRead(2000, 2000, silent_s=5))],
    "backing_off": [*ACKNOWLEDGED, (9, Failed(Cause.ENDED))],
    "refused": [*OPENED, (9, Failed(Cause.AUTH_FAILED))],
}
HAPPENS: dict[str, Event] = {
    "camera_live": CameraLive(),
    "camera_away": CameraAway(Cause.ENDED),
    "retry_due": RetryDue(),
    "opened": Opened(),
    "confirmed": ProgressRead(9600, 9600),
    "unconfirmed": ProgressRead(9600, 1500),
    "failed": Failed(Cause.TIMEOUT),
    "auth_failed": Failed(Cause.AUTH_FAILED),
    "verified": verified(9.9),
    "mismatched": mismatched(9.9),
    "unprovable": Unprovable(at(9.9).at, "it stands still"),
    "unreached": Unreached(at(9.9).at, "refused"),
}
SAME = None
W, C, S, A, V, M = (
    State.WAITING_FOR_CAMERA,
    State.CONNECTING,
    State.SENDING,
    State.ACKNOWLEDGED,
    State.VERIFIED,
    State.MISMATCH,
)
B, R = State.BACKING_OFF, State.REFUSED
BECOMES: dict[str, tuple[State | None, ...]] = {
    # in the order of HAPPENS; None: nothing changes
    "waiting": (C, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME),
    "attempting": (SAME, W, SAME, SAME, SAME, SAME, B, R, SAME, SAME, SAME, SAME),
    "opened": (SAME, W, SAME, SAME, A, A, B, R, SAME, SAME, SAME, SAME),
    "sending": (SAME, W, SAME, SAME, A, A, B, R, V, M, SAME, SAME),
    "acknowledged": (SAME, W, SAME, SAME, SAME, State.STALLED, B, R, V, M, SAME, SAME),
    "verified": (SAME, W, SAME, SAME, SAME, State.STALLED, B, R, SAME, M, SAME, SAME),
    "mismatch": (SAME, W, SAME, SAME, SAME, State.STALLED, B, R, V, SAME, A, SAME),
    "stalled": (SAME, W, SAME, SAME, A, SAME, B, R, SAME, SAME, SAME, SAME),
    "left_out": (SAME, W, SAME, SAME, A, SAME, B, R, SAME, SAME, SAME, SAME),
    "silent": (SAME, SAME, SAME, SAME, A, S, B, R, SAME, SAME, SAME, SAME),
    "backing_off": (SAME, W, C, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME),
    "refused": (SAME, W, C, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME),
}


@pytest.mark.parametrize("state", REACHED)
@pytest.mark.parametrize("event", HAPPENS)
def test_every_state_with_every_event(state: str, event: str) -> None:
    before, _ = run(*REACHED[state])
    after = domain.decide(before, HAPPENS[event], at(10), chance=0.5, limits=LIMITS).delivery
    expected = BECOMES[state][list(HAPPENS).index(event)]
    assert after.state is (before.state if expected is SAME else expected)


def test_a_picture_of_the_session_makes_it_verified() -> None:
    delivery, actions = run(*VERIFIED)
    assert (delivery.state, delivery.cause, actions) == (State.VERIFIED, None, ())
    assert (delivery.since, delivery.verified_at, delivery.delay_s) == (at(5).at, at(5).at, 0.4)


def test_a_picture_from_before_the_sessions_first_media_proves_nothing() -> None:
    # The session was read when it was opened, at 2 s, and there was no media yet.
    assert run(*ACKNOWLEDGED, (5, verified(1.9)))[0].state is State.ACKNOWLEDGED
    assert run(*ACKNOWLEDGED, (5, verified(2.0)))[0].state is State.VERIFIED
    waited = [
        *OPENED,
        (3, ProgressRead(0, 0)),
        (4, ProgressRead(0, 0)),
        (5, ProgressRead(900, 0)),
        (6, ProgressRead(1800, 900)),
    ]
    assert run(*waited, (7, verified(3.9)))[0].state is State.ACKNOWLEDGED
    assert run(*waited, (7, verified(4.0)))[0].state is State.VERIFIED


def test_a_read_back_that_began_before_the_session_is_no_mismatch() -> None:
    assert run(*ACKNOWLEDGED, (5, mismatched(1.9)))[0].state is State.ACKNOWLEDGED


def test_the_last_match_holds_for_three_intervals_and_then_ages_out() -> None:
    interval_s = 60.0
    proven = [*ACKNOWLEDGED, (5, verified(4.5, HOLDS_INTERVALS * interval_s))]
    delivery, _ = run(*proven, (184, ProgressRead(9000, 9000)))
    assert (delivery.state, delivery.since) == (State.VERIFIED, at(5).at)
    delivery, _ = run(*proven, (184, ProgressRead(9000, 9000)), (185, ProgressRead(9900, 9900)))
    assert (delivery.state, delivery.since, delivery.cause) == (State.ACKNOWLEDGED, at(185).at, None)
    assert (delivery.verified_at, delivery.delay_s) == (at(5).at, 0.4)


def test_another_match_prolongs_the_proof() -> None:
    again = [*VERIFIED, (170, ProgressRead(9000, 9000)), (175, verified(174))]
    delivery, _ = run(*again, (350, ProgressRead(99_000, 99_000)))
    assert (delivery.state, delivery.since, delivery.verified_at) == (State.VERIFIED, at(5).at, at(175).at)


def test_verified_is_left_when_confirmations_cease_and_comes_back_with_them_while_it_holds() -> None:
    stalled = [*VERIFIED, (12, ProgressRead(9000, 1500))]
    assert run(*stalled)[0].state is State.STALLED
    assert run(*stalled, (13, ProgressRead(9000, 9000)))[0].state is State.VERIFIED
    assert run(*stalled, (14, verified(13.9)))[0].state is State.STALLED


def test_what_is_read_back_while_media_is_left_out_is_old_and_what_was_proven_holds_on() -> None:
    left_out = [*VERIFIED, (12, ProgressRead(2000, 2000))]
    for result in (verified(11.9), mismatched(11.9)):
        assert run(*left_out, (13, result))[0].state is State.STALLED
        assert run(*left_out, (13, result), (14, ProgressRead(9000, 9000)))[0].state is State.VERIFIED
    assert run(*left_out, (13, mismatched(11.9)), (200, ProgressRead(9000, 9000)))[0].state is State.ACKNOWLEDGED
    assert run(*MISMATCH, (12, ProgressRead(2000, 2000)), (14, ProgressRead(9000, 9000)))[0].state is State.MISMATCH


def test_a_mismatch_holds_until_it_is_disproved() -> None:
    delivery, _ = run(*MISMATCH)
    assert (delivery.state, delivery.cause, delivery.detail) == (State.MISMATCH, Cause.MISMATCH, "an old picture")
    later = [*MISMATCH, (900, ProgressRead(90_000, 90_000))]
    assert run(*later)[0].state is State.MISMATCH
    delivery, _ = run(*later, (905, verified(904)))
    assert (delivery.state, delivery.cause, delivery.detail) == (State.VERIFIED, None, None)


def test_a_still_picture_takes_a_mismatch_back_and_says_why() -> None:
    delivery, _ = run(*MISMATCH, (10, Unprovable(at(9).at, "the camera repeats its pictures")))
    assert (delivery.state, delivery.cause) == (State.ACKNOWLEDGED, None)
    assert delivery.detail == "the camera repeats its pictures"
    later = [*MISMATCH, (10, Unprovable(at(9).at, "still")), (900, ProgressRead(90_000, 90_000))]
    assert run(*later)[0].detail == "still"
    assert run(*later, (905, verified(904)))[0].state is State.VERIFIED
    assert run(*later, (905, mismatched(904)))[0].state is State.MISMATCH


def test_a_still_picture_leaves_what_was_proven_until_that_is_too_old() -> None:
    still = Unprovable(at(9).at, "still")
    delivery, _ = run(*VERIFIED, (10, still))
    assert (delivery.state, delivery.detail) == (State.VERIFIED, None)
    aged = [*VERIFIED, (190, ProgressRead(90_000, 90_000)), (191, Unprovable(at(190).at, "still"))]
    delivery, _ = run(*aged)
    assert (delivery.state, delivery.detail) == (State.ACKNOWLEDGED, "still")


def test_a_still_picture_of_before_the_session_says_nothing_of_it() -> None:
    delivery, _ = run(*ACKNOWLEDGED, (5, Unprovable(at(1.9).at, "still")))
    assert (delivery.state, delivery.detail) == (State.ACKNOWLEDGED, None)


def test_a_mismatch_has_what_the_last_read_back_saw() -> None:
    age = Mismatched(START + timedelta(seconds=70), "a picture of 62 s ago")
    delivery, _ = run(*MISMATCH, (75, age))
    first = run(*MISMATCH)[0]
    assert (delivery.detail, delivery.since) == ("a picture of 62 s ago", first.since)


@pytest.mark.parametrize("verdicts", [VERIFIED, MISMATCH], ids=["verified", "mismatch"])
def test_what_was_read_back_elsewhere_is_said_no_longer(verdicts: list[tuple[float, Event]]) -> None:
    before, _ = run(*verdicts)
    after = domain.unproven(before, at(6))
    assert (after.state, after.cause, after.detail, after.since) == (State.ACKNOWLEDGED, None, None, at(6).at)
    assert (after.verified_at, after.delay_s) == (before.verified_at, before.delay_s), "what once was true stays known"
    again = domain.decide(after, verified(6.5), at(7), chance=0.5, limits=LIMITS).delivery
    assert again.state is State.VERIFIED


@pytest.mark.parametrize("state", REACHED)
def test_what_was_never_read_back_is_as_it_was(state: str) -> None:
    before, _ = run(*REACHED[state])
    if state not in {"verified", "mismatch"}:
        assert domain.unproven(before, at(10)) is before


def test_a_stalled_session_goes_on_without_what_was_read_back_elsewhere() -> None:
    stalled, _ = run(*MISMATCH, (12, ProgressRead(9000, 1500)))
    after = domain.unproven(stalled, at(13))
    assert (after.state, after.since) == (State.STALLED, stalled.since)
    flows = domain.decide(after, ProgressRead(9000, 9000), at(14), chance=0.5, limits=LIMITS).delivery
    assert flows.state is State.ACKNOWLEDGED


def test_a_new_session_is_neither_verified_nor_a_mismatch() -> None:
    for proven in (VERIFIED, MISMATCH):
        anew = [*proven, (6, Failed(Cause.ENDED)), (7, RetryDue()), (8, Opened()), (9, ProgressRead(500, 500))]
        assert run(*anew)[0].state is State.ACKNOWLEDGED


def test_without_confirmations_a_proof_makes_verified_out_of_sending_and_ages_back() -> None:
    proven = [*SENDING, (4, verified(3.5, holds_s=2))]
    assert run(*proven)[0].state is State.VERIFIED
    assert run(*proven, (5, ProgressRead(1000, 0)))[0].state is State.VERIFIED
    assert run(*proven, (6, ProgressRead(1000, 0)))[0].state is State.SENDING


def test_a_sample_may_wait_for_as_long_as_it_changes_no_word() -> None:
    assert run(*ACKNOWLEDGED)[0].good_until_s == math.inf
    assert run(*VERIFIED)[0].good_until_s == at(5).monotonic_s + 180
    assert run(*SENDING)[0].good_until_s == -math.inf


def test_a_proof_is_a_success() -> None:
    failed: list[tuple[float, Event]] = [(1, CameraLive()), (2, Failed(Cause.REFUSED)), (3, RetryDue()), (4, Opened())]
    delivery, _ = run(*failed, (5, ProgressRead(100, 0)), (6, verified(5.5)))
    assert (delivery.failure, delivery.last_success_at) == (None, at(6).at)


def verification(verdict: VerificationVerdict, captured: float | None = None) -> DeliveryVerifiedV1:
    return DeliveryVerifiedV1(
        delivery_id=uuid4(),
        camera_id=uuid4(),
        destination_id=uuid4(),
        camera_revision=1,
        worker_id="prober-1",
        observed_at=at(9).at,
        verdict=verdict,
        captured_at=None if captured is None else at(captured).at,
        delay_s=0.7,
        detail="why",
        interval_s=60,
        duration_ms=4000,
    )


def test_what_a_read_back_means() -> None:
    assert judged(verification(VerificationVerdict.VERIFIED, 8.3)) == Verified(at(8.3).at, 0.7, 192)
    assert judged(verification(VerificationVerdict.MISMATCH)) == Mismatched(at(5).at, "why")


def test_a_still_picture_is_told_from_other_read_backs_that_could_not_be_checked() -> None:
    still = verification(VerificationVerdict.NOT_CHECKABLE).model_copy(update={"still_since": at(0).at})
    assert judged(still) == Unprovable(at(5).at, "why")


def test_a_read_back_that_could_not_be_checked_says_nothing() -> None:
    assert judged(verification(VerificationVerdict.NOT_CHECKABLE)) is None


UNREACHED = Unreached(at(6).at, "not read back since 07:00:06 UTC: refused")


def test_a_read_back_that_failed_is_dated_to_its_beginning() -> None:
    assert judged(verification(VerificationVerdict.UNREACHABLE)) == Unreached(
        at(5).at, "not read back since 07:00:05 UTC: why"
    )


def test_proof_ends_where_it_ends_and_the_state_shows_the_doubt_as_long_as_it_holds() -> None:
    before, _ = run(*VERIFIED)
    doubted, _ = run(*VERIFIED, (7, UNREACHED))
    assert (before.doubted, doubted.doubted) == (False, True)
    assert (doubted.state, doubted.since, doubted.detail) == (State.VERIFIED, at(5).at, UNREACHED.detail)
    # The first of several dates it, a sample of the session leaves it, and the next match takes it back.
    again = Unreached(at(9).at, "not read back since 07:00:09 UTC: refused")
    assert run(*VERIFIED, (7, UNREACHED), (9, again), (9.5, ProgressRead(9000, 9000)))[0].detail == UNREACHED.detail
    proven, _ = run(*VERIFIED, (7, UNREACHED), (9, verified(8.5)))
    assert (proven.state, proven.detail, proven.doubted) == (State.VERIFIED, None, False)


def test_proof_ends_for_a_session_without_one_with_the_reason_why_it_has_none() -> None:
    delivery, _ = run(*ACKNOWLEDGED, (7, UNREACHED))
    assert (delivery.state, delivery.detail) == (State.ACKNOWLEDGED, UNREACHED.detail)
    assert run(*MISMATCH, (7, UNREACHED))[0].detail == "an old picture"
    assert run(*VERIFIED, (7, Unreached(at(1.9).at, "an earlier session")))[0].detail is None


def test_a_match_without_its_picture_says_nothing() -> None:
    assert judged(verification(VerificationVerdict.VERIFIED)) is None


@pytest.mark.parametrize("cause", [Cause.NO_KEYFRAME, Cause.KEYFRAME_TOO_LARGE])
def test_a_foreign_camera_whose_keyframes_cannot_be_compared_says_so_at_its_delivery(cause: Cause) -> None:
    fact = verification(VerificationVerdict.NOT_CHECKABLE).model_copy(update={"cause": cause})
    result = judged(fact)
    assert result == Unprovable(at(5).at, "why")
    delivery, _ = run(*ACKNOWLEDGED, (6, result))
    assert (delivery.state, delivery.detail) == (State.ACKNOWLEDGED, "why")


def test_a_foreign_picture_of_a_minute_is_proven_where_the_session_began_with_it() -> None:
    """The camera gave its keyframe half a second before the session stood, and the session sent it."""
    begun: list[tuple[float, Event]] = [(1, CameraLive()), (2, Opened(kept_s=0.6)), (2.2, ProgressRead(1000, 900))]
    assert run(*begun, (5, verified(1.5)))[0].state is State.VERIFIED
    assert run(*begun, (5, verified(1.3)))[0].state is State.ACKNOWLEDGED
    # Nothing was sent at its beginning, so that was not what it began with.
    late: list[tuple[float, Event]] = [*begun[:2], (2.1, ProgressRead(0, 0)), (3, ProgressRead(1000, 900))]
    assert run(*late, (5, verified(1.5)))[0].state is State.ACKNOWLEDGED
    # A read-back from before it accuses nobody.
    assert run(*begun, (5, mismatched(1.5)))[0].state is State.ACKNOWLEDGED
