"""What devices write is cleaned: credentials taken out, hosts put right, lines made short."""

import pytest

from prober.probes.onvif.parse import clean, clean_http_url, clean_mac, clean_stream_url, service_address
from vonggac.auth import Credentials

LOGIN = Credentials("admin", "mat-khau&1")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rtsp://10.1.2.3:554/Streaming/Channels/101", "rtsp://10.1.2.3/Streaming/Channels/101"),
        ("rtsp://admin:tr%C3%A0@10.1.2.3/a", "rtsp://10.1.2.3/a"),
        ("rtsp://192.168.1.108:8554/a", "rtsp://10.1.2.3:8554/a"),
        (
            "rtsp://10.1.2.3/user=admin&password=x1&channel=1&stream=0.sdp?real_stream",
            "rtsp://10.1.2.3/user={username}&password={password}&channel=1&stream=0.sdp?real_stream",
        ),
        (
            "rtsp://10.1.2.3/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp",
            "rtsp://10.1.2.3/user={username}_password={password}_channel=1_stream=0.sdp",
        ),
        ("rtsp://10.1.2.3/live?username=a&pwd=b", "rtsp://10.1.2.3/live?username={username}&pwd={password}"),
        ("rtsp://10.1.2.3/live/mat-khau%261/0", "rtsp://10.1.2.3/live/{password}/0"),
        ("rtsp://10.1.2.3/live?token=abcdef", None),
        ("rtsps://10.1.2.3/a", "rtsps://10.1.2.3/a"),
        ("http://10.1.2.3/a", None),
        ("rtsp://10.1.2.3/a#b{c}", "rtsp://10.1.2.3/a%23b%7Bc%7D"),
        ("rtsp://10.1.2.3/" + "a" * 1000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_stream_address_holds_no_credential(given: object, kept: str | None) -> None:
    cleaned = clean_stream_url(given, host="10.1.2.3", credentials=LOGIN)
    assert cleaned.url == kept


def test_the_host_that_a_device_named_is_published() -> None:
    assert clean_stream_url("rtsp://192.168.1.108/a", host="10.1.2.3", credentials=None).named_host == "192.168.1.108"


def test_ipv6_stands_in_brackets() -> None:
    assert clean_stream_url("rtsp://[fd00::5]/a", host="fd00::5", credentials=None).url == "rtsp://[fd00::5]/a"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://10.1.2.3/snap.jpg", "http://10.1.2.3/snap.jpg"),
        ("http://a:b@10.1.2.3/snap.jpg", "http://10.1.2.3/snap.jpg"),
        ("http://10.1.2.3/snap?usr=a&pwd=b", "http://10.1.2.3/snap?usr={username}&pwd={password}"),
        ("http://10.1.2.3/snap?auth=YWRtaW46MTIz", None),
        ("javascript:alert(1)", None),
        ("http://10.1.2.3/a b", None),
    ],
)
def test_a_snapshot_address_holds_no_credential(given: str, kept: str | None) -> None:
    assert clean_http_url(given, credentials=LOGIN).url == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (" Hik\nvision\x00 ", "Hik vision"),
        ("x" * 900, "x" * 200),
        ("http://u:p@host/", "http://***@host/"),
        ("\x1b[31m", "[31m"),
        ("  ", None),
        (None, None),
        (7, None),
    ],
)
def test_a_text_is_one_short_printable_line(given: object, kept: str | None) -> None:
    assert clean(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("0A-1B-2C-3D-4E-5F", "0a:1b:2c:3d:4e:5f"), ("00:00:00:00:00:00", None), ("eth0", None), (None, None)],
)
def test_a_hardware_address_has_one_form(given: object, kept: str | None) -> None:
    assert clean_mac(given) == kept


@pytest.mark.parametrize(
    ("xaddr", "asked"),
    [
        ("http://10.1.2.3/onvif/media", (80, "/onvif/media")),
        ("http://10.1.2.3:8081/onvif/media?x=1", (8081, "/onvif/media?x=1")),
        ("http://cam.example:8081/m", (8081, "/m")),
        ("http://192.168.1.64:8081/m", (8000, "/m")),
        ("https://10.1.2.3/m", (8000, "/m")),
        ("http://10.1.2.3", (80, "/")),
        ("ftp://10.1.2.3/m", None),
        ("http://10.1.2.3/m\r\nX: y", None),
        (None, None),
    ],
)
def test_a_service_is_asked_on_the_asked_host_only(xaddr: object, asked: tuple[int, str] | None) -> None:
    assert service_address(xaddr, port=8000, own_hosts=frozenset({"10.1.2.3", "cam.example"})) == asked
