"""What a refused login means, and when it may be tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from vonggac.events.causes import Cause
from vonggac.logins.counting import (
    OTHERS_FIRST_S,
    CamerasOfLogins,
    DeviceLogin,
    LoginRests,
    judge_refusal,
    why_not_tried,
)

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def test_a_device_rests_after_two_failed_logins_whichever_camera_was_meant() -> None:
    once = DeviceLogin(0, NOW).another(NOW)
    twice = once.another(NOW)
    assert once.rest_left_s(NOW, cooldown_s=1800.0) is None
    assert twice.rest_left_s(NOW + timedelta(seconds=100), cooldown_s=1800.0) == 1700.0
    assert twice.rest_left_s(NOW + timedelta(seconds=1798), cooldown_s=1800.0) is None


@pytest.mark.parametrize(
    ("failed", "taken", "rest_s"),
    [(0, True, 0.0), (1, False, 0.0), (1, True, 300.0), (2, False, 1800.0), (2, True, 1800.0)],
)
def test_a_login_that_was_taken_before_rests_a_little_after_one_refusal_and_long_after_two(
    failed: int, taken: bool, rest_s: float
) -> None:
    assert LoginRests(1800.0, 300.0).after(failed, taken=taken) == rest_s


def test_a_refusal_of_a_login_that_was_taken_before_may_be_a_session_limit_or_a_changed_password() -> None:
    cause, detail = judge_refusal(Cause.AUTH_FAILED, "DESCRIBE was answered 401", taken=True)
    assert cause is Cause.SESSION_LIMIT
    assert "sessions may be used up, its password was changed, or this channel is not for this account" in detail
    assert judge_refusal(Cause.AUTH_FAILED, "401", taken=False) == (Cause.AUTH_FAILED, "401")
    assert judge_refusal(Cause.TIMEOUT, "silent", taken=True) == (Cause.TIMEOUT, "silent")


def test_that_a_login_was_taken_is_remembered_through_its_failures() -> None:
    assert DeviceLogin(0, NOW).another(NOW, taken=True).another(NOW).taken


def test_a_camera_that_refuses_alone_waits_after_one_failure_and_lets_the_others_try_first() -> None:
    once = DeviceLogin(0, NOW).another(NOW)
    assert once.rest_left_s(NOW, cooldown_s=1800.0, refuses_alone=True) == 1800.0 + OTHERS_FIRST_S
    again = once.another(NOW, counts=False)
    assert again.rest_left_s(NOW, cooldown_s=1800.0) is None
    assert "others of its device take" in why_not_tried(1860.0, refuses_alone=True)


def test_a_camera_refuses_alone_while_another_of_its_device_takes_the_login() -> None:
    cameras = CamerasOfLogins()
    cameras.refused("login", "A")
    assert not cameras.refuses_alone("login", "A")
    cameras.took("login", "B")
    assert [cameras.refuses_alone("login", one) for one in ("A", "B", None)] == [True, False, False]
    assert not cameras.refuses_alone("another login", "A")
    cameras.refused("login", "B")
    assert not cameras.refuses_alone("login", "A")
