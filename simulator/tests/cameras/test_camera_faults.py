"""Every fault of a camera, provoked over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable

import av
import numpy as np
import pytest

from simulator import CameraConfig, CameraFaultName, Simulator
from simulator.cameras.camera import Camera
from vonggac.events.causes import Cause
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import PeerError
from vonggac.rtsp import RtspConnection
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]

SILENCE_S = 0.4


@pytest.fixture
async def camera(simulate: Simulate, make_camera: MakeCamera) -> Camera:
    return (await simulate(cameras=[make_camera()])).cameras["cam"]


async def cause_of_playing(camera: Camera, deadline_s: float = 5.0) -> Cause:
    with pytest.raises(PeerError) as failed:
        await MediaRecorder.play(camera.url(with_credentials=True), deadline_s=deadline_s)
    return failed.value.cause


async def playing(camera: Camera) -> MediaRecorder:
    recorder = await MediaRecorder.play(camera.url(with_credentials=True))
    return await recorder.until(lambda seen: seen.units)


async def nothing_comes(recorder: MediaRecorder) -> bool:
    """Whether no packet arrives for a while in which a camera that is well sends several."""
    await asyncio.sleep(0.05)
    recorder.drop_received()
    try:
        await recorder.until(lambda seen: seen.packets, within_s=SILENCE_S)
    except AssertionError:
        return True
    return False


def ssrc_of(recorder: MediaRecorder) -> int:
    return parse_rtp(recorder.packets[0][-1]).ssrc


def hashes(recorder: MediaRecorder) -> list[bytes]:
    return [keyframe_hash(VideoCodec.H264, unit.nals) for unit in recorder.units if unit.keyframe]


def luma(unit: AccessUnit) -> float:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    data = b"".join(b"\x00\x00\x00\x01" + nal for nal in unit.nals)
    frame = [*decoder.decode(av.Packet(data)), *decoder.decode(None)][0]
    return float(np.mean(frame.to_ndarray(format="gray8")))


async def test_off_is_a_timeout_and_sessions_go_silent(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("off")
    assert await nothing_comes(recorder)
    assert not recorder.lost
    assert await cause_of_playing(camera, deadline_s=0.3) is Cause.TIMEOUT
    await recorder.close()


async def test_a_camera_that_comes_back_resets_old_sessions_and_begins_anew(camera: Camera) -> None:
    recorder = await playing(camera)
    before = ssrc_of(recorder)
    await camera.set_fault("off")
    await camera.clear_fault()
    await recorder.until(lambda seen: seen.lost)
    again = await playing(camera)
    assert ssrc_of(again) != before
    assert camera.reboots == 1
    await again.close()


async def test_refuse_closes_the_port_and_resets_sessions(camera: Camera) -> None:
    port = camera.port
    recorder = await playing(camera)
    await camera.set_fault("refuse")
    await recorder.until(lambda seen: seen.lost)
    assert await cause_of_playing(camera) is Cause.REFUSED
    await camera.clear_fault()
    assert camera.port == port
    await (await playing(camera)).close()


async def test_black_hole_accepts_and_never_answers(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("black_hole")
    assert await nothing_comes(recorder)
    connection = await RtspConnection.open(camera.host, camera.port, timeout_s=1)
    with pytest.raises(PeerError) as failed:
        await connection.request("OPTIONS", camera.url(), timeout_s=0.3)
    assert failed.value.cause is Cause.TIMEOUT
    connection.abort()
    await camera.clear_fault()
    await recorder.until(lambda seen: seen.packets)
    await recorder.close()


async def test_auth_denies_the_right_login_too(simulate: Simulate, make_camera: MakeCamera) -> None:
    config = make_camera(auth="digest", username="viewer", password="right")
    camera = (await simulate(cameras=[config])).cameras["cam"]
    recorder = await playing(camera)
    assert camera.logins_failed == 0
    await camera.set_fault("auth")
    await recorder.until(lambda seen: seen.lost)
    assert await cause_of_playing(camera) is Cause.AUTH_FAILED
    assert camera.logins_failed == 1
    await camera.clear_fault()
    await (await playing(camera)).close()


async def test_stall_keeps_the_session_and_stops_its_media(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("stall")
    assert await nothing_comes(recorder)
    answer = await recorder.player.connection.request("OPTIONS", camera.url(), timeout_s=1)
    assert answer.ok
    await camera.clear_fault()
    await recorder.until(lambda seen: seen.packets)
    await recorder.close()


async def test_a_new_session_of_a_stalling_camera_gets_media_for_the_time_asked(camera: Camera) -> None:
    await camera.set_fault("stall", after_s=0.3)
    recorder = await playing(camera)
    await eventually(lambda: camera.feed.subscribers == 0, within_s=3)
    assert await nothing_comes(recorder)
    await recorder.close()


async def test_close_ends_sessions_and_new_ones_begin_anew(camera: Camera) -> None:
    recorder = await playing(camera)
    before = ssrc_of(recorder)
    await camera.set_fault("close")
    await recorder.until(lambda seen: seen.lost)
    assert camera.fault is None
    again = await playing(camera)
    assert ssrc_of(again) != before
    await again.close()


async def test_freeze_repeats_one_picture_bit_for_bit(camera: Camera) -> None:
    recorder = await playing(camera)
    before = set(hashes(recorder))
    await camera.set_fault("freeze")
    await recorder.until(lambda seen: len(hashes(seen)) >= 4)
    frozen = hashes(recorder)[-2:]
    assert frozen[0] == frozen[1]
    assert ssrc_of(recorder) == parse_rtp(recorder.packets[0][0]).ssrc
    await camera.clear_fault()
    recorder.drop_received()
    await recorder.until(lambda seen: len(set(hashes(seen)) - set(frozen)) >= 2)
    assert before.isdisjoint(frozen)
    await recorder.close()


async def test_black_is_a_black_picture(camera: Camera) -> None:
    recorder = await playing(camera)
    assert luma(next(unit for unit in recorder.units if unit.keyframe)) > 60
    await camera.set_fault("black")
    recorder.drop_received()
    await recorder.until(lambda seen: any(unit.keyframe for unit in seen.units))
    assert luma(next(unit for unit in recorder.units if unit.keyframe)) < 20
    await recorder.close()


@pytest.mark.parametrize(
    ("kind", "cause"), [("453", Cause.SESSION_LIMIT), ("503", Cause.SESSION_LIMIT), ("401", Cause.AUTH_FAILED)]
)
async def test_session_limit_refuses_new_sessions_only(camera: Camera, kind: str, cause: Cause) -> None:
    recorder = await playing(camera)
    await camera.set_fault("session_limit", kind=kind)
    assert await cause_of_playing(camera) is cause
    recorder.drop_received()
    await recorder.until(lambda seen: seen.packets)
    await recorder.close()


async def test_slow_start_answers_after_its_delay(camera: Camera) -> None:
    await camera.set_fault("slow_start", delay_s=0.3)
    assert await cause_of_playing(camera, deadline_s=0.2) is Cause.TIMEOUT
    recorder = await playing(camera)
    steps = {step.name: step.ms for step in recorder.player.steps}
    assert steps["describe"] >= 290
    assert steps["play"] >= 290
    assert steps["setup"] < 200
    await recorder.close()


async def test_not_found_ends_sessions_and_answers_404(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("not_found")
    await recorder.until(lambda seen: seen.lost)
    assert await cause_of_playing(camera) is Cause.NOT_FOUND


async def test_no_keyframe_sends_inter_frames_only(camera: Camera) -> None:
    await camera.set_fault("no_keyframe")
    recorder = await playing(camera)
    await recorder.until(lambda seen: len(seen.units) >= 25)
    assert not any(unit.keyframe for unit in recorder.units)
    assert recorder.missing == 0
    await recorder.close()


async def test_garbage_is_neither_rtsp_nor_rtp(camera: Camera) -> None:
    recorder = await playing(camera)
    await camera.set_fault("garbage")
    await recorder.until(lambda seen: seen.lost or seen.player.connection.junk_bytes > 1_000)
    connection = await RtspConnection.open(camera.host, camera.port, timeout_s=1)
    with pytest.raises(PeerError):
        await connection.request("OPTIONS", camera.url(), timeout_s=0.3)
    connection.abort()
    recorder.player.abort()


async def test_no_media_plays_and_sends_nothing(camera: Camera) -> None:
    await camera.set_fault("no_media")
    recorder = await MediaRecorder.play(camera.url())
    assert await nothing_comes(recorder)
    await camera.clear_fault()
    await recorder.until(lambda seen: seen.units)
    await recorder.close()


async def test_a_fault_replaces_the_one_before(camera: Camera) -> None:
    await camera.set_fault("off")
    await camera.set_fault("refuse")
    assert await cause_of_playing(camera) is Cause.REFUSED
    await camera.set_fault("off")
    assert await cause_of_playing(camera, deadline_s=0.3) is Cause.TIMEOUT
    await camera.set_fault("stall")
    assert camera.fault is not None
    assert camera.fault.fault is CameraFaultName.STALL
    recorder = await MediaRecorder.play(camera.url())
    assert await nothing_comes(recorder)
    await recorder.close()


async def test_an_unknown_fault_is_refused(camera: Camera) -> None:
    with pytest.raises(ValueError, match="smoke"):
        await camera.set_fault("smoke")
    assert camera.fault is None


async def test_a_fault_of_the_configuration_acts_from_the_start(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = (await simulate(cameras=[make_camera(fault={"fault": "refuse"})])).cameras["cam"]
    assert await cause_of_playing(camera) is Cause.REFUSED
