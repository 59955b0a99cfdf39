"""One device under two cameras is found, however its address is written."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.devices.sameness import Device, Devices, find_same


def device(code: str = "CAM-01", url: str = "rtsp://10.1.1.1/ch1", **given: Any) -> Device:
    return Device(uuid4(), code, url, **given)


@pytest.mark.parametrize(
    "url",
    ["rtsp://10.1.1.1:554/ch1", "RTSP://10.1.1.1/ch1", "rtsp://10.1.1.1/ch1/"],
)
def test_one_address_has_many_spellings(url: str) -> None:
    (same,) = find_same(device("CAM-02", url), [device()])
    assert (same.field, same.code) == ("url", "CAM-01")


@pytest.mark.parametrize(
    "url", ["rtsp://10.1.1.1/ch2", "rtsp://10.1.1.1:8554/ch1", "rtsp://10.1.1.2/ch1", "rtsp://10.1.1.1/CH1"]
)
def test_another_address_is_another_camera(url: str) -> None:
    assert find_same(device("CAM-02", url), [device()]) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rtsp://cam.example.vn/1", "rtsp://CAM.example.vn.:554/1"),
        ("rtsp://10.1.1.1/Streaming/Channels/101", "rtsp://10.1.1.1/%53treaming//Channels/./101"),
        ("rtsp://10.1.1.1/a%2fb", "rtsp://10.1.1.1/x/../a%2Fb"),
        ("rtsp://10.1.1.1/cam?channel=1&subtype=0", "rtsp://10.1.1.1/cam?subtype=0&channel=1"),
        ("rtsp://[fd00::1]/1", "rtsp://[FD00:0:0:0:0:0:0:1]:554/1"),
        ("rtsp://10.1.1.1/1", "rtsp://[::ffff:10.1.1.1]/1"),
        ("rtsp://10.1.1.1/1", "rtsp://0x0a.65793/1"),
    ],
)
def test_an_address_is_compared_as_its_standard_has_it(one: str, other: str) -> None:
    assert [same.field for same in find_same(device("CAM-02", other), [device(url=one)])] == ["url"]
    assert [same.field for same in find_same(device("CAM-02", one), [device(url=other)])] == ["url"]


def test_a_sign_that_means_something_stays_encoded() -> None:
    assert find_same(device("CAM-02", "rtsp://10.1.1.1/a/b"), [device(url="rtsp://10.1.1.1/a%2Fb")]) == ()


def test_a_serial_number_is_read_off_a_label_or_a_menu() -> None:
    known = device(serial="DS-2CD 2143abc")
    (same,) = find_same(device("CAM-02", "rtsp://10.9.9.9/", serial="ds-2cd2143ABC"), [known])
    assert same.field == "serial"


def test_a_device_that_moved_is_known_by_its_mac_and_serial() -> None:
    known = device(mac="0a:1b:2c:3d:4e:5f", serial="DS-2CD")
    (by_mac,) = find_same(device("CAM-02", "rtsp://10.9.9.9/", mac="0a:1b:2c:3d:4e:5f"), [known])
    (by_serial,) = find_same(device("CAM-02", "rtsp://10.9.9.9/", serial="DS-2CD"), [known])
    assert (by_mac.field, by_serial.field) == ("mac", "serial")
    assert "shared_device_reason" in by_mac.advice


def test_channels_of_one_recorder_share_its_serial_and_mac() -> None:
    first = device(url="rtsp://10.1.1.1/Streaming/Channels/101", mac="0a:1b:2c:3d:4e:5f", serial="NVR-1")
    second = device("CAM-02", "rtsp://10.1.1.1/Streaming/Channels/201", mac="0a:1b:2c:3d:4e:5f", serial="NVR-1")
    assert find_same(second, [first]) == ()


def test_channels_of_one_recorder_share_its_marks_however_its_port_is_written() -> None:
    first = device(url="rtsp://10.1.1.1:554/Streaming/Channels/101", mac="0a:1b:2c:3d:4e:5f")
    second = device("CAM-02", "rtsp://10.1.1.1/Streaming/Channels/201", mac="0a:1b:2c:3d:4e:5f")
    assert find_same(second, [first]) == ()


def test_the_sub_stream_of_a_camera_is_no_other_camera() -> None:
    known = device(sub_url="rtsp://10.1.1.1:554/ch2")
    (same,) = find_same(device("CAM-02", "rtsp://10.1.1.1/ch2"), [known])
    assert same.field == "url"
    (same,) = find_same(device("CAM-02", "rtsp://10.1.1.9/ch1", sub_url="RTSP://10.1.1.1/ch1"), [known])
    assert same.field == "sub_url"


def test_a_channel_of_a_recorder_is_one_camera() -> None:
    known = device(recorder_id=UUID(int=1), channel=3)
    (same,) = find_same(device("CAM-02", "rtsp://10.9.9.9/", recorder_id=UUID(int=1), channel=3), [known])
    assert same.field == "channel"
    for other in ({"recorder_id": UUID(int=1), "channel": 4}, {"recorder_id": UUID(int=2), "channel": 3}):
        assert find_same(device("CAM-02", "rtsp://10.9.9.9/", **other), [known]) == ()


def test_a_camera_is_not_its_own_double() -> None:
    one = device()
    assert find_same(one, [one]) == ()


URLS = st.builds(
    "{}://{}{}/{}".format,
    st.sampled_from(["rtsp", "RTSP"]),
    st.sampled_from(["10.1.1.1", "10.1.1.2"]),
    st.sampled_from(["", ":554", ":8554"]),
    st.sampled_from(["ch1", "ch1/", "ch2"]),
)
MARKS = st.sampled_from([None, "a", "b"])
SUBS = st.one_of(st.none(), URLS)
CHANNELS = st.one_of(st.just((None, None)), st.tuples(st.sampled_from([UUID(int=1), UUID(int=2)]), st.integers(1, 2)))


def drawn(code: str, url: str, serial: str | None, mac: str | None, sub: str | None, place: Any) -> Device:
    return Device(uuid4(), code, url, serial, mac, sub, *place)


def devices(codes: st.SearchStrategy[str]) -> st.SearchStrategy[Device]:
    return st.builds(drawn, codes, URLS, MARKS, MARKS, SUBS, CHANNELS)


@given(st.lists(devices(st.uuids().map(str)), max_size=6), devices(st.just("new")))
def test_among_many_the_same_device_is_found_as_among_few(known: list[Device], new: Device) -> None:
    many = Devices()
    for each in known:
        many.add(each)
    same, one_by_one = many.find_same(new), find_same(new, known)
    assert (same is not None) == bool(one_by_one)
    assert same is None or same.code in {each.code for each in one_by_one}
