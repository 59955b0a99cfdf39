"""The device's clock beside ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prober.probes.onvif import OnvifCause, Remark, clock_drift
from prober.probes.onvif.clock import read_clock, zone_offset
from vonggac.auth import Credentials
from vonggac.bus import ServerClock
from vonggac.embedded import free_port
from vonggac.net.allowed_networks import AllowedNetworks

NETWORKS = AllowedNetworks.parse(["127.0.0.0/8"])
NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


def utc(hour: int, minute: int, second: int, day: int = 25) -> dict[str, Any]:
    return {
        "UTCDateTime": {
            "Date": {"Year": 2026, "Month": 11, "Day": day},
            "Time": {"Hour": hour, "Minute": minute, "Second": second},
        }
    }


def test_drift_is_counted_from_the_middle_of_the_round_trip() -> None:
    clock = read_clock(utc(12, 0, 9), asked_at=NOON, answered_at=NOON + timedelta(seconds=4))
    assert clock is not None
    assert (clock.drift_s, clock.round_trip_s) == (7.0, 4.0)


def test_a_clock_behind_drifts_below_zero() -> None:
    clock = read_clock(utc(11, 59, 50), asked_at=NOON, answered_at=NOON)
    assert clock is not None
    assert clock.drift_s == -10.0


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"UTCDateTime": None},
        {"UTCDateTime": "noon"},
        {"UTCDateTime": {"Date": None, "Time": None}},
        utc(25, 0, 0),
    ],
)
def test_a_time_that_is_none_gives_no_clock(answer: dict[str, Any]) -> None:
    assert read_clock(answer, asked_at=NOON, answered_at=NOON) is None


def test_a_leap_second_is_a_time() -> None:
    assert read_clock(utc(11, 59, 60), asked_at=NOON, answered_at=NOON) is not None


@pytest.mark.parametrize(
    ("drift_s", "offset_h"),
    [
        (7 * 3600, 7.0),
        (7 * 3600 - 12.4, 7.0),
        (-5 * 3600 + 59, -5.0),
        (5.5 * 3600, 5.5),
        (14 * 3600, 14.0),
        (0, None),
        (6, None),
        (1700, None),
        (7 * 3600 + 61, None),
        (15 * 3600, None),
        (-13 * 3600, None),
    ],
)
def test_a_drift_near_a_time_zone_looks_like_local_time(drift_s: float, offset_h: float | None) -> None:
    assert zone_offset(drift_s) == offset_h


@pytest.mark.parametrize(
    ("ahead", "remarks"),
    [
        (timedelta(seconds=1), ()),
        (timedelta(seconds=8), (Remark.CLOCK_DRIFT,)),
        (timedelta(seconds=-8), (Remark.CLOCK_DRIFT,)),
        (timedelta(hours=7), (Remark.CLOCK_DRIFT, Remark.LOCAL_TIME_AS_UTC)),
    ],
)
async def test_a_drift_above_5_s_is_remarked(
    probe: Any, device: Any, ahead: timedelta, remarks: tuple[Remark, ...]
) -> None:
    found = await probe(await device(ahead=ahead))
    assert found.remarks == remarks
    assert found.clock.drift_s == pytest.approx(ahead.total_seconds(), abs=2)


async def test_a_device_that_gives_no_utc_is_remarked_and_read_on(probe: Any, device: Any) -> None:
    no_clock = "<tds:GetSystemDateAndTimeResponse/>"
    found = await probe(await device(answers={"GetSystemDateAndTime": no_clock}))
    assert (found.onvif, found.cause, found.clock, found.remarks) == (True, None, None, (Remark.NO_CLOCK,))
    assert len(found.profiles) == 1


async def test_clock_drift_asks_for_nothing_else(device: Any) -> None:
    camera = await device(ahead=timedelta(seconds=90))
    drift_s = await clock_drift(camera.address, deadline_s=5, allowed_networks=NETWORKS, clock=ServerClock())
    assert drift_s == pytest.approx(90, abs=2)
    assert [asked.operation for asked in camera.asked] == ["GetSystemDateAndTime"]


async def test_clock_drift_says_why_it_is_not_known(device: Any, virtual_camera: str) -> None:
    async def of(address: str, credentials: Credentials | None = None) -> float | OnvifCause:
        return await clock_drift(
            address, deadline_s=1, allowed_networks=NETWORKS, credentials=credentials, clock=ServerClock()
        )

    assert await of(f"127.0.0.1:{free_port()}") is OnvifCause.REFUSED
    assert await of((await device(hang_at="*")).address) is OnvifCause.TIMEOUT
    no_clock = await device(answers={"GetSystemDateAndTime": "<s:Fault/>"})
    assert await of(no_clock.address) is OnvifCause.NO_CLOCK
    assert await of(virtual_camera) is OnvifCause.AUTH_FAILED
    assert isinstance(await of(virtual_camera, Credentials("admin", "bi-mat-1")), float)
