"""When a login that failed may be tried again."""

from datetime import UTC, datetime, timedelta

from vonggac.logins.counting import DeviceLogin

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


def test_a_device_rests_after_two_failed_logins_whichever_camera_was_meant() -> None:
    once = DeviceLogin(0, NOW).another(NOW)
    twice = once.another(NOW)
    assert once.rest_left_s(NOW, cooldown_s=1800.0) is None
    assert twice.rest_left_s(NOW + timedelta(seconds=100), cooldown_s=1800.0) == 1700.0
    assert twice.rest_left_s(NOW + timedelta(seconds=1798), cooldown_s=1800.0) is None
