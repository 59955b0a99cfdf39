"""The last failures of a camera."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prober.domain.failures import Failure, record_probe
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def probe(minute: int, cause: Cause | None) -> CameraObservedV1:
    return CameraObservedV1(
        camera_id=UUID(int=1),
        camera_revision=1,
        worker_id="prober-0",
        observed_at=NOW + timedelta(minutes=minute),
        verdict=Verdict.UP if cause is None else Verdict.DOWN,
        cause=cause,
        detail=None if cause is None else f"minute {minute}",
        interval_s=60,
        duration_ms=10,
    )


def history(*causes: Cause | None, most: int = 20) -> tuple[Failure, ...]:
    failures: tuple[Failure, ...] = ()
    for minute, cause in enumerate(causes):
        failures = record_probe(failures, probe(minute, cause), most=most)
    return failures


def test_probes_in_a_row_with_one_cause_are_one_failure() -> None:
    [failure] = history(Cause.TIMEOUT, Cause.TIMEOUT, Cause.TIMEOUT)
    assert (failure.probes, failure.detail, failure.ended_at) == (3, "minute 2", None)
    assert (failure.began_at, failure.last_at) == (NOW, NOW + timedelta(minutes=2))


def test_a_good_probe_ends_it() -> None:
    [failure] = history(Cause.TIMEOUT, Cause.TIMEOUT, None, None)
    assert (failure.probes, failure.ended_at) == (2, NOW + timedelta(minutes=2))


def test_another_cause_ends_it_and_begins_the_next_newest_first() -> None:
    newest, older = history(Cause.TIMEOUT, Cause.REFUSED)
    assert (newest.cause, newest.ended_at) == (Cause.REFUSED, None)
    assert (older.cause, older.ended_at) == (Cause.TIMEOUT, NOW + timedelta(minutes=1))


def test_the_same_cause_after_a_recovery_is_another_failure() -> None:
    assert len(history(Cause.TIMEOUT, None, Cause.TIMEOUT)) == 2


def test_only_so_many_are_kept() -> None:
    kept = history(*[Cause.TIMEOUT, None] * 9, most=3)
    assert [failure.began_at.minute for failure in kept] == [16, 14, 12]


def test_a_camera_that_never_failed_has_none() -> None:
    assert history(None, None) == ()
