"""Addresses by make: every make's main and sub stream, recorders' channels, and what is refused."""

import pytest
from pydantic import ValidationError

from inventory.domain.devices.addresses import parse_camera_url
from inventory.domain.devices.vendors import TEMPLATES, Stream, Vendor, VendorAddress, complete_url, make_url


@pytest.mark.parametrize(
    ("vendor", "channel", "stream", "path"),
    [
        ("hikvision", 1, "main", "/Streaming/Channels/101"),
        ("hikvision", 2, "sub", "/Streaming/Channels/202"),
        ("hikvision", 12, "main", "/Streaming/Channels/1201"),
        ("hikvision_old", 1, "sub", "/h264/ch1/sub/av_stream"),
        ("kbvision", 3, "main", "/cam/realmonitor?channel=3&subtype=0"),
        ("dahua", 1, "sub", "/cam/realmonitor?channel=1&subtype=1"),
        ("ezviz", 1, "main", "/h264/ch1/main/av_stream"),
        ("uniview", 1, "sub", "/media/video2"),
        ("uniview_nvr", 4, "main", "/unicast/c4/s0/live"),
        ("avycon", 1, "main", "/chID=1&streamType=main"),
        ("xmeye", 2, "main", "/user={username}&password={password}&channel=2&stream=0.sdp"),
        ("tplink", 1, "sub", "/stream2"),
    ],
)
def test_a_make_s_address(vendor: str, channel: int, stream: str, path: str) -> None:
    address = VendorAddress(vendor=Vendor(vendor), host="10.1.2.3", channel=channel, stream=Stream(stream))
    assert make_url(address) == f"rtsp://10.1.2.3{path}"


@pytest.mark.parametrize("vendor", list(Vendor))
@pytest.mark.parametrize("stream", list(Stream))
def test_every_make_gives_an_address_that_the_register_takes(vendor: Vendor, stream: Stream) -> None:
    url = make_url(VendorAddress(vendor=vendor, host="cam-01.lan", port=8554, stream=stream))
    assert parse_camera_url(url).url == url
    assert TEMPLATES[vendor].vietnamese


def test_an_ipv6_host_stands_in_brackets() -> None:
    address = VendorAddress(vendor=Vendor.HIKVISION, host="fd00::17")
    assert make_url(address) == "rtsp://[fd00::17]/Streaming/Channels/101"


@pytest.mark.parametrize(
    ("given", "word"),
    [({"host": "10.1.2.3:554"}, "without a port"), ({"vendor": "tplink", "channel": 2}, "one channel per address")],
)
def test_what_a_make_cannot_play_is_refused(given: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make_url(VendorAddress.model_validate({"vendor": "hikvision", "host": "10.1.2.3"} | given))


@pytest.mark.parametrize("host", ["admin:p@10.1.2.3", "10.1.2.3/ch1", "", "rtsp://10.1.2.3"])
def test_a_host_is_a_host_alone(host: str) -> None:
    with pytest.raises(ValidationError):
        VendorAddress(vendor=Vendor.DAHUA, host=host)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("10.20.1.5", "rtsp://10.20.1.5/Streaming/Channels/301"),
        (" 10.20.1.5:8554 ", "rtsp://10.20.1.5:8554/Streaming/Channels/301"),
        ("cam-01.lan", "rtsp://cam-01.lan/Streaming/Channels/301"),
        ("[fd00::5]:554", "rtsp://[fd00::5]/Streaming/Channels/301"),
    ],
)
def test_of_a_make_the_host_is_enough(text: str, url: str) -> None:
    assert complete_url(text, "hikvision", 3) == url
    assert complete_url(text, "hikvision", 3, Stream.SUB) == url.replace("301", "302")
    assert complete_url(text, "tplink", None) == url.replace("Streaming/Channels/301", "stream1")
    assert complete_url(text, None, 3) == text


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.20.1.5/x",
        "camera",
        "10.20.1",
        "10.20.1.5:70000",
        "10.20.1.5/x",
        "a:b@10.20.1.5",
        "10.20.1.5:0",
        f"{'a' * 251}.vn",
    ],
)
def test_what_is_no_host_stays_as_it_is(text: str) -> None:
    assert complete_url(text, "hikvision", 1) == text


def test_a_channel_that_the_make_does_not_play_is_refused() -> None:
    with pytest.raises(ValueError, match="one channel per address"):
        complete_url("10.20.1.5", "tplink", 2)
