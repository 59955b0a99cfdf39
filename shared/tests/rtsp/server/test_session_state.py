"""What each request makes of a session that plays, decided without a socket."""

import pytest

from vonggac.rtsp.server.conformance import find_violation
from vonggac.rtsp.server.session_state import METHODS, WHOLE, Presentation, SessionState, Step, decide
from vonggac.rtsp.server.transport_policy import TransportPolicy
from vonggac.rtsp.wire.messages import Headers, Request
from vonggac.rtsp.wire.transport import Transport, parse_transports

BOTH = Presentation("/live", b"v=0\r\n", ("trackID=1", "trackID=2"))
ONE = Presentation("/live", b"v=0\r\n", ("trackID=1",))
TCP = Transport(interleaved=(0, 1))
EMPTY = SessionState("5e55", 60)
READY = EMPTY.with_track(0, TCP)
ANY = TransportPolicy()


def ask(
    method: str,
    uri: str = "rtsp://centre/live",
    *,
    state: SessionState = READY,
    at: Presentation | None = BOTH,
    policy: TransportPolicy = ANY,
    **fields: str,
) -> tuple[int, Step | None]:
    """Status and step of one request."""
    headers = Headers([("CSeq", "1"), *((name.replace("_", "-"), value) for name, value in fields.items())])
    decision = decide(state, Request(method, uri, headers), at, policy)
    return decision.reply.status, decision.step


@pytest.mark.parametrize("method", METHODS.split(", "))
def test_every_method_of_a_session_that_is_set_up_is_served(method: str) -> None:
    uri = "rtsp://centre/live/trackID=2" if method == "SETUP" else "rtsp://centre/live"
    status, step = ask(method, uri, Session="5e55", Transport="RTP/AVP/TCP")
    assert status == 200 or step is Step.OPEN_TRACK


def test_stream_of_two_tracks_is_set_up_track_by_track() -> None:
    assert ask("SETUP", state=EMPTY, Transport="RTP/AVP/TCP") == (459, None)


@pytest.mark.parametrize("method", ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"])
def test_keep_alive_of_every_kind_gets_200_with_and_without_the_session(method: str) -> None:
    assert ask(method) == ask(method, Session="5e55") == ask(method, state=EMPTY) == (200, None)


@pytest.mark.parametrize("method", ["PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SETUP"])
@pytest.mark.parametrize("given", ["0ther", "5e5", "5E55", ""])
def test_session_of_another_connection_opens_nothing(method: str, given: str) -> None:
    uri = "rtsp://centre/live/trackID=2"
    assert ask(method, uri, Session=given, Transport="RTP/AVP/TCP") == (454, None)


@pytest.mark.parametrize("method", ["PLAY", "PAUSE", "TEARDOWN"])
def test_control_of_a_session_names_it(method: str) -> None:
    assert ask(method) == (454, None)
    assert ask(method, state=EMPTY, Session="5e55") == (454, None)


@pytest.mark.parametrize(
    ("method", "status"), [("ANNOUNCE", 405), ("RECORD", 405), ("REDIRECT", 405), ("FOO", 501), ("GET", 501)]
)
def test_methods_that_are_not_served_are_named_so(method: str, status: int) -> None:
    assert ask(method) == (status, None)


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://centre/live/trackID=3",
        "rtsp://centre/live/trackID=1/trackID=2",
        "rtsp://centre/other/trackID=1",
        "rtsp://centre/live/../live/trackID=1",
        "rtsp://centre/live%00/trackID=1",
        "rtsp://centre/live/%2e%2e/secret",
        "rtsp://centre/",
        "trackID=1",
        "*",
    ],
)
def test_tracks_that_are_not_there_are_404(uri: str) -> None:
    assert ask("SETUP", uri, state=EMPTY, Transport="RTP/AVP/TCP") == (404, None)
    assert ask("DESCRIBE", uri) == (404, None)


def test_description_is_found_with_and_without_the_slash_and_by_any_host() -> None:
    assert ask("DESCRIBE", "rtsp://10.0.0.9:8554/live/") == ask("DESCRIBE") == (200, None)


def test_description_repeats_no_login_of_the_address() -> None:
    request = Request("DESCRIBE", "rtsp://viewer:hunter22@centre/live", Headers([("CSeq", "1")]))
    reply = decide(EMPTY, request, BOTH, ANY).reply
    assert reply.status == 200
    assert "hunter22" not in str(reply)


def test_one_track_is_set_up_by_the_address_of_the_stream_too() -> None:
    assert ask("SETUP", state=EMPTY, at=ONE, Transport="RTP/AVP/TCP") == (461, Step.OPEN_TRACK)


def test_second_track_joins_the_session_and_a_playing_one_changes_no_more() -> None:
    second = "rtsp://centre/live/trackID=2"
    assert ask("SETUP", second, Session="5e55", Transport="RTP/AVP/TCP")[1] is Step.OPEN_TRACK
    playing = READY.with_playing(playing=True)
    assert ask("SETUP", second, state=playing, Session="5e55", Transport="RTP/AVP/TCP") == (455, None)


@pytest.mark.parametrize("transport", ["", "RTP/AVP/TCP;interleaved=300-301", "RTP/AVP;client_port=70000-70001", ","])
def test_transports_that_are_none_are_400(transport: str) -> None:
    assert ask("SETUP", "rtsp://centre/live/trackID=1", state=EMPTY, Transport=transport) == (400, None)


@pytest.mark.parametrize(
    "transport",
    [
        "RTP/AVP;multicast",
        "RTP/AVP",
        "RTP/AVP;unicast;client_port=22-23",
        "RTP/AVP;unicast;client_port=1023-1024",
        "RTP/AVP;unicast;client_port=0-1",
        "RTP/AVP;unicast;client_port=5000-5000",
        "RTP/AVP/TCP;unicast;interleaved=4-4",
        "RTP/AVP/TCP;unicast;mode=record",
        "RTP/SAVP;unicast;client_port=5000-5001",
        "MP2T/H2221/UDP;unicast;client_port=5000-5001",
    ],
)
def test_transports_that_are_not_served_are_461(transport: str) -> None:
    assert ask("SETUP", "rtsp://centre/live/trackID=1", state=EMPTY, Transport=transport) == (461, None)


def test_transport_that_is_not_allowed_is_461_and_the_next_offer_is_taken() -> None:
    offers = "RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=2-3"
    uri = "rtsp://centre/live/trackID=1"
    only_tcp, only_udp = TransportPolicy(udp=False), TransportPolicy(tcp=False)
    assert only_tcp.choose(parse_transports(offers), 0, {}) == (Transport(interleaved=(2, 3)),)
    assert [each.client_port for each in only_udp.choose(parse_transports(offers), 0, {})] == [(5000, 5001)]
    assert ask("SETUP", uri, state=EMPTY, policy=only_udp, Transport="RTP/AVP/TCP") == (461, None)


def test_channels_are_those_that_the_client_chose_unless_another_track_has_them() -> None:
    swapped = parse_transports("RTP/AVP/TCP;interleaved=3-2")
    assert ANY.choose(swapped, 0, {}) == (Transport(interleaved=(3, 2)),)
    assert ANY.choose(swapped, 1, {0: Transport(interleaved=(2, 3))}) == ()
    unnamed = parse_transports("RTP/AVP/TCP;unicast")
    assert ANY.choose(unnamed, 1, {0: Transport(interleaved=(2, 3))}) == (Transport(interleaved=(4, 5)),)
    assert ANY.choose(swapped, 0, {0: Transport(interleaved=(2, 3))}) == (Transport(interleaved=(3, 2)),)


def test_tracks_are_found_below_an_address_with_a_query() -> None:
    channel = Presentation("/cam?channel=1", b"", ("trackID=1",))
    assert channel.find_track("rtsp://c/cam?channel=1") == WHOLE
    assert channel.find_track("rtsp://c/cam?channel=1/trackID=1") == 0
    assert channel.find_track("rtsp://c/cam?channel=2/trackID=1") is None
    assert channel.base_of("rtsp://c/cam?channel=1/trackID=1") == "rtsp://c/cam?channel=1"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([], 400),
        ([("CSeq", "9" * 11)], 400),
        ([("CSeq", "-1")], 400),
        ([("CSeq", "one")], 400),
        ([("CSeq", "1"), ("Require", "onvif-replay")], 551),
        ([("CSeq", "1"), ("Accept", "text/html, image/png")], 406),
        ([("CSeq", "1"), ("Accept", "application/rtsl, application/sdp;level=2")], None),
        ([("CSeq", "1"), ("Accept", "*/*")], None),
    ],
)
def test_requests_that_no_method_may_read_are_refused(fields: list[tuple[str, str]], status: int | None) -> None:
    refusal = find_violation(Request("DESCRIBE", "rtsp://centre/live", Headers(fields)))
    assert (refusal.status if refusal is not None else None) == status


def test_address_that_is_very_long_is_refused() -> None:
    refusal = find_violation(Request("DESCRIBE", "rtsp://centre/" + "a" * 4_000, Headers([("CSeq", "1")])))
    assert refusal is not None
    assert refusal.status == 400
