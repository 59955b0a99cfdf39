"""How pictures arrive, and what the camera's clock says."""

import random
from datetime import UTC, datetime

import pytest

from prober.probes.arrival import CameraClock, Unevenness, drift_by_date
from vonggac.rtsp import SenderReport, build_sender_report, ntp_from_unix, parse_rtcp

RATE = 90_000
TICKS = 3600  # 25 pictures a second
NOW = 1_620_374_400.0


def jitter_ms(arrivals_s: list[float], order: list[int] | None = None) -> float | None:
    unevenness = Unevenness(RATE)
    for number, arrived_at in zip(order or range(len(arrivals_s)), arrivals_s, strict=True):
        unevenness.update(number * TICKS, arrived_at)
    return unevenness.jitter_ms()


def test_pictures_that_come_in_step_have_no_jitter() -> None:
    assert jitter_ms([5 + number / 25 for number in range(50)]) == 0.0


def test_a_burst_of_stored_pictures_at_the_start_is_no_jitter() -> None:
    assert jitter_ms([5.0] * 25 + [5 + number / 25 for number in range(1, 25)]) == 0.0


def test_random_delays_show_as_their_mean() -> None:
    chance = random.Random(1742)
    measured = jitter_ms([5 + number / 25 + chance.uniform(0, 0.03) for number in range(200)])
    assert measured == pytest.approx(15, abs=3)


def test_a_single_pause_weighs_little() -> None:
    arrivals = [5 + max(number, 14 if 10 <= number < 14 else 0) / 25 for number in range(50)]
    measured = jitter_ms(arrivals)
    assert measured is not None
    assert measured < 10


def test_pictures_out_of_order_are_no_jitter() -> None:
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15, 13, 14]
    assert jitter_ms([5 + number / 25 for number in range(16)], order) == pytest.approx(0.0, abs=1)


def test_too_few_pictures_say_nothing() -> None:
    assert jitter_ms([5.0, 5.1, 5.2]) is None


def test_the_first_sender_report_tells_the_cameras_time() -> None:
    clock = CameraClock(lambda: NOW)
    assert clock.drift_s is None
    for offset_s in (3600.0, 0.0):
        report = SenderReport(ssrc=1, ntp=ntp_from_unix(NOW + offset_s), rtp_timestamp=0, packet_count=0, octet_count=0)
        clock.take(parse_rtcp(build_sender_report(report, cname="camera")))
    assert clock.drift_s == pytest.approx(3600.0, abs=0.01)


def test_a_sender_without_a_clock_tells_none() -> None:
    clock = CameraClock(lambda: NOW)
    report = SenderReport(ssrc=1, ntp=0, rtp_timestamp=0, packet_count=0, octet_count=0)
    clock.take(parse_rtcp(build_sender_report(report, cname="camera")))
    assert clock.drift_s is None


@pytest.mark.parametrize(
    ("date", "drift_s"),
    [
        ("Wed, 25 Nov 2026 03:00:00 GMT", 0.5),
        ("Wed, 25 Nov 2026 03:01:00 GMT", 60.5),
        ("Wed, 25 Nov 2026 10:00:05 GMT", 5.5),
        ("Wed, 25 Nov 2026 04:00:00 GMT", 3600.5),
        ("Wed, 25 Nov 2026 10:00:00 +0700", 0.5),
    ],
    ids=["right", "a minute fast", "local time as GMT", "an hour fast", "with a zone"],
)
def test_the_date_of_an_answer_tells_the_cameras_time(date: str, drift_s: float) -> None:
    assert drift_by_date(date, datetime(2026, 11, 25, 3, tzinfo=UTC).timestamp()) == drift_s


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 03:00:00 GMT", "\0"])
def test_what_is_no_date_tells_no_time(date: str) -> None:
    assert drift_by_date(date, NOW) is None
