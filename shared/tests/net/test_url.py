import pytest

from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError
from vonggac.net.url import Credentials, RtspUrl, on_host_of, strip_userinfo


def test_credentials_are_kept_apart_from_the_wire_form() -> None:
    url = RtspUrl.parse("rtsp://admin:p%40ss%2Fword@10.1.2.3:8554/Streaming/Channels/101?x=1")
    assert (url.host, url.port, url.target) == ("10.1.2.3", 8554, "/Streaming/Channels/101?x=1")
    assert url.credentials == Credentials("admin", "p@ss/word")
    assert url.wire == "rtsp://10.1.2.3:8554/Streaming/Channels/101?x=1"


def test_an_unescaped_at_sign_in_the_password_belongs_to_the_password() -> None:
    url = RtspUrl.parse("rtsp://admin:a@b#c@camera.local/live")
    assert (url.host, url.credentials) == ("camera.local", Credentials("admin", "a@b#c"))


@pytest.mark.parametrize("show", [str, repr])
def test_no_text_form_shows_a_credential(show: type[str]) -> None:
    for text in (
        "rtsp://admin:S3cret@h/live",
        "rtsp://h/user=admin&password=S3cret&channel=1&stream=0.sdp",
        "rtsp://h/cam?channel=1&pwd=S3cret",
    ):
        url = RtspUrl.parse(text)
        assert "S3cret" not in show(url)
        assert "S3cret" not in show(url.credentials)


def test_the_default_port_is_554_and_stays_off_the_wire() -> None:
    url = RtspUrl.parse("RTSP://Camera-1/")
    assert (url.port, url.wire) == (554, "rtsp://Camera-1/")


def test_ipv6_hosts_keep_their_brackets_on_the_wire() -> None:
    url = RtspUrl.parse("rtsp://u:p@[fd00::12]:8554/a")
    assert (url.host, url.wire) == ("fd00::12", "rtsp://[fd00::12]:8554/a")


def test_a_query_without_a_path_gets_a_slash() -> None:
    assert RtspUrl.parse("rtsp://h?channel=1").wire == "rtsp://h/?channel=1"


def test_spaces_and_vietnamese_letters_in_the_path_are_encoded_once() -> None:
    assert RtspUrl.parse("rtsp://h/cổng chính%20A").target == "/c%E1%BB%95ng%20ch%C3%ADnh%20A"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://h/x", "must be rtsp://"),
        ("camera/live", "begin with rtsp://"),
        ("rtsp://", "no host"),
        ("rtsp://:554/x", "no host"),
        ("rtsp://h:0/x", "1 to 65535"),
        ("rtsp://h:65536/x", "1 to 65535"),
        ("rtsp://h:x/x", "1 to 65535"),
        ("rtsp://[fe80::/x", "IPv6"),
        ("rtsp://a b/x", "host"),
        ("rtsp://h/a\r\nTEARDOWN", "control character"),
        ("rtsp://h/" + "a" * 3000, "longer"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said) as caught:
        RtspUrl.parse(text)
    assert caught.value.cause is Cause.PROTOCOL_ERROR


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(MalformedError) as caught:
        RtspUrl.parse("rtsp://admin:S3/cret@10.0.0.1/live")
    assert "S3" not in str(caught.value)
    assert "cret" not in str(caught.value)


def test_strip_userinfo_leaves_other_urls_alone() -> None:
    assert strip_userinfo("rtsp://a:b@h:1/x@y") == "rtsp://h:1/x@y"
    assert strip_userinfo("trackID=1") == "trackID=1"


def test_rtsps_has_its_own_default_port() -> None:
    url = RtspUrl.parse("RTSPS://u:p@camera/live")
    assert (url.scheme, url.secure, url.port, url.wire) == ("rtsps", True, 322, "rtsps://camera/live")
    assert RtspUrl.parse("rtsps://camera:554/").wire == "rtsps://camera:554/"
    assert not RtspUrl.parse("rtsp://camera/").secure


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("rtsp://192.168.1.64:554/ch/trackID=1?x=1", "rtsp://10.1.2.3:8554/ch/trackID=1?x=1"),
        ("rtsp://10.1.2.3/a", "rtsp://10.1.2.3:8554/a"),
        ("rtsp://10.1.2.3:8554/a", "rtsp://10.1.2.3:8554/a"),
        ("RTSP://10.1.2.3:8554", "RTSP://10.1.2.3:8554"),
        ("rtsps://10.1.2.3:8554/a", "rtsp://10.1.2.3:8554/a"),
        ("rtsp://[::1/a", "rtsp://10.1.2.3:8554/a"),
        ("trackID=1", "trackID=1"),
    ],
)
def test_an_address_is_kept_on_the_host_that_was_asked(named: str, kept: str) -> None:
    assert on_host_of(named, "rtsp://10.1.2.3:8554/live") == kept


def test_the_default_port_written_out_is_the_same_host() -> None:
    assert on_host_of("rtsp://Camera:554/a", "rtsp://camera/live") == "rtsp://Camera:554/a"
