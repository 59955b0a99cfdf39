import asyncio
import gc
import socket
from pathlib import Path
from typing import Any

import pytest
import uvloop

from vonggac.events.causes import Cause
from vonggac.media.rtcp import ReceiverReport, SenderReport, build_sender_report, parse_rtcp
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Player, Request, Response, UdpOptions
from vonggac.rtsp.client.udp import bind_pair
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.testing import eventually
from vonggac.testing.media import play as play_at
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply
from vonggac.testing.udp import Taken, UdpCamera, packet


async def play(peer: ScriptedPeer, **more: Any) -> Player:
    return await play_at(RtspUrl.parse(f"rtsp://127.0.0.1:{peer.port}/live"), **{"transport": "udp", **more})


async def test_media_over_udp_is_handed_over_as_interleaved_frames(camera: UdpCamera, peer: ScriptedPeer) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken)
    assert player.transport == "udp"
    assert camera.client[0] % 2 == 0
    assert camera.client[1] == camera.client[0] + 1
    camera.send(1, 2, 3)
    await taken.count(3)
    report = build_sender_report(SenderReport(7, 1 << 40, 0, 3, 30))
    camera.report(report)
    await taken.count(4)
    assert taken.frames == [(0, packet(1)), (0, packet(2)), (0, packet(3)), (1, report)]
    assert player.connection.bytes_received > sum(len(data) + 4 for _, data in taken.frames)
    await player.close()
    assert peer.methods == ["DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]


async def test_packets_out_of_order_are_put_in_order_and_lost_ones_are_not_waited_for_long(
    camera: UdpCamera, peer: ScriptedPeer
) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken)
    camera.send(1, 3, 2, 5, 6)
    await taken.count(5)
    assert taken.packets == [packet(number) for number in (1, 2, 3, 5, 6)]
    camera.send(4)
    camera.send(7)
    await taken.count(6)
    assert taken.packets[-1] == packet(7)
    stats = player.reception
    assert stats is not None
    assert (stats.packets, stats.lost, stats.reordered, stats.late) == (7, 0, 2, 1)
    await player.close()


async def test_a_new_sender_is_followed_at_once(camera: UdpCamera, peer: ScriptedPeer) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken)
    camera.send(10, 12)
    camera.send(500, 501, ssrc=8)
    await taken.count(4)
    assert taken.packets == [packet(10), packet(12), packet(500, 8), packet(501, 8)]
    assert player.reception is not None
    assert (player.reception.packets, player.reception.lost) == (4, 1)
    await player.close()


async def test_datagrams_of_strangers_and_junk_are_not_handed_over(camera: UdpCamera, peer: ScriptedPeer) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(packet(1), ("127.0.0.1", camera.client[0]))
    for junk in (b"", b"\x80", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 40):
        camera.rtp.sendto(junk, ("127.0.0.1", camera.client[0]))
        camera.report(junk)
    camera.send(1)
    await taken.count(1)
    assert player.reception is not None
    await eventually(lambda: player.reception is not None and player.reception.malformed >= 7)
    assert player.reception.foreign == 1
    assert taken.packets == [packet(1)]
    await player.close()


async def test_reports_on_the_media_port_go_to_the_report_channel(camera: UdpCamera, peer: ScriptedPeer) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken)
    report = build_sender_report(SenderReport(7, 1, 2, 3, 4))
    camera.rtp.sendto(report, ("127.0.0.1", camera.client[0]))
    await taken.count(1)
    assert taken.frames == [(1, report)]
    await player.close()


async def test_our_firewall_is_opened_before_play(camera: UdpCamera, peer: ScriptedPeer) -> None:
    player = await play(peer)
    assert (await camera.hears(camera.rtp))[:1] == b"\x80"
    (report,) = parse_rtcp(await camera.hears(camera.rtcp))
    assert isinstance(report, ReceiverReport)
    assert report.blocks == ()
    await player.close()


async def test_the_camera_gets_receiver_reports(camera: UdpCamera, peer: ScriptedPeer) -> None:
    taken = Taken()
    player = await play(peer, on_media=taken, report_interval_s=0.2, udp=UdpOptions(hole_punching=False))
    camera.send(65534, 65535, 0, 2)
    camera.report(build_sender_report(SenderReport(7, 0x1234_5678_9ABC_DEF0, 0, 3, 30)))
    await taken.count(5)
    (report,) = parse_rtcp(await camera.hears(camera.rtcp))
    assert isinstance(report, ReceiverReport)
    (block,) = report.blocks
    assert (block.ssrc, block.cumulative_lost, block.highest_sequence, block.last_sr) == (7, 1, 0x10002, 0x56789ABC)
    assert block.fraction_lost == 51
    assert 0 < block.delay_since_last_sr < 65536
    (report,) = parse_rtcp(await camera.hears(camera.rtcp))
    assert isinstance(report, ReceiverReport)
    assert report.blocks[0].fraction_lost == 0
    await player.close()


async def test_another_source_that_the_camera_names_is_taken_when_it_is_allowed(camera: UdpCamera) -> None:
    def elsewhere(request: Request) -> Response | bytes | None:
        answer = UdpCamera.__call__(camera, request)
        if request.method == "SETUP" and isinstance(answer, Response):
            answer.headers.set("Transport", f"{answer.headers.get('Transport')};source=127.0.0.3")
        return answer

    for allowed, expected in ((None, 1), (AllowedNetworks.parse(["127.0.0.1/32"]), 0)):
        taken = Taken()
        async with ScriptedPeer(elsewhere) as peer:
            player = await play(peer, on_media=taken, allowed=allowed)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.bind(("127.0.0.3", 0))
                other.sendto(packet(1), ("127.0.0.1", camera.client[0]))
            camera.send(2)
            await taken.count(expected + 1)
            assert len(taken.packets) == expected + 1
            await player.close()


async def test_nothing_is_sent_to_a_port_where_no_device_may_be(camera: UdpCamera) -> None:
    """A camera may name any port of its own address, the platform's too where it shares one."""
    port = camera.rtp.getsockname()[1]
    allowed = AllowedNetworks.parse(["127.0.0.0/8"], [f"127.0.0.0/8:{port}"])
    taken = Taken()
    async with ScriptedPeer(camera) as peer:
        player = await play(peer, on_media=taken, allowed=allowed)
        camera.send(1)
        await taken.count(1)
        with pytest.raises(BlockingIOError):
            camera.rtcp.recv(100)
        with pytest.raises(BlockingIOError):
            camera.rtp.recv(100)
        await player.close()


@pytest.mark.parametrize("transport", ["tcp", "udp", "auto"])
async def test_a_group_that_a_camera_offers_is_not_joined(transport: str) -> None:
    """By SETUP, and in its description."""
    group = "RTP/AVP;multicast;destination=239.255.77.7;port=5000-5001;ttl=16"
    description = CAMERA_SDP.replace(b"t=0 0", b"c=IN IP4 239.255.77.7/16\r\nt=0 0")

    def describe(request: Request) -> Response:
        return reply(headers=[("Content-Base", f"{request.uri}/")], body=description)

    camera = ScriptedCamera(DESCRIBE=describe, SETUP=reply(headers=[("Transport", group), ("Session", "1")]))
    async with ScriptedPeer(camera) as peer:
        with pytest.raises(PeerError, match="multicast") as caught:
            await play(peer, transport=transport)
    assert caught.value.cause is Cause.TRANSPORT_UNSUPPORTED
    assert "PLAY" not in peer.methods


async def test_a_second_track_has_its_own_ports_and_channels(peer: ScriptedPeer) -> None:
    player = await play(peer, tracks=("video", "audio"))
    ports = [
        parse_transports(request.headers.get("Transport") or "")[0].client_port
        for request in peer.requests
        if request.method == "SETUP"
    ]
    assert len(set(ports)) == 2
    assert [(track.rtp_channel, track.rtcp_channel) for track in player.tracks] == [(0, 1), (2, 3)]
    await player.close()


async def test_only_the_allowed_ports_are_used(camera: UdpCamera, peer: ScriptedPeer) -> None:
    first, second = bind_pair("127.0.0.1", None)
    port = first.getsockname()[1]
    first.close()
    second.close()
    player = await play(peer, udp=UdpOptions(ports=range(port, port + 2)))
    assert camera.client == (port, port + 1)
    with pytest.raises(PeerError, match="no free pair") as caught:
        await play(peer, udp=UdpOptions(ports=range(port, port + 2)))
    assert caught.value.cause is Cause.INTERNAL_ERROR
    await player.close()


def test_a_wrong_range_of_ports_is_refused() -> None:
    for wrong in (range(80, 90), range(65000, 70000), range(0)):
        with pytest.raises(ValueError, match="1024 to 65535"):
            UdpOptions(ports=wrong)


async def test_a_callback_that_raises_ends_the_session(camera: UdpCamera, peer: ScriptedPeer) -> None:
    reported: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(repr(context.get("exception"))))
    lost: list[PeerError | None] = []

    def broken(_: MediaBatch) -> None:
        raise KeyError("bug")

    player = await play(peer, on_media=broken, on_lost=lost.append)
    camera.send(1)
    await eventually(lambda: len(lost) == 1)
    assert lost[0] is not None
    assert lost[0].cause is Cause.INTERNAL_ERROR
    assert reported == ["KeyError('bug')"]
    await player.close()


@pytest.mark.parametrize("end", ["close", "abort", "lost", "refused", "cancelled"])
async def test_nothing_stays_open_however_a_session_ends(end: str, camera: UdpCamera) -> None:
    answer = camera if end not in ("refused", "cancelled") else _without_play(camera, silent=end == "cancelled")
    async with ScriptedPeer(answer) as peer:
        gc.collect()
        before = _descriptors()
        if end == "cancelled":
            opening = asyncio.create_task(play(peer))
            await peer.until(lambda: "PLAY" in peer.methods)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        elif end == "refused":
            with pytest.raises(PeerError):
                await play(peer)
        else:
            player = await play(peer)
            if end == "lost":
                peer.writer.close()
                await player.connection.wait_closed()
            elif end == "abort":
                player.abort()
            else:
                await player.close()
        await peer.until(lambda: peer.writer.is_closing())
        await eventually(lambda: _descriptors() <= before)


def _without_play(camera: UdpCamera, *, silent: bool) -> ScriptedCamera:
    made = ScriptedCamera(PLAY=None if silent else reply(455, reason="No"), SETUP=camera)
    made.session = camera.session
    return made


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_the_same_holds_on_uvloop() -> None:
    async def run() -> None:
        camera = UdpCamera()
        taken = Taken()
        async with ScriptedPeer(camera) as peer:
            player = await play(peer, on_media=taken)
            camera.send(1, 3, 2)
            await taken.count(3)
            await player.close()
        camera.close()
        assert taken.packets == [packet(1), packet(2), packet(3)]

    uvloop.run(run())


async def test_a_strangers_flood_is_none_of_the_cameras(
    camera: UdpCamera, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.rtsp.wire.rates.FRAMES_AT_ONCE", 20)
    monkeypatch.setattr("vonggac.rtsp.wire.rates.FRAMES_PER_S", 0)
    taken, lost = Taken(), list[PeerError | None]()
    player = await play(peer, on_media=taken, on_lost=lost.append)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        for _ in range(60):
            stranger.sendto(packet(1), ("127.0.0.1", camera.client[0]))
    await eventually(lambda: player.reception is not None and player.reception.foreign == 60)
    camera.send(1)
    await taken.count(1)
    assert lost == []
    # What comes from the camera itself counts.
    for _ in range(60):
        camera.rtp.sendto(b"junk", ("127.0.0.1", camera.client[0]))
    await eventually(lambda: bool(lost))
    assert lost[0] is not None
    assert lost[0].cause is Cause.FLOOD
