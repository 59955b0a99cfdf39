"""AMF values, addresses and logins."""

import pytest

from forwarder.relay.rtmp import amf
from forwarder.relay.rtmp import auth as login
from forwarder.relay.rtmp.connection import CommandError
from forwarder.relay.rtmp.url import RtmpUrl
from vonggac.events import Cause
from vonggac.net.errors import MalformedError
from vonggac.net.url import Credentials

VALUES: list[amf.AmfValue] = [
    "connect",
    1.0,
    None,
    True,
    {"app": "live", "inner": {"a": 1.5}},
    [1.0, "x"],
    "y" * 70_000,
]


def test_values_come_out_as_they_went_in() -> None:
    assert amf.decode(amf.encode(*VALUES)) == VALUES


def test_every_value_that_amf_0_knows_is_read() -> None:
    reference, unsupported, xml = b"\x07\0\1", b"\x0d", b"\x0f\0\0\0\4<a/>"
    typed = b"\x10\0\4Info" + b"\0\1a" + b"\0" + bytes(8) + b"\0\0\x09"
    assert amf.decode(reference + unsupported + xml + typed) == [None, None, "<a/>", {"a": 0.0}]


@pytest.mark.parametrize("data", [b"\2\0\5ab", b"\3" + b"\0\1a\3" * 50, b"\x10", b"\0\0", b"\x0a\xff\xff\xff\xff"])
def test_broken_or_bottomless_values_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        amf.decode(data)


@pytest.mark.parametrize(
    ("text", "host", "port", "app", "stream"),
    [
        ("rtmp://c.example/live/key", "c.example", 1935, "live", "key"),
        ("rtmps://c.example/live/key?token=1", "c.example", 443, "live", "key?token=1"),
        ("rtmp://[::1]:1936/app/instance/k%2Fy", "::1", 1936, "app/instance", "k/y"),
    ],
)
def test_an_address_has_an_application_and_a_stream(text: str, host: str, port: int, app: str, stream: str) -> None:
    url = RtmpUrl.parse(text)
    assert (url.host, url.port, url.app, url.stream) == (host, port, app, stream)


def test_an_address_shows_neither_login_nor_stream_key() -> None:
    url = RtmpUrl.parse("rtmp://user:pass-word@c.example/live/secret-key")
    assert url.credentials == Credentials("user", "pass-word")
    assert "secret-key" not in repr(url) + url.tc_url
    assert "pass-word" not in repr(url) + url.tc_url


@pytest.mark.parametrize("text", ["rtmp://c.example/live", "rtmp:///live/key", "http://c/live/key", "rtmp://c:x/a/b"])
def test_an_address_that_is_none_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        RtmpUrl.parse(text)
    assert text not in str(caught.value)


def test_limelights_challenge_is_answered_as_its_digest_wants() -> None:
    asked = "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=u&nonce=abc"
    query = login.answer(asked, "live", Credentials("u", "p"))
    assert query is not None
    assert query.startswith("?authmod=llnw&user=u&nonce=abc&cnonce=")
    assert login.answer("another reason", "live", Credentials("u", "p")) is None


@pytest.mark.parametrize(
    ("code", "description", "cause"),
    [
        ("NetStream.Publish.BadName", "live/gate-of-the-authority is already publishing", Cause.ALREADY_PUBLISHING),
        ("NetStream.Publish.BadName", "Authentication failed", Cause.AUTH_FAILED),
        ("NetStream.Publish.BadName", "not authorized", Cause.AUTH_FAILED),
        ("NetStream.Publish.BadName", "", Cause.ALREADY_PUBLISHING),
        ("NetStream.Publish.Denied", "", Cause.AUTH_FAILED),
        ("NetStream.Failed", "no room for live/author-hall", Cause.REQUEST_REFUSED),
        ("NetConnection.Connect.Rejected", "[ AccessManager.Reject ] : [ authmod=adobe ]", Cause.AUTH_FAILED),
        ("NetConnection.Connect.Rejected", "Unauthorized", Cause.AUTH_FAILED),
    ],
)
def test_a_refusal_is_no_wrong_login_for_the_letters_of_a_streams_name(
    code: str, description: str, cause: Cause
) -> None:
    assert CommandError("publish", code, description).cause is cause
