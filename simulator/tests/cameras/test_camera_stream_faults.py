"""Faults of the stream, its transport and its session, provoked over real sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import av
import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.events.causes import Cause
from vonggac.media.rtcp import SenderReport, ntp_to_unix, parse_rtcp
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import PeerError
from vonggac.rtsp import RtspConnection
from vonggac.rtsp.wire.messages import Response
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


@pytest.fixture
async def camera(simulate: Simulate, make_camera: MakeCamera) -> Camera:
    return (await simulate(cameras=[make_camera()])).cameras["cam"]


async def playing(camera: Camera, tracks: tuple[str, ...] = ("video",)) -> MediaRecorder:
    recorder = await MediaRecorder.play(camera.url(), tracks=tracks)
    return await recorder.until(lambda seen: any(seen.packets.values()))


async def described(camera: Camera, target: str | None = None) -> Response:
    connection = await RtspConnection.open(camera.host, camera.port, timeout_s=1)
    try:
        return await connection.request("DESCRIBE", target or camera.url(), timeout_s=1)
    finally:
        connection.abort()


def sequences(recorder: MediaRecorder) -> list[int]:
    return [parse_rtp(packet).sequence for packet in recorder.packets[0]]


@pytest.mark.parametrize(("audio", "name"), [("none", "PCMA"), ("aac", "MPEG4-GENERIC")])
async def test_no_track_describes_and_plays_audio_only(
    simulate: Simulate, make_camera: MakeCamera, audio: str, name: str
) -> None:
    camera = (await simulate(cameras=[make_camera(audio=audio)])).cameras["cam"]
    before = await playing(camera)
    await camera.set_fault("no_track")
    await before.until(lambda seen: seen.lost)
    sdp = (await described(camera)).body.decode()
    assert "m=video" not in sdp
    assert name in sdp
    recorder = await playing(camera, tracks=("audio",))
    await recorder.until(lambda seen: len(seen.packets[0]) >= 5)
    await recorder.close()
    await camera.clear_fault()
    await (await playing(camera)).close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("kind", ["mjpeg", "mpeg4"])
async def test_an_unsupported_codec_is_one_that_others_play(camera: Camera, kind: str, transport: str) -> None:
    before = await playing(camera)
    await camera.set_fault("codec_unsupported", kind=kind)
    await before.until(lambda seen: seen.lost)
    played, brightness = await asyncio.to_thread(decode, camera.url(), transport)
    assert played == kind
    assert 80 < brightness < 170


def decode(url: str, transport: str) -> tuple[str, float]:
    with av.open(url, options={"rtsp_transport": transport}, timeout=10) as container:
        frame = next(container.decode(video=0))
        return container.streams.video[0].codec_context.name, float(frame.to_ndarray(format="gray8").mean())


@pytest.mark.parametrize(("kind", "expected"), [("codec", ("hevc", 320, 180)), ("size", ("h264", 240, 134))])
async def test_another_device_has_another_codec_or_size(
    camera: Camera, kind: str, expected: tuple[str, int, int]
) -> None:
    before = await playing(camera)
    await camera.set_fault("identity_changed", kind=kind)
    await before.until(lambda seen: seen.lost)
    assert await asyncio.to_thread(probe, camera.url()) == expected
    await camera.clear_fault()
    assert await asyncio.to_thread(probe, camera.url()) == ("h264", 320, 180)


def probe(url: str) -> tuple[str, int, int]:
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
        frame = next(container.decode(video=0))
        return container.streams.video[0].codec_context.name, frame.width, frame.height


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_packet_loss_leaves_holes_in_the_sequence(
    simulate: Simulate, make_camera: MakeCamera, transport: str
) -> None:
    camera = (await simulate(cameras=[make_camera(bitrate_kbps=2000, fps=30)])).cameras["cam"]
    await camera.set_fault("packet_loss", percent=20)
    recorder = await MediaRecorder.play(camera.url(), transport=transport)
    await recorder.until(lambda seen: len(seen.packets[0]) >= 400)
    await recorder.close()
    numbers = sequences(recorder)
    sent = (numbers[-1] - numbers[0]) % 65_536 + 1
    assert 0.1 < 1 - len(numbers) / sent < 0.3


async def test_jitter_holds_packets_up_and_keeps_their_order(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = (await simulate(cameras=[make_camera(bitrate_kbps=1000)])).cameras["cam"]
    calm = await delays(camera)
    await camera.set_fault("jitter", jitter_ms=200)
    shaky = await delays(camera)
    assert mean_change(shaky) > max(0.02, 2 * mean_change(calm))


def mean_change(delays: list[float]) -> float:
    return sum(abs(later - earlier) for earlier, later in pairwise(delays)) / (len(delays) - 1)


async def delays(camera: Camera) -> list[float]:
    """How late pictures are, against the first of all."""
    recorder = await MediaRecorder.play(camera.url())
    arrivals: list[float] = []
    numbers: list[int] = []
    first = 0
    while len(arrivals) < 25:
        recorder.drop_received()
        await recorder.until(lambda seen: seen.packets[0])
        packets = [parse_rtp(packet) for packet in recorder.packets[0]]
        numbers += (packet.sequence for packet in packets)
        first = first or packets[0].timestamp
        arrivals.append(time.monotonic() - ((packets[0].timestamp - first) % 2**32) / 90_000)
    await recorder.close()
    assert all((later - earlier) % 65_536 < 0x8000 for earlier, later in pairwise(numbers))
    return arrivals


@pytest.mark.parametrize("offset_s", [7200.0, -86_400.0])
async def test_a_clock_that_drifts_shows_in_reports_and_answers(camera: Camera, offset_s: float) -> None:
    await camera.set_fault("clock_drift", offset_s=offset_s)
    recorder = await playing(camera)
    await recorder.until(lambda seen: seen.reports)
    report = parse_rtcp(recorder.reports[0])[0]
    assert isinstance(report, SenderReport)
    assert ntp_to_unix(report.ntp) - time.time() == pytest.approx(offset_s, abs=3)
    date = (await described(camera)).headers.get("Date")
    assert date is not None
    date_s = time.mktime(time.strptime(date, "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert date_s - time.time() == pytest.approx(offset_s, abs=3)
    await recorder.close()


@pytest.mark.parametrize("kind", ["close", "teardown", "announce"])
async def test_a_camera_ends_its_session_after_a_while(camera: Camera, kind: str) -> None:
    await camera.set_fault("ended", kind=kind, after_s=0.3)
    began = time.monotonic()
    recorder = await playing(camera)
    await recorder.until(lambda seen: seen.lost)
    assert recorder.error is not None
    assert recorder.error.cause is Cause.ENDED
    assert 0.25 < time.monotonic() - began < 2
    assert recorder.packets[0]


async def test_a_session_that_plays_is_ended_too(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("ended")
    await recorder.until(lambda seen: seen.lost)


async def test_redirect_leads_to_another_camera(simulate: Simulate, make_camera: MakeCamera) -> None:
    sim = await simulate(cameras=[make_camera(), make_camera(id="other")])
    camera, other = sim.cameras["cam"], sim.cameras["other"]
    await camera.set_fault("redirect", location=other.url())
    answer = await described(camera)
    assert (answer.status, answer.headers.get("Location")) == (302, other.url())
    recorder = await playing(camera)
    assert other.sessions == 1
    await recorder.close()


@pytest.mark.parametrize("parameters", [{}, {"location": "http://elsewhere/"}, {"location": "rtsp://a:b@elsewhere/"}])
async def test_redirect_needs_an_address_without_login(camera: Camera, parameters: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="location"):
        await camera.set_fault("redirect", **parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["between", "inside"])
async def test_garbage_amid_the_media_comes_after_a_good_start(camera: Camera, kind: str) -> None:
    await camera.set_fault("mid_garbage", kind=kind)
    recorder = await playing(camera)
    await recorder.until(lambda seen: len(seen.units) >= 5)
    assert recorder.player.connection.junk_bytes == 0
    await recorder.until(lambda seen: seen.lost or seen.player.connection.junk_bytes or seen.missing)
    recorder.player.abort()


async def test_a_huge_access_unit_is_fragments_without_end(camera: Camera) -> None:
    await camera.set_fault("huge_frame", size_mb=3)
    recorder = await playing(camera)
    await recorder.until(lambda seen: sum(map(len, seen.packets[0])) > 4_000_000)
    packets = [parse_rtp(packet) for packet in recorder.packets[0]]
    marks = [index for index, packet in enumerate(packets) if packet.marker]
    assert len({packet.timestamp for packet in packets[: marks[0] + 1]}) == 1
    assert sum(map(len, recorder.packets[0][: marks[0] + 1])) > 3_000_000
    assert all((later - earlier) % 65_536 == 1 for earlier, later in pairwise(sequences(recorder)))
    recorder.player.abort()


@pytest.mark.parametrize("kind", ["message", "header"])
async def test_a_huge_answer_is_announced(camera: Camera, kind: str) -> None:
    await camera.set_fault("huge_frame", kind=kind)
    with pytest.raises(PeerError) as failed:
        await MediaRecorder.play(camera.url(), deadline_s=2)
    assert failed.value.cause is Cause.PROTOCOL_ERROR


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_garbage_is_sent_over_udp_as_well(camera: Camera, transport: str) -> None:
    await camera.set_fault("mid_garbage", kind="inside")
    recorder = await MediaRecorder.play(camera.url(), transport=transport)
    await recorder.until(lambda seen: len(seen.units) >= 5)
    recorder.player.abort()


async def test_damaged_keyframes_arrive_whole_and_do_not_decode(camera: Camera) -> None:
    await camera.set_fault("damaged_keyframes")
    recorder = await playing(camera)
    await recorder.until(lambda seen: any(unit.keyframe for unit in seen.units))
    await recorder.close()
    keyframe = next(unit for unit in recorder.units if unit.keyframe)
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"err_detect": "explode"}
    with pytest.raises(av.error.InvalidDataError):
        decoder.decode(av.Packet(b"".join(b"\0\0\1" + nal for nal in keyframe.nals)))
