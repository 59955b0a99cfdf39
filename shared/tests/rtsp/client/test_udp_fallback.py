import asyncio
from typing import Any

import pytest

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.url import RtspUrl
from vonggac.rtsp import Player, Request, Response, Step, UdpOptions
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply, with_cseq
from vonggac.testing.udp import Taken, UdpCamera, packet


async def play(peer: ScriptedPeer, **more: Any) -> Player:
    return await play_at(RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live"), **{"transport": "udp", **more})


async def test_auto_falls_back_to_udp_when_the_camera_does_not_know_tcp(camera: UdpCamera) -> None:
    def udp_only(request: Request) -> Response | bytes | None:
        if request.method == "SETUP" and "interleaved" in (request.headers.get("Transport") or ""):
            return reply(461, reason="Unsupported Transport")
        return camera(request)

    steps: list[Step] = []
    async with ScriptedPeer(udp_only) as peer:
        player = await play(peer, transport="auto", steps=steps)
        assert player.transport == "udp"
        assert [step.name for step in steps].count("setup") == 2
        await player.close()
        with pytest.raises(PeerError) as caught:
            await play(peer, transport="tcp")
        assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED


async def test_auto_does_not_try_again_for_another_reason() -> None:
    async with ScriptedPeer(ScriptedCamera(SETUP=reply(453, reason="Not Enough Bandwidth"))) as peer:
        for transport in ("auto", "udp_then_tcp"):
            with pytest.raises(PeerError) as caught:
                await play(peer, transport=transport)
            assert caught.value.cause is Cause.SESSION_LIMIT
        assert peer.connections == 2


@pytest.mark.parametrize("status", [461, 400, 406])
async def test_udp_that_is_refused_falls_back_to_tcp(status: int) -> None:
    def tcp_only(request: Request) -> Response | bytes | None:
        if request.method == "SETUP" and "client_port" in (request.headers.get("Transport") or ""):
            return reply(status, reason="No")
        return ScriptedCamera()(request)

    async with ScriptedPeer(tcp_only) as peer:
        player = await play(peer, transport="udp_then_tcp")
        assert player.transport == "tcp"
        assert player.reception is None
        await player.close()


async def test_tcp_as_the_answer_to_udp_gives_the_session_back_and_falls_back() -> None:
    answer = reply(headers=[("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"), ("Session", "42")])
    async with ScriptedPeer(ScriptedCamera(SETUP=answer)) as peer:
        with pytest.raises(PeerError) as caught:
            await play(peer)
        assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED
        player = await play(peer, transport="udp_then_tcp")
        assert peer.methods[3:] == ["DESCRIBE", "SETUP", "TEARDOWN", "DESCRIBE", "SETUP", "PLAY"]
        await player.close()


async def test_udp_without_media_falls_back_to_tcp_in_a_new_session(camera: UdpCamera, peer: ScriptedPeer) -> None:
    lost: list[PeerError | None] = []
    channels: list[int] = []
    player = await play(
        peer,
        transport="udp_then_tcp",
        udp=UdpOptions(first_media_s=0.1),
        on_lost=lost.append,
        on_tracks=lambda tracks: channels.append(tracks[0].rtp_channel),
    )
    assert player.transport == "tcp"
    assert peer.methods == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN", "DESCRIBE", "SETUP", "PLAY"]
    assert channels == [0, 0]
    assert lost == []
    await player.close()
    assert lost == [None]


async def test_udp_with_media_stays(camera: UdpCamera, peer: ScriptedPeer) -> None:
    def playing(request: Request) -> Response | bytes | None:
        if request.method == "PLAY":
            camera.send(1)
            return with_cseq(request)
        return camera(request)

    peer.answer = playing
    taken = Taken()
    player = await play(peer, transport="udp_then_tcp", on_media=taken, udp=UdpOptions(first_media_s=5))
    assert player.transport == "udp"
    assert taken.packets == [packet(1)]
    await player.close()


async def test_a_camera_that_leaves_while_udp_is_waited_for_is_lost_with_its_cause(
    camera: UdpCamera, peer: ScriptedPeer
) -> None:
    opening = asyncio.create_task(play(peer, transport="udp_then_tcp", udp=UdpOptions(first_media_s=5)))
    await peer.until(lambda: "PLAY" in peer.methods)
    peer.writer.close()
    with pytest.raises(PeerError) as caught:
        await opening
    assert caught.value.cause is Cause.ENDED
