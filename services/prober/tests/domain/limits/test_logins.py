"""Never more than two failed logins before a rest, and no blame on a password that works."""

from datetime import UTC, datetime

import pytest

from prober.domain.limits.logins import LoginState, Settled, settle
from prober.domain.result import Judgement, ProbeResult
from prober.domain.schedule import PreviousProbe
from vonggac.events import Cause
from vonggac.events.prober import Verdict
from vonggac.logins.counting import LoginRests

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)
RESTS = LoginRests(cooldown_s=1800.0, suspect_s=300.0)


def previous(**login: int) -> PreviousProbe:
    return PreviousProbe(
        1, None, 60.0, NOW, login_proven=bool(login.get("proven")), logins_failed=login.get("failed", 0)
    )


def settled(
    cause: Cause | None,
    before: PreviousProbe | None,
    *,
    known: bool = True,
    revision: int = 1,
    accepted: bool | None = None,
    needed: bool = True,
    sent: bool = True,
) -> Settled:
    if cause is Cause.AUTH_FAILED and sent:
        accepted = False
    verdict = Verdict.UP if cause is None else Verdict.DOWN
    detail = None if cause is None else "DESCRIBE was answered 401 Unauthorized"
    needed = bool(accepted) and needed
    result = ProbeResult(Judgement(verdict, cause, detail), 0.1, login_accepted=accepted, login_needed=needed)
    return settle(result, before, previous_known=known, camera_revision=revision, interval_s=60.0, rests=RESTS)


def test_the_first_failed_login_does_not_slow_the_probes() -> None:
    assert settled(Cause.AUTH_FAILED, None).interval_s == 60.0


def test_the_second_in_a_row_does() -> None:
    assert settled(Cause.AUTH_FAILED, previous(failed=1)).interval_s == 1800.0


def test_after_a_rest_another_failure_rests_again() -> None:
    assert settled(Cause.AUTH_FAILED, previous(failed=2)).interval_s == 1800.0


@pytest.mark.parametrize("failed", [0, 1])
def test_a_refusal_of_a_probe_that_sent_no_login_is_no_failed_login(failed: int) -> None:
    after = settled(Cause.AUTH_FAILED, previous(failed=failed), sent=False)
    assert (after.judgement.cause, after.interval_s, after.login.failed) == (Cause.AUTH_FAILED, 60.0, failed)


def test_a_changed_camera_may_have_the_right_password() -> None:
    after = settled(Cause.AUTH_FAILED, previous(failed=1), revision=2)
    assert (after.interval_s, after.login) == (60.0, LoginState(proven=False, failed=1))


def test_an_unreadable_past_counts_as_a_failed_login() -> None:
    assert settled(Cause.AUTH_FAILED, None, known=False).interval_s == 1800.0


@pytest.mark.parametrize("cause", [None, *sorted(set(Cause) - {Cause.AUTH_FAILED})])
def test_no_other_outcome_slows_the_probes(cause: Cause | None) -> None:
    assert settled(cause, previous(failed=1), known=False).interval_s == 60.0


def test_a_silent_camera_does_not_make_failed_logins_forgotten() -> None:
    assert settled(Cause.TIMEOUT, previous(failed=1)).login.failed == 1


def test_an_accepted_login_is_remembered_and_clears_the_count() -> None:
    assert settled(None, previous(failed=1), accepted=True).login == LoginState(proven=True, failed=0)


def test_a_camera_that_lets_everybody_in_proves_no_password() -> None:
    assert settled(None, previous(failed=1), accepted=True, needed=False).login == LoginState(proven=False, failed=0)


def test_a_refusal_of_a_proven_login_is_a_suspected_session_limit_probed_slowly() -> None:
    first = settled(Cause.AUTH_FAILED, previous(proven=1))
    assert (first.judgement.cause, first.interval_s) == (Cause.SESSION_LIMIT, 300.0)
    assert first.judgement.detail is not None
    assert "took this login before" in first.judgement.detail
    second = settled(Cause.AUTH_FAILED, previous(proven=1, failed=1))
    assert (second.judgement.cause, second.interval_s) == (Cause.SESSION_LIMIT, 1800.0)


def test_a_refusal_after_the_login_was_taken_in_the_same_session_is_a_suspected_session_limit_too() -> None:
    """A full recorder shows what it has to a login that works, and answers 401 to SETUP or PLAY."""
    detail = "SETUP was answered 401 Unauthorized"
    refused = Judgement(Verdict.DOWN, Cause.AUTH_FAILED, detail)
    result = ProbeResult(refused, 0.1, login_accepted=False, login_needed=True)
    after = settle(result, None, previous_known=True, camera_revision=1, interval_s=60.0, rests=RESTS)
    assert (after.judgement.cause, after.interval_s) == (Cause.SESSION_LIMIT, 300.0)
    assert after.login == LoginState(proven=True, failed=1)


def test_a_proven_login_of_another_revision_proves_nothing() -> None:
    assert settled(Cause.AUTH_FAILED, previous(proven=1), revision=2).judgement.cause is Cause.AUTH_FAILED


def test_a_camera_that_was_left_alone_is_probed_when_the_device_has_rested() -> None:
    result = ProbeResult(Judgement(Verdict.DOWN, Cause.AUTH_FAILED, "not tried"), 0.0, rest_s=700.0)
    after = settle(result, previous(failed=1), previous_known=True, camera_revision=1, interval_s=60.0, rests=RESTS)
    assert (after.interval_s, after.login.failed) == (700.0, 1)


def test_a_rest_of_a_login_that_worked_is_not_blamed_on_the_password() -> None:
    result = ProbeResult(Judgement(Verdict.DOWN, Cause.AUTH_FAILED, "not tried"), 0.0, rest_s=700.0)
    after = settle(result, previous(proven=1), previous_known=True, camera_revision=1, interval_s=60.0, rests=RESTS)
    assert after.judgement.cause is Cause.SESSION_LIMIT


def test_a_login_that_another_channel_or_process_saw_taken_is_no_wrong_one_either() -> None:
    refused = Judgement(Verdict.DOWN, Cause.AUTH_FAILED, "DESCRIBE was answered 401 Unauthorized")
    result = ProbeResult(refused, 0.1, login_accepted=False, login_taken=True)
    after = settle(result, None, previous_known=True, camera_revision=1, interval_s=60.0, rests=RESTS)
    assert (after.judgement.cause, after.interval_s) == (Cause.SESSION_LIMIT, 300.0)
