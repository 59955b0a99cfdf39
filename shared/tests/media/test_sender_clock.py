"""What a camera's clock says."""

from datetime import UTC, datetime

import pytest

from vonggac.media.rtcp import RtcpPacket, SenderReport, build_sender_report, ntp_from_unix, parse_rtcp
from vonggac.media.sender_clock import NOT_A_CLOCK_S, CameraClock, drift_by_date

NOW = 1_620_374_400.0


def sender_report(ntp: int) -> list[RtcpPacket]:
    report = SenderReport(ssrc=1, ntp=ntp, rtp_timestamp=0, packet_count=0, octet_count=0)
    return parse_rtcp(build_sender_report(report, cname="camera"))


def test_the_newest_sender_report_has_the_cameras_time() -> None:
    clock = CameraClock(lambda: NOW)
    assert clock.drift_s() is None
    for offset_s in (0.0, 3600.0):
        clock.read_reports(sender_report(ntp_from_unix(NOW + offset_s)))
    assert clock.drift_s() == pytest.approx(3600.0, abs=0.01)


def test_reports_that_count_from_the_cameras_start_are_made_up_for_by_its_date() -> None:
    clock = CameraClock(lambda: NOW)
    clock.read_reports(sender_report(ntp_from_unix(5.0)))
    assert abs(clock.drift_s() or 0.0) > NOT_A_CLOCK_S
    clock.read_date("Thu, 01 Jan 1970 00:00:05 GMT", NOW)
    assert abs(clock.drift_s() or 0.0) > NOT_A_CLOCK_S
    clock.read_date(datetime.fromtimestamp(NOW + 90, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), NOW)
    assert clock.drift_s() == 90.5


def test_what_was_reported_long_ago_is_not_passed_on() -> None:
    now = [NOW]
    clock = CameraClock(lambda: now[0])
    clock.read_reports(sender_report(ntp_from_unix(NOW)))
    now[0] += 301
    assert clock.drift_s(lately_s=300.0) is None
    assert clock.drift_s() == pytest.approx(0.0, abs=0.01)


def test_a_sender_without_a_clock_has_no_time() -> None:
    clock = CameraClock(lambda: NOW)
    clock.read_reports(sender_report(0))
    assert clock.drift_s() is None


@pytest.mark.parametrize(
    ("date", "drift_s"),
    [
        ("Wed, 25 Nov 2026 03:00:00 GMT", 0.5),
        ("Wed, 25 Nov 2026 03:01:00 GMT", 60.5),
        ("Wed, 25 Nov 2026 10:00:05 GMT", 5.5),
        ("Wed, 25 Nov 2026 04:00:00 GMT", 3600.5),
        ("Wed, 25 Nov 2026 10:00:00 +0700", 0.5),
        ("Wed, Nov 25 2026 03:00:00 GMT", 0.5),
    ],
    ids=["right", "a minute fast", "local time as GMT", "an hour fast", "with a zone", "month first"],
)
def test_the_date_of_an_answer_is_the_cameras_time(date: str, drift_s: float) -> None:
    assert drift_by_date(date, datetime(2026, 11, 25, 3, tzinfo=UTC).timestamp()) == drift_s


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Wed, 99 Nov 2026 03:00:00 GMT",
        "\0",
        f"Wed, 25 Nov 2026 03:00:00 +{'9' * 20}",
        f"Wed, 25 Nov {'9' * 20} 03:00:00 GMT",
    ],
)
def test_what_is_no_date_has_no_time(date: str) -> None:
    assert drift_by_date(date, NOW) is None
