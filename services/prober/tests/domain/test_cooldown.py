"""Never more than two failed logins before a rest."""

from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.cooldown import cooling_left_s, interval_after_s
from prober.domain.schedule import PreviousLook
from vonggac.events import Cause

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)
FAILED = PreviousLook(camera_revision=1, cause=Cause.AUTH_FAILED, interval_s=60.0, started_at=NOW)
COOLING = PreviousLook(camera_revision=1, cause=Cause.AUTH_FAILED, interval_s=1800.0, started_at=NOW)


def interval(cause: Cause | None, previous: PreviousLook | None, *, known: bool = True, revision: int = 1) -> float:
    return interval_after_s(
        cause,
        previous=previous,
        previous_known=known,
        camera_revision=revision,
        interval_s=60.0,
        cooldown_s=1800.0,
    )


def test_the_first_failed_login_does_not_slow_the_looks() -> None:
    assert interval(Cause.AUTH_FAILED, None) == 60.0


def test_the_second_in_a_row_does() -> None:
    assert interval(Cause.AUTH_FAILED, FAILED) == 1800.0


def test_after_a_rest_another_failure_rests_again() -> None:
    assert interval(Cause.AUTH_FAILED, COOLING) == 1800.0


def test_a_changed_camera_may_have_the_right_password() -> None:
    assert interval(Cause.AUTH_FAILED, FAILED, revision=2) == 60.0


def test_an_unreadable_past_counts_as_a_failed_login() -> None:
    assert interval(Cause.AUTH_FAILED, None, known=False) == 1800.0


@pytest.mark.parametrize("cause", [None, *sorted(set(Cause) - {Cause.AUTH_FAILED})])
def test_no_other_outcome_slows_the_looks(cause: Cause | None) -> None:
    assert interval(cause, FAILED, known=False) == 60.0


def left(previous: PreviousLook | None, *, after_s: float, revision: int = 1) -> float | None:
    now = NOW + timedelta(seconds=after_s)
    return cooling_left_s(previous, camera_revision=revision, interval_s=60.0, now=now)


def test_a_job_that_comes_early_waits_for_the_end_of_the_rest() -> None:
    assert left(COOLING, after_s=100.0) == 1700.0


def test_when_the_rest_is_over_the_camera_is_looked_at() -> None:
    assert left(COOLING, after_s=1799.5) is None


def test_only_a_resting_camera_waits() -> None:
    assert left(FAILED, after_s=1.0) is None
    assert left(None, after_s=1.0) is None
    assert left(COOLING, after_s=1.0, revision=2) is None
