from typing import Any

import pytest

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.errors import PeerError
from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Player, Request
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply, with_cseq


async def play(peer: ScriptedPeer, **more: Any) -> Player:
    url = RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live?channel=1")
    return await play_at(url, **more)


async def test_media_before_and_behind_the_answer_to_play_is_handed_over() -> None:
    early, late = interleave(0, b"early"), interleave(0, b"late")
    seen: list[tuple[str, object]] = []
    camera = ScriptedCamera(PLAY=lambda request: with_cseq(request, early, late))
    async with ScriptedPeer(camera) as peer:

        def on_media(batch: MediaBatch) -> None:
            seen.append(("media", batch.data))

        player = await play(peer, on_media=on_media, on_tracks=lambda tracks: seen.append(("tracks", len(tracks))))
        await player.close()
    assert seen == [("tracks", 1), ("media", early), ("media", late)]
    assert player.connection.bytes_received > len(early + late)


async def test_media_before_the_tracks_are_known_is_not_handed_over() -> None:
    early = interleave(0, b"early")
    seen: list[str] = []

    def eager(request: Request) -> bytes:
        transport = request.headers.get("Transport") or ""
        head = f"RTSP/1.0 200 OK\r\nCSeq: {request.cseq}\r\nSession: 1\r\nTransport: {transport}\r\n\r\n"
        return early + head.encode() + early

    async with ScriptedPeer(ScriptedCamera(SETUP=eager, PLAY=lambda request: with_cseq(request, early))) as peer:
        player = await play(
            peer,
            tracks=("video", "audio"),
            on_media=lambda _: seen.append("media"),
            on_tracks=lambda _: seen.append("tracks"),
        )
        await player.close()
    assert seen == ["tracks", "media"]


async def test_answers_in_lower_case_without_cr_cseq_and_reason_are_understood() -> None:
    def rough(request: Request) -> bytes:
        head = "RTSP/1.0 200\nsession:  42;Timeout = 20\n"
        body = b""
        if request.method == "SETUP":
            head += f"transport: {(request.headers.get('Transport') or '').lower()}\n"
        if request.method == "DESCRIBE":
            body = CAMERA_SDP.replace(b"\r\n", b"\n")
            head += f"content-type: application/sdp\ncontent-length: {len(body)}\n"
        return f"{head}\n".encode() + body

    async with ScriptedPeer(rough) as peer:
        player = await play(peer)
        assert (player.session_id, player.timeout_s, player.tracks[0].rtp_channel) == ("42", 20.0, 0)
        await player.close()


@pytest.mark.parametrize(
    ("base", "session_control", "control", "expected"),
    [
        ("rtsp://192.168.1.64:554/ch/", "*", "trackID=1", ["/ch/trackID=1", "/ch/"]),
        ("rtsp://192.168.1.64/ch/", "*", "rtsp://192.168.1.64/ch/trackID=1", ["/ch/trackID=1", "/ch/"]),
        (None, "rtsp://192.168.1.64/all", "trackID=1", ["/all/trackID=1", "/all"]),
        (None, None, "/track1", ["/track1", "/live?channel=1"]),
        ("rtsp://10.0.0.1/my camera/", "*", "cổng 1", ["/my%20camera/c%E1%BB%95ng%201", "/my%20camera/"]),
        (None, None, "*", ["/live?channel=1", "/live?channel=1"]),
        (None, None, None, ["/live?channel=1", "/live?channel=1"]),
        ("/relative/", None, "t", ["/live?channel=1/t", "/live?channel=1"]),
    ],
)
async def test_a_camera_behind_nat_is_asked_at_the_address_that_reaches_it(
    base: str | None, session_control: str | None, control: str | None, expected: list[str]
) -> None:
    session = f"a=control:{session_control}\n" if session_control else ""
    medium = f"a=control:{control}\n" if control else ""
    body = f"v=0\n{session}m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n{medium}".encode()
    headers = [("Content-Base", base)] if base else []
    async with ScriptedPeer(ScriptedCamera(DESCRIBE=lambda _: reply(headers=headers, body=body))) as peer:
        player = await play(peer)
        host = f"rtsp://127.0.0.1:{peer.port}"
        assert [request.uri for request in peer.requests[1:]] == [host + path for path in expected]
        await player.close()


async def test_pictures_out_of_decoding_order_are_refused_before_setup() -> None:
    body = b"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H265/90000\na=fmtp:96 sprop-max-don-diff=1\n"
    async with ScriptedPeer(ScriptedCamera(DESCRIBE=reply(body=body))) as peer:
        with pytest.raises(PeerError, match="sprop-max-don-diff") as caught:
            await play(peer)
        assert caught.value.cause is Cause.CODEC_UNSUPPORTED
        assert peer.methods == ["DESCRIBE"]
