import pytest

from vonggac.events.causes import Cause
from vonggac.net.errors import MalformedError, StatusError, cause_of_status
from vonggac.rtsp import Headers, Request, Response, Transport
from vonggac.rtsp.wire.messages import MAX_HEADERS, content_length, parse_head, parse_session
from vonggac.rtsp.wire.transport import parse_transports


def test_headers_compare_without_case_and_keep_repeats_in_order() -> None:
    headers = Headers([("WWW-Authenticate", "Digest a"), ("CSeq", "1"), ("www-authenticate", "Basic b")])
    assert headers.get("Www-Authenticate") == "Digest a"
    assert headers.get_all("WWW-AUTHENTICATE") == ["Digest a", "Basic b"]
    assert "cseq" in headers
    headers.set("CSEQ", "2")
    assert [value for name, value in headers if name.lower() == "cseq"] == ["2"]


def test_a_request_is_encoded_with_its_body_length() -> None:
    request = Request("ANNOUNCE", "rtsp://h/a", Headers([("CSeq", "3")]), b"v=0\r\n")
    assert request.encode() == (b"ANNOUNCE rtsp://h/a RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 5\r\n\r\nv=0\r\n")


@pytest.mark.parametrize(("name", "value"), [("X", "a\r\nY: b"), ("X\n", "a"), ("X", "a\nb"), ("X", "a\x00b")])
def test_a_line_break_cannot_be_smuggled_into_a_header(name: str, value: str) -> None:
    with pytest.raises(MalformedError):
        Headers([(name, value)])


def test_a_line_break_cannot_be_smuggled_into_a_start_line() -> None:
    with pytest.raises(MalformedError):
        Request("PLAY", "rtsp://h/\r\nX: y").encode()
    with pytest.raises(MalformedError):
        Response(200, "OK\r\nX: y").encode()


def test_odd_heads_are_read() -> None:
    head = b"RTSP/1.0 200\nCSeq:7\nno colon here\nPublic: OPTIONS,\n PLAY\nServer: caf\xe9"
    message = parse_head(head)
    assert isinstance(message, Response)
    assert (message.status, message.reason, message.cseq, message.ok) == (200, "", 7, True)
    assert message.headers.get("public") == "OPTIONS, PLAY"
    assert message.headers.get("Server") == "café"


def test_too_many_header_fields_are_refused() -> None:
    with pytest.raises(MalformedError, match="header fields"):
        parse_head(b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1))


@pytest.mark.parametrize("value", ["-1", "abc", "1e3", "99999999999", "١"])
def test_a_content_length_that_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(MalformedError, match="Content-Length"):
        content_length(Headers([("Content-Length", value)]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1234;timeout=60", ("1234", 60.0)),
        ("1234 ; Timeout = 30", ("1234", 30.0)),
        ("abc", ("abc", None)),
        ("abc;timeout=soon", ("abc", None)),
        ('"abc"; timeout="30"', ("abc", 30.0)),
        ("abc, timeout = 30s;", ("abc", 30.0)),
        ("abc;x=1;TIMEOUT=12.5", ("abc", 12.5)),
        ("abc;timeout=0", ("abc", None)),
        ("abc;timeout=12345678", ("abc", None)),
    ],
)
def test_the_session_field_gives_id_and_timeout(value: str, expected: tuple[str, float | None]) -> None:
    assert parse_session(value) == expected


def test_no_text_form_shows_a_header_value() -> None:
    request = Request("PLAY", "rtsp://h/", Headers([("Authorization", "Basic c2VjcmV0")]), b"secret")
    assert "c2VjcmV0" not in repr(request)
    assert "secret" not in repr(request)


def test_a_transport_field_is_read_and_written() -> None:
    value = "RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=0A1B;mode=record"
    (transport,) = parse_transports(value)
    assert (transport.interleaved, transport.ssrc, transport.mode, transport.over_tcp) == (
        (2, 3), "0A1B", "record", True,
    )  # fmt: skip
    assert transport.encode() == value


def test_transport_alternatives_keep_the_order_of_preference() -> None:
    first, second = parse_transports('rtp/avp;multicast, RTP/AVP;unicast;client_port=5000;mode="PLAY"')
    assert (first.unicast, first.over_tcp) == (False, False)
    assert second == Transport("RTP/AVP", client_port=(5000, 5001), mode="PLAY")


@pytest.mark.parametrize(
    "value",
    ["RTP/AVP/TCP;unicast;interleaved=4-5;client_port=-;server_port=70000", "RTP/AVP; Interleaved = 4 ;server_port="],
)
def test_ports_that_mean_nothing_over_tcp_are_not_read(value: str) -> None:
    (transport,) = parse_transports(value)
    assert (transport.over_tcp, transport.interleaved, transport.server_port) == (True, (4, 5), None)


@pytest.mark.parametrize("value", ["", "RTP/AVP/TCP;interleaved=0-256", "RTP/AVP;client_port=a-b"])
def test_an_impossible_transport_is_refused(value: str) -> None:
    with pytest.raises(MalformedError, match="Transport"):
        parse_transports(value)


@pytest.mark.parametrize(
    ("method", "status", "cause"),
    [
        ("DESCRIBE", 401, Cause.AUTH_FAILED),
        ("DESCRIBE", 403, Cause.AUTH_FAILED),
        ("DESCRIBE", 404, Cause.NOT_FOUND),
        ("DESCRIBE", 415, Cause.NO_TRACK),
        ("ANNOUNCE", 415, Cause.CODEC_UNSUPPORTED),
        ("PLAY", 453, Cause.SESSION_LIMIT),
        ("DESCRIBE", 503, Cause.SESSION_LIMIT),
        ("SETUP", 461, Cause.TRANSPORT_UNSUPPORTED),
        ("SETUP", 500, Cause.SESSION_LIMIT),
        ("SETUP", 501, Cause.REQUEST_REFUSED),
        ("SETUP", 505, Cause.REQUEST_REFUSED),
        ("PLAY", 500, Cause.SERVER_ERROR),
        ("DESCRIBE", 302, Cause.REQUEST_REFUSED),
    ],
)
def test_every_status_has_its_cause(method: str, status: int, cause: Cause) -> None:
    assert cause_of_status(method, status) is cause


@pytest.mark.parametrize(
    ("method", "status", "reason", "cause"),
    [
        ("ANNOUNCE", 406, "Not Acceptable", Cause.ALREADY_PUBLISHING),
        ("ANNOUNCE", 455, "Method Not Valid in This State", Cause.ALREADY_PUBLISHING),
        ("RECORD", 409, "Conflict", Cause.ALREADY_PUBLISHING),
        ("ANNOUNCE", 400, "someone is already publishing to path 'gate'", Cause.ALREADY_PUBLISHING),
        ("ANNOUNCE", 403, "Stream busy", Cause.ALREADY_PUBLISHING),
        ("ANNOUNCE", 400, "Bad Request", Cause.REQUEST_REFUSED),
        ("ANNOUNCE", 401, "Already used", Cause.AUTH_FAILED),
        ("SETUP", 406, "Not Acceptable", Cause.REQUEST_REFUSED),
        ("PLAY", 455, "Method Not Valid in This State", Cause.REQUEST_REFUSED),
    ],
)
def test_an_older_publisher_is_told_from_other_refusals(method: str, status: int, reason: str, cause: Cause) -> None:
    assert StatusError(method, status, reason).cause is cause


def test_a_status_error_names_method_and_code_and_cuts_the_reason() -> None:
    error = StatusError("PLAY", 455, "Method Not\x07 Valid " + "x" * 200)
    assert str(error) == "request_refused: PLAY was answered 455 Method Not Valid"


def test_a_reason_is_cut_between_words_so_that_no_half_password_stays() -> None:
    said = f"{'n' * 50} "
    assert StatusError("PLAY", 455, f"{said}123456789").message.endswith(" 123456789")
    assert StatusError("PLAY", 455, f"{said}s3cret-Xem and more").message.endswith(said.strip())
    assert StatusError("PLAY", 455, "s" * 61).message == "PLAY was answered 455"
