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


HABITS = {"origin of the description": "0a", "Server header": "0b", "parameter sets": "0c"}
PLAIN = DeviceSigns(stream=HD, maker="media presentation", habits=HABITS)


@pytest.mark.parametrize(
    ("habits", "maker"),
    [
        ({"Server header": "1b", "parameter sets": "1c"}, None),
        ({"origin of the description": "1a", "Server header": "1b"}, None),
        ({"parameter sets": "1c"}, "media presentation live"),
    ],
)
def test_a_swapped_camera_of_one_model_and_settings_is_found_by_two_habits(
    habits: dict[str, str], maker: str | None
) -> None:
    device = compared(PLAIN.model_copy(update={"habits": HABITS | habits, "maker": maker or PLAIN.maker}), PLAIN)
    assert device.changed_at == NOW
    assert device.change
    assert next(iter(habits)) in device.change


@pytest.mark.parametrize("name", [*HABITS])
def test_one_habit_that_changes_is_no_swapped_camera_and_is_known_from_then_on(name: str) -> None:
    seen = PLAIN.model_copy(update={"habits": HABITS | {name: "1"}})
    assert compared(seen, PLAIN) == seen


def test_new_firmware_of_a_proven_device_is_no_swapped_camera_whatever_its_habits() -> None:
    known = PLAIN.model_copy(update={"serial": "DS1"})
    seen = DeviceSigns(serial="DS1", stream=HD, maker="other", habits=dict.fromkeys(HABITS, "1"))
    device = compared(seen, known)
    assert (device.changed_at, device.habits) == (None, seen.habits)


def test_a_swapped_camera_is_found_where_a_light_probe_saw_one_of_its_habits_first() -> None:
    light = compared(DeviceSigns(habits={"Server header": "1b"}), PLAIN)
    assert light == PLAIN
    deep = DeviceSigns(stream=HD, habits=HABITS | {"Server header": "1b", "parameter sets": "1c"})
    assert compared(deep, light).changed_at == NOW


def test_habits_that_nobody_saw_before_are_no_swapped_camera() -> None:
    seen = PLAIN.model_copy(update={"maker": "media presentation"})
    assert compared(seen, PLAIN.model_copy(update={"habits": {}})).habits == HABITS


def test_words_that_changed_are_one_sign_by_whomever_they_are_seen() -> None:
    """A probe's own session sees the words and their digest; a forwarder sends the digest alone."""
    words = "words of the description"
    known = PLAIN.model_copy(update={"habits": HABITS | {words: "0d"}})
    seen = known.model_copy(update={"maker": "media presentation live", "habits": HABITS | {words: "1d"}})
    assert compared(seen, known).changed_at is None
    forwarded = DeviceSigns(stream=HD, habits=HABITS | {words: "1d", "Server header": "1b"})
    device = compared(forwarded, known)
    assert (device.changed_at, device.change) == (NOW, f"other Server header and other {words}")


def test_a_forwarder_of_an_earlier_release_swaps_no_camera() -> None:
    """It sends no habits: only what its keyframes show is known."""
    forwarded = DeviceSigns(stream=HD, habits={"parameter sets": "1c"})
    device = compared(forwarded, PLAIN)
    assert (device.changed_at, device.habits) == (None, HABITS)


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
