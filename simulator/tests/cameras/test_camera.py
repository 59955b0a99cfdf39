"""A camera that is well: its protocol, its media, its limits."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import av
import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtcp import SenderReport, parse_rtcp
from vonggac.media.rtp import parse_rtp
from vonggac.media.sps import parse_sps
from vonggac.net.errors import PeerError
from vonggac.rtsp import Response, RtspConnection
from vonggac.rtsp.server.media_sender import MAX_WRITE_BUFFER_BYTES
from vonggac.rtsp.wire.transport import parse_transports
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


async def start(simulate: Simulate, config: CameraConfig) -> Camera:
    return (await simulate(cameras=[config])).cameras[config.id]


class Client:
    """Sends single requests, as they are."""

    def __init__(self, connection: RtspConnection, camera: Camera) -> None:
        self.connection = connection
        self._camera = camera

    @classmethod
    async def connect(cls, camera: Camera) -> "Client":
        return cls(await RtspConnection.open(camera.host, camera.port, timeout_s=1), camera)

    async def ask(self, method: str, target: str = "", **headers: str) -> Response:
        url = self._camera.url() + target
        return await self.connection.request(method, url, list(headers.items()), timeout_s=2)

    async def set_up(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Response:
        return await self.ask("SETUP", "/trackID=1", Transport=transport)


@pytest.fixture
async def client(simulate: Simulate, make_camera: MakeCamera) -> Client:
    return await Client.connect(await start(simulate, make_camera(max_sessions=1)))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("codec", "audio", "names"),
    [
        ("h264", "none", {"h264"}),
        ("h264", "pcma", {"h264", "pcm_alaw"}),
        ("h265", "pcmu", {"hevc", "pcm_mulaw"}),
        ("h264", "aac", {"h264", "aac"}),
    ],
)
async def test_ffmpeg_plays_it(
    simulate: Simulate, make_camera: MakeCamera, codec: str, audio: str, names: set[str], transport: str
) -> None:
    camera = await start(simulate, make_camera(codec=codec, audio=audio))
    played, size, moving = await asyncio.to_thread(decode, camera.url(), transport)
    assert played == names
    assert size == (320, 180)
    assert moving


def decode(url: str, transport: str) -> tuple[set[str], tuple[int, int], bool]:
    pictures: list[bytes] = []
    with av.open(url, options={"rtsp_transport": transport}, timeout=10) as container:
        names = {stream.codec_context.name for stream in container.streams}
        for frame in container.decode(video=0):
            pictures.append(frame.to_ndarray(format="gray8").tobytes())
            if len(pictures) == 12:
                break
        return names, (frame.width, frame.height), len(set(pictures)) == len(pictures)


@pytest.mark.parametrize("auth", ["basic", "digest", "digest-sha256"])
async def test_the_right_login_plays_and_a_wrong_one_is_counted(
    simulate: Simulate, make_camera: MakeCamera, auth: str
) -> None:
    camera = await start(simulate, make_camera(auth=auth, username="viewer", password="a:b@c/d"))
    recorder = await MediaRecorder.play(camera.url(with_credentials=True))
    await recorder.close()
    assert camera.logins_failed == 0
    wrong = camera.url().replace("rtsp://", "rtsp://viewer:wrong@")
    with pytest.raises(PeerError) as failed:
        await MediaRecorder.play(wrong)
    assert failed.value.cause is Cause.AUTH_FAILED
    assert camera.logins_failed == 1


async def test_each_401_has_a_fresh_nonce(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(auth="digest", username="viewer", password="x"))
    client = await Client.connect(camera)
    answers = [(await client.ask("DESCRIBE")).headers.get("WWW-Authenticate") for _ in range(3)]
    assert len(set(answers)) == 3
    assert (await client.ask("OPTIONS")).status == 200
    client.connection.abort()


async def test_pictures_come_whole_and_on_time(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(fps=25))
    recorder = await MediaRecorder.play(camera.url())
    began = time.monotonic()
    await recorder.until(lambda seen: len(seen.units) > 50)
    lasted = time.monotonic() - began
    assert 1.8 < lasted < 2.6
    assert recorder.units[0].keyframe
    ticks = {(b.rtp_timestamp - a.rtp_timestamp) % 2**32 for a, b in pairwise(recorder.units)}
    assert ticks == {3600}
    sequences = [parse_rtp(packet).sequence for packet in recorder.packets[0]]
    assert {(b - a) % 2**16 for a, b in pairwise(sequences)} == {1}
    sps = next(nal for nal in recorder.units[0].nals if nal[0] & 0x1F == 7)
    assert (parse_sps(VideoCodec.H264, sps).width, parse_sps(VideoCodec.H264, sps).height) == (320, 180)
    await recorder.close()


async def test_no_two_keyframes_are_alike_though_the_clip_is_a_loop(
    simulate: Simulate, make_camera: MakeCamera
) -> None:
    camera = await start(simulate, make_camera(fps=20, gop_s=0.1, loop_s=0.3))
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: len(seen.units) > 40)
    hashes = [keyframe_hash(VideoCodec.H264, unit.nals) for unit in recorder.units if unit.keyframe]
    assert len(set(hashes)) == len(hashes) >= 20
    await recorder.close()


async def test_two_sessions_get_the_same_packets(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera())
    first, second = [await MediaRecorder.play(camera.url()) for _ in range(2)]
    await second.until(lambda seen: len(seen.packets[0]) > 20)
    await first.until(lambda seen: second.packets[0][19] in seen.packets[0])
    assert set(second.packets[0][:20]) <= set(first.packets[0])
    assert camera.sessions == 2
    await first.close()
    await second.close()
    await eventually(lambda: camera.sessions == 0)
    assert camera.feed.subscribers == 0


async def test_sender_reports_have_the_wall_clock(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera())
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: seen.reports and seen.packets[0])
    report = parse_rtcp(recorder.reports[0])[0]
    assert isinstance(report, SenderReport)
    assert report.unix_s == pytest.approx(time.time(), abs=2)
    first = parse_rtp(recorder.packets[0][0])
    assert report.ssrc == first.ssrc
    distance = (report.rtp_timestamp - first.timestamp + 2**31) % 2**32 - 2**31
    assert abs(distance) < 90_000
    await recorder.close()


async def test_an_unknown_path_is_not_found(client: Client) -> None:
    assert (await client.ask("DESCRIBE", "/other")).status == 404
    assert (await client.ask("SETUP", "/trackID=9", Transport="RTP/AVP/TCP;interleaved=0-1")).status == 404
    client.connection.abort()


async def test_a_path_with_a_query_is_found(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(path="/cam/realmonitor?channel=1&subtype=0"))
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: seen.units)
    await recorder.close()


async def test_a_transport_that_it_cannot_do_is_461(client: Client) -> None:
    assert (await client.set_up("RTP/AVP;multicast;port=5000-5001")).status == 461
    assert (await client.set_up("RTP/SAVP/TCP;interleaved=0-1")).status == 461
    assert (await client.set_up("RTP/AVP/TCP;interleaved=0-nonsense")).status == 400
    client.connection.abort()


async def test_other_channel_numbers_are_taken(client: Client) -> None:
    answer = await client.set_up("RTP/AVP/TCP;unicast;interleaved=6-7")
    assert parse_transports(answer.headers.get("Transport") or "")[0].interleaved == (6, 7)
    channels: set[int] = set()
    client.connection.on_media = lambda batch: channels.update(channel for channel, _, _ in batch.frames)
    assert (await client.ask("PLAY", Session=answer.headers.get("Session") or "")).status == 200
    await eventually(lambda: channels == {6, 7})
    client.connection.abort()


async def test_a_session_that_is_not_known_is_454(client: Client) -> None:
    for method in ("PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER"):
        assert (await client.ask(method, Session="unknown")).status == 454
    assert (await client.set_up()).status == 200
    assert (await client.ask("PLAY", Session="unknown")).status == 454
    client.connection.abort()


async def test_more_sessions_than_allowed_are_453(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(max_sessions=1))
    first, second = await Client.connect(camera), await Client.connect(camera)
    answer = await first.set_up()
    assert (await second.set_up()).status == 453
    assert (await first.ask("TEARDOWN", Session=answer.headers.get("Session") or "")).status == 200
    assert (await second.set_up()).status == 200
    first.connection.abort()
    second.connection.abort()


async def test_methods_of_publishers_are_405_and_unknown_ones_501(client: Client) -> None:
    assert (await client.ask("ANNOUNCE")).status == 405
    assert (await client.ask("NONSENSE")).status == 501
    assert "DESCRIBE" in ((await client.ask("OPTIONS")).headers.get("Public") or "")
    client.connection.abort()


async def test_pause_stops_the_media_and_play_goes_on(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera())
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: seen.units)
    session = [("Session", recorder.player.session_id or "")]
    await recorder.player.connection.request("PAUSE", camera.url(), session, timeout_s=1)
    assert camera.feed.subscribers == 0
    recorder.drop_received()
    await recorder.player.connection.request("PLAY", camera.url(), session, timeout_s=1)
    await recorder.until(lambda seen: seen.units)
    await recorder.close()


async def test_a_silent_client_is_cut_off_and_one_that_asks_is_not(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(session_timeout_s=1))
    silent, asking = await Client.connect(camera), await Client.connect(camera)
    session = (await asking.set_up()).headers.get("Session") or ""
    assert session.endswith(";timeout=1")
    await silent.set_up()
    while not silent.connection.closed:
        assert (await asking.ask("GET_PARAMETER", Session=session)).status == 200
        await asyncio.sleep(0.2)
    assert not asking.connection.closed
    asking.connection.abort()


async def test_a_client_that_does_not_read_costs_bounded_memory(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = await start(simulate, make_camera(width=1280, height=720, fps=50, bitrate_kbps=40_000, loop_s=1))
    reader = await MediaRecorder.play(camera.url())
    client = await Client.connect(camera)
    raw = client.connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    session = (await client.set_up()).headers.get("Session") or ""
    await client.ask("PLAY", Session=session)
    client.connection.transport.pause_reading()
    await eventually(lambda: camera.frames_dropped > 20, within_s=30)
    held = max(connection.transport.get_write_buffer_size() for connection in camera.connections)
    assert held < MAX_WRITE_BUFFER_BYTES + 1_000_000
    assert not reader.lost
    # It reads again: frames find room, and what was dropped stays a hole.
    client.connection.transport.resume_reading()
    await eventually(lambda: max(each.transport.get_write_buffer_size() for each in camera.connections) == 0)
    client.connection.abort()
    await reader.close()
