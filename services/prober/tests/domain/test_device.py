"""Which change of a camera is another device: swapped or re-addressed, and not merely set anew."""

from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.device import compare_device, signs_of
from prober.domain.findings import StreamSeen
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import DeviceSigns, Media

NOW = datetime(2021, 5, 14, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
HD, SMALL = "h264 High 1920x1080", "h264 High 1280x720"
KNOWN = DeviceSigns(serial="DS1", mac="0A1B2C3D4E5F", stream=HD, described=HD, maker="media presentation")


def compared(
    seen: DeviceSigns, known: DeviceSigns | None = KNOWN, expected: ExpectedDevice | None = None
) -> DeviceSigns:
    return compare_device(known, seen, expected, NOW)


def test_the_first_device_is_known_from_then_on() -> None:
    assert compared(KNOWN, None) == KNOWN


@pytest.mark.parametrize(
    "seen",
    [
        DeviceSigns(serial="DS2", stream=HD),
        DeviceSigns(mac="0A1B2C3D4E60", stream=HD),
        DeviceSigns(stream=SMALL),
        DeviceSigns(described=SMALL),
        DeviceSigns(stream="h265 Main 1920x1080"),
        DeviceSigns(stream=HD, maker="rtsp session streaming"),
    ],
    ids=["serial", "mac", "size", "described", "codec", "words"],
)
def test_a_swapped_camera_is_another_device_since_then(seen: DeviceSigns) -> None:
    device = compared(seen)
    assert device.changed_at == NOW
    assert device.change


@pytest.mark.parametrize(
    "seen",
    [
        DeviceSigns(),
        DeviceSigns(stream=HD, maker="media presentation live"),
        DeviceSigns(serial="DS1", stream=SMALL, maker="other words"),
        DeviceSigns(mac="0A1B2C3D4E5F", stream="h265 Main 1920x1080"),
    ],
    ids=["rebooted", "firmware", "same serial", "same MAC"],
)
def test_the_same_device_may_be_set_anew_and_is_no_swapped_one(seen: DeviceSigns) -> None:
    assert compared(seen).changed_at is None


def test_a_setting_of_a_proven_device_is_known_from_then_on() -> None:
    device = compared(DeviceSigns(serial="DS1", stream=SMALL, described=SMALL))
    assert compared(DeviceSigns(stream=SMALL, described=SMALL), device).changed_at is None


def test_a_size_that_the_register_expects_is_no_swapped_camera() -> None:
    expected = ExpectedDevice(codec="h264", width=1280, height=720)
    assert compared(DeviceSigns(stream=SMALL), expected=expected).changed_at is None
    other = ExpectedDevice(codec="h265", width=1280, height=720)
    assert compared(DeviceSigns(stream=SMALL), expected=other).changed_at == NOW


def test_a_swapped_camera_stays_one_whatever_is_seen_until_somebody_confirms() -> None:
    device = compared(DeviceSigns(stream=SMALL))
    for seen in (DeviceSigns(stream=SMALL), DeviceSigns(stream=HD), DeviceSigns()):
        assert compare_device(device, seen, None, LATER) == device


def test_a_change_of_a_device_that_shows_its_serial_number_afterwards_was_a_setting() -> None:
    device = compared(DeviceSigns(stream=SMALL))
    proven = compare_device(device, DeviceSigns(serial="DS1", stream=SMALL), None, LATER)
    assert (proven.changed_at, proven.change, proven.stream) == (None, None, SMALL)
    swapped = compared(DeviceSigns(serial="DS2"))
    assert compare_device(swapped, DeviceSigns(serial="DS2", stream=HD), None, LATER) == swapped


def test_signs_are_the_same_however_a_device_writes_them() -> None:
    seen = StreamSeen(Media(), serial="ds 1", mac="0a:1b:2c:3d:4e:5f", stream=HD, maker="RTSP Server v2.1 a3f9c")
    signs = signs_of(seen)
    assert (signs.serial, signs.mac, signs.stream) == ("DS1", "0A1B2C3D4E5F", HD)
    assert signs.maker == "rtsp server"
