"""From figures to findings."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from prober.domain.findings import Checks, StreamSeen, StreamThresholds, check_stream
from prober.domain.security import AGAIN_AFTER, add_signs
from vonggac.events import Cause
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import CameraObservedV1, Media, SecuritySigns, Verdict

GOOD = Media(
    codec="h264",
    width=1920,
    height=1080,
    fps=25.0,
    bitrate_kbps=2000.0,
    packets_received=500,
    packets_lost=0,
    jitter_ms=3.0,
    clock_drift_s=0.2,
)
SURVEYED = ExpectedDevice(codec="H264", width=1920, height=1080, fps=25, serial="DS-1", mac="0A:1B:2C:3D:4E:5F")


def checked(expected: ExpectedDevice | None = None, seen: dict[str, Any] | None = None, **media: Any) -> Checks:
    values = {"pictures": 26, "span_s": 1.0, "serial": "DS-1", "mac": "0a1b2c3d4e5f", **(seen or {})}
    return check_stream(StreamSeen(GOOD.model_copy(update=media), **values), expected, StreamThresholds())


def test_a_good_stream_has_no_finding() -> None:
    checks = checked(SURVEYED)
    assert (checks.findings, checks.details, checks.not_checked) == ([], [], {})


@pytest.mark.parametrize(
    ("media", "finding"),
    [
        ({"fps": 2.0}, Cause.LOW_FPS),
        ({"bitrate_kbps": 90.0}, Cause.LOW_BITRATE),
        ({"packets_lost": 6}, Cause.PACKET_LOSS),
        ({"jitter_ms": 60.0}, Cause.JITTER),
        ({"clock_drift_s": -7.0}, Cause.CLOCK_DRIFT),
        ({"codec": "h265"}, Cause.IDENTITY_CHANGED),
        ({"width": 1280, "height": 720}, Cause.IDENTITY_CHANGED),
    ],
)
def test_each_figure_has_its_finding_and_words_for_it(media: dict[str, Any], finding: Cause) -> None:
    checks = checked(SURVEYED, **media)
    assert checks.findings == [finding]
    assert len(checks.details) == 1


@pytest.mark.parametrize("seen", [{"serial": "DS-2"}, {"mac": "0a:1b:2c:3d:4e:60"}])
def test_another_device_is_published_by_its_serial_number_or_mac(seen: dict[str, Any]) -> None:
    assert checked(SURVEYED, seen).findings == [Cause.IDENTITY_CHANGED]


def test_a_foreign_payload_type_is_a_finding_that_names_it() -> None:
    checks = checked(SURVEYED, {"foreign_payload": 97})
    assert checks.findings == [Cause.PROTOCOL_ERROR]
    assert "97" in checks.details[0]


def test_a_mac_is_the_same_however_it_is_written() -> None:
    assert checked(ExpectedDevice(mac="0A-1B-2C-3D-4E-5F")).findings == []


def test_a_serial_number_is_the_same_in_any_case_and_with_any_space() -> None:
    assert checked(ExpectedDevice(serial="ds- 1")).findings == []


def test_what_the_device_does_not_give_is_not_checked() -> None:
    checks = checked(SURVEYED, {"serial": None, "mac": None})
    assert checks.findings == []
    assert checks.not_checked[Cause.IDENTITY_CHANGED] == "serial number and MAC: the device was not asked by ONVIF"


@pytest.mark.parametrize(("expected_fps", "fps", "low"), [(25, 14.0, True), (25, 16.0, False), (4, 3.0, False)])
def test_the_surveyed_rate_decides_where_there_is_one(expected_fps: float, fps: float, low: bool) -> None:
    assert (Cause.LOW_FPS in checked(ExpectedDevice(fps=expected_fps), fps=fps).findings) is low


@pytest.mark.parametrize(("fps", "low"), [(9.0, True), (12.5, False)])
def test_without_a_survey_the_streams_own_rate_counts_loosely(fps: float, low: bool) -> None:
    assert (Cause.LOW_FPS in checked(seen={"declared_fps": 25.0}, fps=fps).findings) is low


def test_too_short_a_piece_says_nothing_about_rates() -> None:
    checks = checked(seen={"pictures": 2, "span_s": 0.1}, fps=1.0, jitter_ms=None)
    assert checks.findings == []
    assert set(checks.not_checked) >= {Cause.LOW_FPS, Cause.LOW_BITRATE, Cause.JITTER}


@pytest.mark.parametrize("drift_s", [None, -1.7e9])
def test_a_sender_without_the_time_of_day_is_not_checked(drift_s: float | None) -> None:
    checks = checked(clock_drift_s=drift_s)
    assert Cause.CLOCK_DRIFT not in checks.findings
    assert Cause.CLOCK_DRIFT in checks.not_checked


NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def probed(minutes: float, *, revision: int = 1, security: SecuritySigns | None = None, **fields: Any) -> Any:
    return CameraObservedV1(
        camera_id=UUID(int=1),
        camera_revision=revision,
        worker_id="p-1",
        observed_at=NOW + timedelta(minutes=minutes),
        interval_s=60,
        duration_ms=10,
        security=security,
        **{"verdict": Verdict.UP, **fields},
    )


def test_camera_security_gets_a_new_time_when_it_changes_and_a_few_times_a_day() -> None:
    first = probed(0)
    first = first.model_copy(update={"security": add_signs(first, StreamSeen(Media(), login_scheme="none"), None)})
    assert first.security == SecuritySigns(stream_at=NOW, login_scheme="none")
    assert first.to_stored().security == first.security
    second = probed(1)
    same = add_signs(second, StreamSeen(Media(), login_scheme="none"), first)
    assert same == first.security
    assert second.model_copy(update={"security": same}).to_stored().security is None
    changed = add_signs(second, StreamSeen(Media(), login_scheme="digest"), first)
    assert changed == SecuritySigns(stream_at=second.observed_at, login_scheme="digest")
    later = probed(AGAIN_AFTER.total_seconds() / 60)
    assert add_signs(later, StreamSeen(Media(), login_scheme="none"), first).stream_at == later.observed_at  # type: ignore[union-attr]


def test_camera_security_of_another_revision_or_of_a_failed_probe_is_not_made_up() -> None:
    known = SecuritySigns(stream_at=NOW, login_scheme="none", device_at=NOW, firmware="V5.5")
    before = probed(0, security=known)
    assert add_signs(probed(1, revision=2), StreamSeen(Media()), before) is None
    failed = probed(1, verdict=Verdict.DOWN)
    assert add_signs(failed, StreamSeen(Media(), login_scheme="digest"), before) == known
    asked = add_signs(probed(1), StreamSeen(Media(), firmware="V5.6", device_asks_login=True), before)
    assert asked is not None
    assert (asked.firmware, asked.device_asks_login, asked.login_scheme) == ("V5.6", True, "none")
