"""A centre takes, counts and plays back streams."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import av
import pytest

from simulator import CameraConfig, CentreConfig, Simulator
from simulator.cameras.camera import Camera
from simulator.centres.centre import Centre
from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.net.errors import PeerError, StatusError
from vonggac.net.url import Credentials
from vonggac.rtsp import RtspConnection
from vonggac.testing.media import MediaRecorder, relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


async def start(simulate: Simulate, camera: CameraConfig, **options: object) -> tuple[Camera, Centre]:
    centre = CentreConfig.model_validate({"id": "centre"} | options)
    sim = await simulate(cameras=[camera], centres=[centre])
    return sim.cameras["cam"], sim.centres["centre"]


async def test_what_is_published_is_counted_without_loss(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera(audio="pcma"))
    async with relay(camera.url(), centre.stream_url("a/b"), tracks=("video", "audio")):
        stream = await centre.wait_for("a/b", lambda seen: seen.packets > 100)
    assert stream.live
    assert stream.lost == 0
    assert stream.current is not None
    assert stream.current.first_packet_is_keyframe is True
    assert [(track.media, track.codec) for track in stream.current.tracks] == [("video", "H264"), ("audio", "PCMA")]
    assert all(track.packets and not track.lost for track in stream.current.tracks)
    ended = await centre.wait_for("a/b", lambda seen: not seen.live)
    assert ended.history[-1].ended_at is not None
    assert ended.packets >= stream.packets


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_viewer_gets_the_same_pictures_from_the_last_keyframe_on(
    simulate: Simulate, make_camera: MakeCamera, codec: str
) -> None:
    camera, centre = await start(simulate, make_camera(codec=codec))
    async with relay(camera.url(), centre.stream_url("key")):
        await centre.wait_for("key", lambda seen: seen.packets > 5)
        source = await MediaRecorder.play(camera.url())
        viewer = await MediaRecorder.play(centre.stream_url("key"))
        await viewer.until(lambda seen: len(seen.units) > 20)
        await source.until(lambda seen: len(seen.units) > 25)
        assert viewer.units[0].keyframe
        assert centre.streams["key"].viewers == 1
        kind = VideoCodec.H264 if codec == "h264" else VideoCodec.H265
        sent = {keyframe_hash(kind, unit.nals) for unit in source.units if unit.keyframe}
        seen = [keyframe_hash(kind, unit.nals) for unit in viewer.units if unit.keyframe]
        assert sent & set(seen)
        assert len(set(seen)) == len(seen)
        await viewer.close()
        await source.close()
    assert centre.streams["key"].viewers == 0


async def test_a_viewer_may_take_one_track_of_two(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera(audio="pcmu"))
    async with relay(camera.url(), centre.stream_url("key"), tracks=("video", "audio")):
        await centre.wait_for("key", lambda seen: seen.packets > 10)
        viewer = await MediaRecorder.play(centre.stream_url("key"), tracks=("audio",))
        await viewer.until(lambda seen: len(seen.packets[1]) > 20)
        assert set(viewer.packets) == {1}
        await viewer.close()


async def test_viewers_learn_when_the_publisher_goes(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera())
    async with relay(camera.url(), centre.stream_url("key")):
        await centre.wait_for("key", lambda seen: seen.packets > 5)
        viewer = await MediaRecorder.play(centre.stream_url("key"))
    await viewer.until(lambda seen: seen.lost)
    with pytest.raises(PeerError) as failed:
        await MediaRecorder.play(centre.stream_url("key"))
    assert failed.value.cause is Cause.NOT_FOUND


@pytest.mark.parametrize("status", [406, 455])
async def test_a_second_publisher_is_refused(simulate: Simulate, make_camera: MakeCamera, status: int) -> None:
    camera, centre = await start(simulate, make_camera(), second_publisher_status=status)
    async with relay(camera.url(), centre.stream_url("key")):
        with pytest.raises(StatusError) as failed:
            async with relay(camera.url(), centre.stream_url("key")):
                pass
        assert failed.value.status == status
        assert centre.streams["key"].sessions == 1


async def test_sessions_and_the_gaps_between_them_are_kept(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera())
    for session in (1, 2, 3):
        async with relay(camera.url(), centre.stream_url("key")):
            await centre.wait_for("key", lambda seen: seen.current is not None and seen.current.packets > 5)
        ended = await centre.wait_for("key", lambda seen: not seen.live)
        assert ended.sessions == session
    stream = centre.streams["key"]
    assert [session.first_packet_is_keyframe for session in stream.history] == [True, True, True]
    assert len(stream.gaps_s) == 2
    assert all(gap > 0 for gap in stream.gaps_s)
    centre.reset_statistics()
    assert centre.streams == {}


async def test_reset_counts_the_current_session_from_zero(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera())
    async with relay(camera.url(), centre.stream_url("key")):
        before = await centre.wait_for("key", lambda seen: seen.packets > 50)
        centre.reset_statistics()
        after = centre.streams["key"]
        assert after.packets < before.packets
        assert after.sessions == 1
        await centre.wait_for("key", lambda seen: seen.packets > 20 and seen.lost == 0)


async def test_lost_packets_and_a_new_source_are_seen(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera, centre = await start(simulate, make_camera())
    player = await MediaRecorder.play(camera.url())
    await player.until(lambda seen: len(seen.packets[0]) > 30)
    sent = player.packets[0][:30]
    async with relay(camera.url(), centre.stream_url("key")) as publisher:
        await centre.wait_for("key", lambda seen: seen.packets > 0)
        await camera.set_fault("stall")
        await asyncio.sleep(0.1)
        centre.reset_statistics()
        for number, packet in enumerate(sent):
            if number in (10, 11, 20):
                continue
            publisher.connection.write_media(b"$\x00" + len(packet).to_bytes(2) + _with_ssrc(packet, 99))
        stream = await centre.wait_for("key", lambda seen: seen.packets == 27)
    assert stream.lost == 3
    assert stream.ssrc_changes == 1
    player.player.abort()


@pytest.mark.parametrize("auth", ["basic", "digest", "digest-sha256"])
async def test_a_centre_asks_for_its_own_login(simulate: Simulate, make_camera: MakeCamera, auth: str) -> None:
    camera, centre = await start(simulate, make_camera(), auth=auth, username="ward 5", password="p@ss/word")
    async with relay(camera.url(), centre.stream_url("key", with_credentials=True)):
        await centre.wait_for("key", lambda seen: seen.packets > 5)
    with pytest.raises(PeerError) as failed:
        async with relay(camera.url(), centre.stream_url("key")):
            pass
    assert failed.value.cause is Cause.AUTH_FAILED
    assert centre.logins_failed == 0


async def test_a_wrong_login_is_counted(simulate: Simulate) -> None:
    centre_config = CentreConfig.model_validate({"id": "c", "auth": "digest", "username": "u", "password": "right"})
    centre = (await simulate(centres=[centre_config])).centres["c"]
    connection = await RtspConnection.open(centre.host, centre.port, timeout_s=1, credentials=Credentials("u", "wrong"))
    response = await connection.request("DESCRIBE", centre.stream_url("key"), timeout_s=1)
    assert response.status == 401
    assert centre.logins_failed == 1
    connection.abort()


async def test_methods_out_of_order_get_an_answer(simulate: Simulate) -> None:
    centre = (await simulate(centres=[CentreConfig(id="c")])).centres["c"]
    connection = await RtspConnection.open(centre.host, centre.port, timeout_s=1)
    url = centre.stream_url("key")

    async def status(method: str, *headers: tuple[str, str], body: bytes = b"") -> int:
        return (await connection.request(method, url, headers, body, timeout_s=1)).status

    assert await status("RECORD") == 454
    assert await status("PLAY") == 454
    assert await status("DESCRIBE") == 404
    assert await status("SETUP", ("Transport", "RTP/AVP/TCP;interleaved=0-1")) == 404
    assert await status("ANNOUNCE", ("Content-Type", "text/plain"), body=b"v=0") == 415
    assert await status("ANNOUNCE", ("Content-Type", "application/sdp"), body=b"nonsense") == 400
    assert await status("TEARDOWN", ("Session", "other")) == 454
    assert await status("NONSENSE") == 501
    connection.abort()


async def test_ffmpeg_publishes_and_plays_back_moving_pictures(
    simulate: Simulate, make_camera: MakeCamera, tmp_path: Path
) -> None:
    camera, centre = await start(simulate, make_camera(audio="aac"), auth="digest", username="u", password="p")
    destination = centre.stream_url("key", with_credentials=True)
    stop = threading.Event()
    publishing = asyncio.create_task(asyncio.to_thread(publish_with_ffmpeg, camera.url(), destination, stop))
    try:
        stream = await centre.wait_for("key", lambda seen: seen.packets > 20)
        names, pictures = await asyncio.to_thread(decode, destination, 15)
    finally:
        stop.set()
        await publishing
    assert names == {"h264", "aac"}
    assert len(pictures) == 15
    assert len(set(pictures)) > 10
    assert stream.lost == 0


def publish_with_ffmpeg(source: str, destination: str, stop: threading.Event) -> None:
    with (
        av.open(source, options={"rtsp_transport": "tcp"}, timeout=10) as camera,
        av.open(destination, "w", format="rtsp", options={"rtsp_transport": "tcp"}) as output,
    ):
        targets = {stream.index: output.add_stream_from_template(stream) for stream in camera.streams}
        for packet in camera.demux():
            if stop.is_set():
                return
            if packet.dts is not None:
                packet.stream = targets[packet.stream.index]
                output.mux(packet)


def decode(url: str, count: int) -> tuple[set[str], list[bytes]]:
    pictures: list[bytes] = []
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
        names = {stream.codec_context.name for stream in container.streams}
        for frame in container.decode(video=0):
            pictures.append(frame.to_ndarray(format="gray8").tobytes())
            if len(pictures) == count:
                break
    return names, pictures


def _with_ssrc(packet: bytes, ssrc: int) -> bytes:
    return packet[:8] + ssrc.to_bytes(4) + packet[12:]
