import asyncio
import re
from typing import Any

import pytest

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.http_auth import new_challenge
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import (
    Player,
    Publisher,
    Request,
    Response,
    Route,
    Step,
    Track,
    open_player,
    open_publisher,
    parse_sdp,
)
from vonggac.rtsp.wire.tracks import plan_tracks
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply, with_cseq


def url_of(peer: ScriptedPeer) -> RtspUrl:
    return RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live?channel=1")


async def play(peer: ScriptedPeer, **more: Any) -> Player:
    return await play_at(url_of(peer), **more)


def source_tracks() -> tuple[Track, ...]:
    return plan_tracks(parse_sdp(CAMERA_SDP), ("video", "audio"), "rtsp://camera/")


async def publish(peer: ScriptedPeer, **more: Any) -> Publisher:
    return await open_publisher(
        Route(url_of(peer)), parse_sdp(CAMERA_SDP), source_tracks(), **{"deadline_s": 5, **more}
    )


async def test_a_player_sets_up_the_video_and_plays() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer)
        base = f"rtsp://127.0.0.1:{peer.port}/live?channel=1/"
        assert [(request.method, request.uri) for request in peer.requests] == [
            ("DESCRIBE", base[:-1]), ("SETUP", f"{base}trackID=1"), ("PLAY", base),
        ]  # fmt: skip
        assert peer.requests[1].headers.get("Transport") == "RTP/AVP/TCP;unicast;interleaved=0-1"
        assert peer.requests[2].headers.get("Session") == "42"
        (track,) = player.tracks
        assert (track.kind, track.codec, track.clock_rate, track.payload_type) == ("video", "H264", 90000, 96)
        assert (player.session_id, player.timeout_s, player.keepalive_interval_s) == ("42", 60.0, 30.0)
        assert [step.name for step in player.steps] == ["dns", "connect", "describe", "setup", "play"]
        assert all(step.ms >= 0 for step in player.steps)
        await player.close()
        assert peer.methods[-1] == "TEARDOWN"


async def test_sound_is_set_up_when_asked_for() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer, tracks=("video", "audio"))
        assert [(track.kind, track.rtp_channel, track.rtcp_channel) for track in player.tracks] == [
            ("video", 0, 1), ("audio", 2, 3),
        ]  # fmt: skip
        await player.close()


async def test_other_channel_numbers_of_the_server_are_taken() -> None:
    answer = reply(headers=[("Transport", "RTP/AVP/TCP;unicast;interleaved=6-7"), ("Session", "1")])
    async with ScriptedPeer(ScriptedCamera(SETUP=answer)) as peer:
        player = await play(peer)
        assert (player.tracks[0].rtp_channel, player.tracks[0].rtcp_channel) == (6, 7)
        await player.close()


async def test_a_channel_number_given_twice_is_refused() -> None:
    answer = reply(headers=[("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"), ("Session", "1")])
    async with ScriptedPeer(ScriptedCamera(SETUP=lambda _: answer)) as peer:
        with pytest.raises(PeerError, match="in use") as caught:
            await play(peer, tracks=("video", "audio"))
        assert caught.value.cause is Cause.PROTOCOL_ERROR


async def test_a_camera_that_goes_away_is_reported_with_its_cause_once() -> None:
    lost: list[PeerError | None] = []
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer, on_lost=lost.append)
        peer.writer.close()
        await player.connection.wait_closed()
        await player.close()
        assert [error.cause if error else None for error in lost] == [Cause.ENDED]


async def test_our_own_close_is_reported_without_a_cause() -> None:
    lost: list[PeerError | None] = []
    async with ScriptedPeer(ScriptedCamera()) as peer:
        player = await play(peer, on_lost=lost.append)
        await player.close()
        await player.close()
        player.abort()
    assert lost == [None]
    assert peer.methods.count("TEARDOWN") == 1


async def test_close_is_bounded_when_teardown_is_not_answered() -> None:
    async with ScriptedPeer(ScriptedCamera(TEARDOWN=None)) as peer:
        player = await play(peer)
        async with asyncio.timeout(5):
            await player.close(timeout_s=0.05)


@pytest.mark.parametrize(
    ("method", "status", "cause"),
    [
        ("DESCRIBE", 404, Cause.NOT_FOUND),
        ("DESCRIBE", 403, Cause.AUTH_FAILED),
        ("DESCRIBE", 302, Cause.REQUEST_REFUSED),
        ("DESCRIBE", 415, Cause.NO_TRACK),
        ("SETUP", 461, Cause.TRANSPORT_UNSUPPORTED),
        ("SETUP", 500, Cause.SESSION_LIMIT),
        ("PLAY", 453, Cause.SESSION_LIMIT),
        ("PLAY", 455, Cause.REQUEST_REFUSED),
    ],
)
async def test_a_refusal_has_its_cause_and_names_step_and_code(method: str, status: int, cause: Cause) -> None:
    lost: list[PeerError | None] = []
    steps: list[Step] = []
    async with ScriptedPeer(ScriptedCamera(**{method: reply(status, reason="No")})) as peer:
        with pytest.raises(PeerError, match=f"{method} was answered {status}") as caught:
            await play(peer, on_lost=lost.append, steps=steps)
        assert caught.value.cause is cause
        assert steps[-1].name == method.lower()
        assert lost == []


async def test_a_refused_play_gives_the_session_back() -> None:
    async with ScriptedPeer(ScriptedCamera(PLAY=reply(455, reason="No"))) as peer:
        with pytest.raises(PeerError):
            await play(peer)
        await peer.until(lambda: peer.methods[-1] == "TEARDOWN")
        assert peer.requests[-1].headers.get("Session") == "42"


async def test_udp_as_the_answer_to_tcp_is_refused() -> None:
    answer = reply(headers=[("Transport", "RTP/AVP;unicast;client_port=0-1"), ("Session", "1")])
    async with ScriptedPeer(ScriptedCamera(SETUP=answer)) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer)
        assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED


async def test_an_unknown_transport_is_refused_before_anything_is_sent() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer, transport="quic")
        assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED
        assert peer.connections == 0


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"v=0\r\ns=x\r\nm=audio 0 RTP/AVP 8\r\n", Cause.NO_TRACK),
        (b"v=0\r\ns=x\r\n", Cause.NO_TRACK),
        (b"", Cause.PROTOCOL_ERROR),
    ],
)
async def test_a_description_without_video_has_its_cause(body: bytes, cause: Cause) -> None:
    async with ScriptedPeer(ScriptedCamera(DESCRIBE=reply(body=body))) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer)
        assert caught.value.cause is cause


async def test_a_camera_that_encrypts_its_media_is_named_so() -> None:
    sdp = CAMERA_SDP.replace(b"RTP/AVP", b"RTP/SAVP")
    camera = ScriptedCamera(DESCRIBE=reply(body=sdp), SETUP=reply(461, reason="Unsupported transport"))
    async with ScriptedPeer(camera) as peer:
        with pytest.raises(PeerError, match="its media is encrypted") as caught:
            await play(peer)
        assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED


@pytest.mark.parametrize("method", ["DESCRIBE", "SETUP", "PLAY"])
async def test_one_deadline_holds_for_the_whole_handshake(method: str) -> None:
    steps: list[Step] = []
    loop = asyncio.get_running_loop()
    async with ScriptedPeer(ScriptedCamera(**{method: None})) as peer:
        began = loop.time()
        with pytest.raises(PeerError, match=f"no answer to {method}") as caught:
            await play(peer, deadline_s=0.2, steps=steps)
        assert caught.value.cause is Cause.TIMEOUT
        assert loop.time() - began < 2
        assert steps[-1].name == method.lower()
        assert 0 < sum(step.ms for step in steps) < 2000


@pytest.mark.parametrize("method", ["DESCRIBE", "PLAY"])
@pytest.mark.parametrize("gibberish", [b"\xa7\x03\xff" * 50, b"$"], ids=["junk", "one odd byte"])
async def test_a_deadline_that_passes_while_gibberish_comes_is_no_timeout(method: str, gibberish: bytes) -> None:
    async with ScriptedPeer(ScriptedCamera(**{method: gibberish})) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer, deadline_s=0.2)
        answered_before = method == "PLAY"
        expected = Cause.TIMEOUT if answered_before and gibberish == b"$" else Cause.PROTOCOL_ERROR
        assert caught.value.cause is expected


@pytest.mark.parametrize(
    "part", [b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nv=0"]
)
async def test_an_answer_that_begins_and_does_not_end_is_a_timeout_and_said_so(part: bytes) -> None:
    async with ScriptedPeer(ScriptedCamera(DESCRIBE=part)) as peer:
        with pytest.raises(PeerError, match="the answer to DESCRIBE began and was not whole in time") as caught:
            await play(peer, deadline_s=0.2)
        assert caught.value.cause is Cause.TIMEOUT


async def test_a_cancelled_handshake_leaves_no_connection() -> None:
    async with ScriptedPeer(ScriptedCamera(PLAY=None)) as peer:
        opening = asyncio.create_task(play(peer))
        await peer.until(lambda: "PLAY" in peer.methods)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await peer.until(lambda: peer.writer.is_closing())


async def test_a_wrong_password_is_sent_once_and_shown_nowhere() -> None:
    def refuse(_: Request) -> Response:
        return reply(401, [("WWW-Authenticate", new_challenge("camera").encode())], reason="Unauthorized")

    async with ScriptedPeer(refuse) as peer:
        url = RtspUrl.parse(f"rtsp://admin:S3cret@127.0.0.1:{peer.port}/live")
        with pytest.raises(PeerError) as caught:
            await open_player(Route(url), deadline_s=5, on_media=lambda _: None)
        assert caught.value.cause is Cause.AUTH_FAILED
        assert [("Authorization" in request.headers) for request in peer.requests] == [False, True]
        assert "S3cret" not in f"{caught.value!r} {caught.value}"
        assert not any("S3cret" in request.uri or "@" in request.uri for request in peer.requests)


async def test_given_credentials_go_before_those_of_the_url() -> None:
    def ask(request: Request) -> Response:
        if "Authorization" in request.headers:
            return reply(404, reason="Not Found")
        return reply(401, [("WWW-Authenticate", new_challenge("camera").encode())])

    async with ScriptedPeer(ask) as peer:
        url = RtspUrl.parse(f"rtsp://from-url:x@127.0.0.1:{peer.port}/live")
        with pytest.raises(PeerError):
            await open_player(Route(url, Credentials("given", "y")), deadline_s=5, on_media=lambda _: None)
        assert 'username="given"' in (peer.requests[1].headers.get("Authorization") or "")


async def test_a_dead_name_a_closed_port_and_a_forbidden_address_are_told_apart(unused_tcp_port: int) -> None:
    async def cause_of(host: str, allowed: AllowedNetworks | None = None) -> Cause:
        with pytest.raises(PeerError) as caught:
            await open_player(
                Route(RtspUrl(host, unused_tcp_port), allowed=allowed), deadline_s=20, on_media=lambda _: None
            )
        return caught.value.cause

    assert await cause_of("camera.invalid") is Cause.DNS
    assert await cause_of("127.0.0.1") is Cause.REFUSED
    assert await cause_of("127.0.0.1", AllowedNetworks.parse(["10.0.0.0/8"])) is Cause.ADDRESS_NOT_ALLOWED


async def test_a_publisher_announces_the_sources_tracks_and_records() -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        publisher = await publish(peer)
        url = f"rtsp://127.0.0.1:{peer.port}/live?channel=1"
        assert [(request.method, request.uri) for request in peer.requests] == [
            ("ANNOUNCE", url), ("SETUP", f"{url}/trackID=0"), ("SETUP", f"{url}/trackID=1"), ("RECORD", url),
        ]  # fmt: skip
        announced = parse_sdp(peer.requests[0].body)
        assert [(media.codec, media.control) for media in announced.media] == [
            ("H264", "trackID=0"), ("PCMA", "trackID=1"),
        ]  # fmt: skip
        assert announced.media[0].fmtp == {"packetization-mode": "1"}
        assert re.search("mode=record", peer.requests[1].headers.get("Transport") or "")
        assert publisher.verbatim
        frame = interleave(0, b"packet")
        publisher.connection.write_media(frame)
        await peer.until(lambda: len(peer.media) == 1)
        assert peer.media[0].data == frame
        assert [step.name for step in publisher.steps] == ["dns", "connect", "announce", "setup", "setup", "record"]
        await publisher.close()
        assert peer.methods[-1] == "TEARDOWN"


async def test_a_destination_with_its_own_channel_numbers_is_mapped() -> None:
    def other(request: Request) -> Response:
        (wanted,) = parse_transports(request.headers.get("Transport") or "")
        assert wanted.interleaved is not None
        first = 10 + wanted.interleaved[0]
        return reply(headers=[("Transport", f"RTP/AVP/TCP;unicast;interleaved={first}-{first + 1}"), ("Session", "1")])

    async with ScriptedPeer(ScriptedCamera(SETUP=other)) as peer:
        publisher = await publish(peer)
        assert not publisher.verbatim
        assert publisher.channel_map == {0: 10, 1: 11, 2: 12, 3: 13}
        await publisher.close()


async def test_a_publisher_hears_the_destinations_reports() -> None:
    report = interleave(1, b"receiver report")
    heard: list[bytes] = []
    camera = ScriptedCamera(RECORD=lambda request: with_cseq(request, after=report))
    async with ScriptedPeer(camera) as peer:
        publisher = await publish(peer, on_media=lambda batch: heard.append(batch.data))
        await publisher.close()
    assert heard == [report]


async def test_a_stream_that_is_taken_is_refused_with_its_code() -> None:
    async with ScriptedPeer(ScriptedCamera(ANNOUNCE=reply(406, reason="Not Acceptable"))) as peer:
        with pytest.raises(PeerError, match="ANNOUNCE was answered 406") as caught:
            await publish(peer)
        assert caught.value.cause is Cause.ALREADY_PUBLISHING
