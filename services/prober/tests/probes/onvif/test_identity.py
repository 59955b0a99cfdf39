"""Who a camera says it is by ONVIF, held against the survey."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from prober.domain.result import ProbeResult
from prober.probes.camera.identity import is_due
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, ExpectedDevice
from vonggac.events.prober import Verdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)


@pytest.fixture
async def probe_gate(simulate: Any, context: ProbeContext) -> Callable[..., Any]:
    """A deep probe of a simulated camera whose ONVIF side is another device's; fields of ExpectedDevice."""
    gate = (await simulate({"id": "gate"})).cameras["gate"]

    async def probe(onvif: Any, **expected: Any) -> ProbeResult:
        camera = CameraV1(
            id=uuid4(),
            revision=1,
            changed_at=NOW,
            code="QT-001",
            name="Cổng",
            facility_id=uuid4(),
            enabled=True,
            url=gate.url(),
            probe_interval_s=60,
            probe_timeout_s=8,
            expected=ExpectedDevice(onvif_address=onvif.address, **expected),
        )
        result = await CameraProber(context).probe(camera, ProbePlan(ask_device=True))
        assert isinstance(result, ProbeResult)
        assert result.judgement.verdict is Verdict.UP
        return result

    return probe


async def test_the_surveyed_device_has_no_finding(probe_gate: Any, device: Any) -> None:
    result = await probe_gate(await device(), serial="S1", mac="0a1b2c3d4e5f")
    assert result.judgement.findings == ()
    assert Cause.IDENTITY_CHANGED not in result.judgement.not_checked
    assert result.identity_at is not None


@pytest.mark.parametrize("expected", [{"serial": "S2"}, {"mac": "0a:1b:2c:3d:4e:60"}])
async def test_cause_identity_changed_by_serial_number_or_mac(
    probe_gate: Any, device: Any, expected: dict[str, str]
) -> None:
    result = await probe_gate(await device(), **expected)
    assert result.judgement.findings == (Cause.IDENTITY_CHANGED,)
    assert "in place of" in (result.judgement.detail or "")


async def test_cause_clock_drift_as_the_device_itself_gives_its_time(probe_gate: Any, device: Any) -> None:
    camera = await device(ahead=timedelta(minutes=5))
    result = await probe_gate(camera)
    assert result.judgement.findings == (Cause.CLOCK_DRIFT,)
    assert result.media.clock_drift_s == pytest.approx(300, abs=2)
    # Only the clock was asked for, and that without a login.
    assert {asked.operation for asked in camera.asked} == {"GetSystemDateAndTime"}


async def test_a_device_that_hangs_is_not_checked_and_the_camera_stays_up(probe_gate: Any, device: Any) -> None:
    result = await probe_gate(await device(hang_at="GetDeviceInformation"), serial="S1")
    assert result.judgement.findings == ()
    assert "timeout" in result.judgement.not_checked[Cause.IDENTITY_CHANGED]


async def test_a_device_that_wants_a_login_is_not_checked_without_one(probe_gate: Any, device: Any) -> None:
    camera = await device(login="token")
    result = await probe_gate(camera, serial="S1")
    assert "auth_failed" in result.judgement.not_checked[Cause.IDENTITY_CHANGED]
    assert camera.refused_logins == 0


async def test_another_device_is_a_finding_in_every_deep_probe_and_the_right_one_is_asked_once(
    simulate: Any, device: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await start_prober(deep_interval_s=0.0)
    for serial, findings, asked in (("S2", (Cause.IDENTITY_CHANGED,), 3), ("S1", (), 1)):
        known = await device()
        expected = ExpectedDevice(onvif_address=known.address, serial=serial)
        camera = await planner.camera(gate.url(), probe_interval_s=0.3, expected=expected)
        await observed.observation(camera.id, 3)
        assert [probe.findings for probe in observed.of(camera.id)[:3]] == [findings] * 3
        assert [one.operation for one in known.asked].count("GetDeviceInformation") >= asked
        await planner.remove(camera)
    assert [one.operation for one in known.asked].count("GetDeviceInformation") == 1


@pytest.mark.parametrize(
    ("expected", "asked_s_ago", "due"),
    [
        (None, None, False),
        (ExpectedDevice(serial="S1"), None, False),
        (ExpectedDevice(onvif_address="10.0.0.1"), None, True),
        (ExpectedDevice(onvif_address="10.0.0.1"), 3599, False),
        (ExpectedDevice(onvif_address="10.0.0.1"), 3600, True),
    ],
)
def test_a_device_is_asked_now_and_then(expected: ExpectedDevice | None, asked_s_ago: int | None, due: bool) -> None:
    asked_at = None if asked_s_ago is None else NOW - timedelta(seconds=asked_s_ago)
    assert is_due(expected, asked_at, every_s=3600, now=NOW) is due
