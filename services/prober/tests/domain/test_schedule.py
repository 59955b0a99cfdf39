"""When probes and read-backs are due."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.domain.schedule import (
    LEAST_PAUSE_S,
    Hint,
    PreviousProbe,
    due_in_s,
    early_by_s,
    first_probe_delay_s,
    is_due,
    lateness_s,
    next_interval_s,
    next_probe_delay_s,
)
from prober.domain.verification import Finding
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, Verdict, VerificationVerdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def first_probe(**changes: float) -> float:
    values = {"deliveries": 1, "waiting": 500, "room": 32, "interval_s": 60.0, "spread_s": 10.0, "chance": 0.5}
    return first_probe_delay_s(**{**values, **changes})  # type: ignore[arg-type] # whole numbers stay whole


def test_a_small_site_is_probed_at_once() -> None:
    assert first_probe(waiting=32) == 0.0


def test_the_first_probes_of_many_cameras_are_spread() -> None:
    assert first_probe(chance=0.0) == 0.0
    assert first_probe(chance=0.5) == 5.0
    assert first_probe(chance=0.999) < 10.0


def test_the_spread_is_never_longer_than_the_interval() -> None:
    assert first_probe(interval_s=2.0, chance=0.5) == 1.0


def test_a_job_that_came_back_is_not_put_off_again() -> None:
    assert first_probe(deliveries=2) == 0.0


def test_probes_start_an_interval_apart() -> None:
    assert next_probe_delay_s(interval_s=60.0, elapsed_s=2.5) == 57.5


@pytest.mark.parametrize(("interval_s", "apart_s"), [(60.0, 105.0), (10.0, 17.0), (3.0, 3.0)])
def test_a_silent_camera_is_put_off_for_as_long_as_its_last_probe_holds(interval_s: float, apart_s: float) -> None:
    assert next_probe_delay_s(interval_s=interval_s, elapsed_s=2.0, backs_off=True) == apart_s - 2.0


def test_a_probe_longer_than_the_interval_is_followed_by_a_pause() -> None:
    assert next_probe_delay_s(interval_s=5.0, elapsed_s=9.0) == LEAST_PAUSE_S


@given(interval_s=st.floats(0.01, 86_400), elapsed_s=st.floats(0, 100_000))
def test_the_next_probe_is_always_later_and_within_the_interval(interval_s: float, elapsed_s: float) -> None:
    assert 0 < next_probe_delay_s(interval_s=interval_s, elapsed_s=elapsed_s) <= interval_s


def previous(**changes: object) -> PreviousProbe:
    observed = CameraObservedV1(
        camera_id=uuid4(),
        camera_revision=3,
        worker_id="prober-0",
        observed_at=NOW,
        verdict=Verdict.UP,
        interval_s=60,
        duration_ms=2000,
    )
    return PreviousProbe.of(observed.model_copy(update=changes))


def test_a_probe_is_due_an_interval_after_the_last_one_began() -> None:
    assert previous().next_due_at == NOW + timedelta(seconds=58)


@pytest.mark.parametrize(("after_s", "late_s"), [(58.0, 0.0), (59.5, 1.5), (30.0, 0.0)])
def test_lateness_is_measured_from_then(after_s: float, late_s: float) -> None:
    started_at = NOW + timedelta(seconds=after_s)
    assert lateness_s(previous(), camera_revision=3, started_at=started_at) == pytest.approx(late_s)


def test_a_changed_camera_is_not_late() -> None:
    assert lateness_s(previous(), camera_revision=4, started_at=NOW + timedelta(days=1)) is None
    assert lateness_s(None, camera_revision=1, started_at=NOW) is None


@pytest.mark.parametrize(("after_s", "early_s"), [(10.0, 48.0), (57.5, None), (58.0, None), (90.0, None)])
def test_a_job_that_the_server_gives_out_too_early_waits(after_s: float, early_s: float | None) -> None:
    now = NOW + timedelta(seconds=after_s)
    assert early_by_s(previous(), camera_revision=3, now=now) == early_s


def test_a_changed_or_new_camera_is_never_too_early() -> None:
    assert early_by_s(previous(), camera_revision=4, now=NOW) is None
    assert early_by_s(None, camera_revision=1, now=NOW) is None


def test_a_resting_camera_waits_for_the_end_of_its_rest() -> None:
    resting = previous(cause=Cause.AUTH_FAILED, verdict=Verdict.DOWN, interval_s=1800.0)
    assert early_by_s(resting, camera_revision=3, now=NOW + timedelta(seconds=98)) == 1700.0
    assert resting.logins_failed == 1


@pytest.mark.parametrize("ahead_s", [2.0, 180.0, 600.0])
def test_nobody_waits_for_a_last_probe_that_lies_in_the_future_by_skew(ahead_s: float) -> None:
    previous = PreviousProbe(1, None, 60.0, NOW + timedelta(seconds=ahead_s), Verdict.UP)
    assert early_by_s(previous, camera_revision=1, now=NOW) is None
    assert lateness_s(previous, camera_revision=1, started_at=NOW) == 0.0


def fact(verdict: VerificationVerdict, *, interval_s: float, revision: int = 1) -> DeliveryVerifiedV1:
    return DeliveryVerifiedV1(
        delivery_id=uuid4(),
        camera_id=uuid4(),
        destination_id=uuid4(),
        camera_revision=revision,
        worker_id="prober-1",
        observed_at=NOW,
        verdict=verdict,
        interval_s=interval_s,
        duration_ms=1.0,
    )


def after(finding: Finding, previous: DeliveryVerifiedV1 | None) -> float:
    return next_interval_s(finding, previous, camera_revision=1, interval_s=60.0)


def test_a_proven_delivery_waits_its_interval_and_an_unchecked_one_a_moment_that_grows() -> None:
    proven, unchecked = Finding(VerificationVerdict.VERIFIED), Finding(VerificationVerdict.NOT_CHECKABLE)
    assert after(proven, None) == 60.0
    assert after(unchecked, None) == 2.0
    assert after(unchecked, fact(VerificationVerdict.VERIFIED, interval_s=60.0)) == 2.0
    assert after(unchecked, fact(VerificationVerdict.UNREACHABLE, interval_s=60.0)) == 2.0
    assert after(unchecked, fact(VerificationVerdict.NOT_CHECKABLE, interval_s=2.0)) == 4.0
    assert after(unchecked, fact(VerificationVerdict.NOT_CHECKABLE, interval_s=32.0)) == 60.0
    assert after(unchecked, fact(VerificationVerdict.NOT_CHECKABLE, interval_s=32.0, revision=2)) == 2.0


def test_proof_ends_with_its_picture_so_that_a_late_one_is_proven_again_sooner() -> None:
    late = Finding(VerificationVerdict.VERIFIED, captured_at=NOW, delay_s=25.0)
    assert after(late, None) == 35.0
    assert after(Finding(VerificationVerdict.VERIFIED, captured_at=NOW, delay_s=0.8), None) == 60.0
    assert next_interval_s(late, None, camera_revision=1, interval_s=10.0) == 2.0
    assert next_interval_s(late, None, camera_revision=1, interval_s=1.5) == 1.5


@pytest.mark.parametrize(("took_s", "again_s"), [(0.1, 4.9), (1.0, 4.0), (4.0, 2.0), (36.0, 2.0)])
def test_proof_ends_and_begins_again_within_seconds_of_a_read_back_that_fails(took_s: float, again_s: float) -> None:
    """What it says holds for an interval all the same."""
    for verdict in (VerificationVerdict.MISMATCH, VerificationVerdict.UNREACHABLE):
        assert after(Finding(verdict), None) == 60.0
        failed = fact(verdict, interval_s=60.0).model_copy(update={"duration_ms": took_s * 1000})
        assert due_in_s(failed, camera_revision=1, now=failed.observed_at) == pytest.approx(again_s)
        refused = failed.model_copy(update={"cause": Cause.AUTH_FAILED})
        assert due_in_s(refused, camera_revision=1, now=failed.observed_at) == 60.0


def test_a_hint_is_answered_by_a_picture_of_later_or_by_the_schedule_of_what_fails() -> None:
    hint = Hint(since=NOW, asked_at=NOW)
    proven = fact(VerificationVerdict.VERIFIED, interval_s=60.0)
    assert not hint.is_answered(None)
    assert not hint.is_answered(proven.model_copy(update={"captured_at": NOW - timedelta(seconds=1)}))
    assert hint.is_answered(proven.model_copy(update={"captured_at": NOW}))
    later = {"observed_at": NOW + timedelta(seconds=3)}
    assert not hint.is_answered(fact(VerificationVerdict.NOT_CHECKABLE, interval_s=2.0).model_copy(update=later))
    failing = fact(VerificationVerdict.MISMATCH, interval_s=2.0).model_copy(update=later)
    assert hint.is_answered(failing)
    again = hint.next_after(failing)
    assert again == Hint(since=NOW, asked_at=failing.observed_at)
    assert not again.is_answered(failing)
    assert hint.next_after(proven) is None


def test_a_resting_login_is_left_alone_for_its_rest() -> None:
    assert after(Finding(VerificationVerdict.UNREACHABLE, Cause.AUTH_FAILED, rest_s=300.0), None) == 300.0


def test_a_changed_camera_is_due_at_once_and_another_when_its_time_has_come() -> None:
    previous = fact(VerificationVerdict.VERIFIED, interval_s=60.0)
    assert is_due(None, camera_revision=1, now=NOW)
    assert is_due(previous, camera_revision=2, now=NOW)
    assert not is_due(previous, camera_revision=1, now=NOW + timedelta(seconds=58.0))
    assert is_due(previous, camera_revision=1, now=NOW + timedelta(seconds=59.5))
    assert due_in_s(previous, camera_revision=1, now=NOW + timedelta(seconds=20.0)) == 40.0
    assert due_in_s(previous, camera_revision=1, now=NOW + timedelta(seconds=90.0)) == 0.0
