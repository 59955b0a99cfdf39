"""A live camera and a recording in a loop, media with gaps: as a client gets them."""

from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from simulator import CameraConfig, Simulator
from simulator.cameras.camera import Camera
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import parse_rtp
from vonggac.testing.media import MediaRecorder

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


async def keyframe_hashes(camera: Camera, count: int) -> list[bytes]:
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: sum(unit.keyframe for unit in seen.units) >= count, within_s=30)
    await recorder.close()
    codec = VideoCodec.H264 if camera.config.codec == "h264" else VideoCodec.H265
    return [keyframe_hash(codec, unit.nals) for unit in recorder.units if unit.keyframe][:count]


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_camera_with_a_clock_never_repeats_a_keyframe(
    simulate: Simulate, make_camera: MakeCamera, codec: str
) -> None:
    config = make_camera(codec=codec, clock=True, loop_s=1, gop_s=0.2)
    camera = (await simulate(cameras=[config])).cameras["cam"]
    hashes = await keyframe_hashes(camera, 12)
    # Whatever happens to it: its numbers go on.
    await camera.set_fault("freeze")
    await camera.clear_fault()
    hashes += await keyframe_hashes(camera, 12)
    assert len(set(hashes)) == 24


@pytest.mark.parametrize("clock", [False, True])
async def test_a_loop_repeats_its_keyframes_with_others_between(
    simulate: Simulate, make_camera: MakeCamera, clock: bool
) -> None:
    config = make_camera(clock=clock, loop_s=1, gop_s=0.2)
    camera = (await simulate(cameras=[config])).cameras["cam"]
    await camera.set_fault("loop")
    hashes = await keyframe_hashes(camera, 15)
    assert Counter(Counter(hashes).values()) == {3: 5}
    assert all(one != other for one, other in pairwise(hashes))


@pytest.mark.parametrize("kind", ["silence", "loss"])
async def test_gaps_are_silent_or_lost(simulate: Simulate, make_camera: MakeCamera, kind: str) -> None:
    camera = (await simulate(cameras=[make_camera()])).cameras["cam"]
    await camera.set_fault("gaps", kind=kind, for_s=0.5, every_s=1.0)
    recorder = await MediaRecorder.play(camera.url())
    await recorder.until(lambda seen: len(seen.packets[0]) >= 80)
    await recorder.close()
    packets = [parse_rtp(packet) for packet in recorder.packets[0]]
    jumps = [(two.timestamp - one.timestamp) % 2**32 / 90_000 for one, two in pairwise(packets)]
    gaps = [jump for jump in jumps if jump > 0.3]
    assert gaps
    assert gaps == pytest.approx([0.5] * len(gaps), abs=0.2)
    missing = sum((two.sequence - one.sequence) % 2**16 - 1 for one, two in pairwise(packets))
    assert (missing > 0) is (kind == "loss")


async def test_gaps_leave_media_between_them(simulate: Simulate, make_camera: MakeCamera) -> None:
    camera = (await simulate(cameras=[make_camera()])).cameras["cam"]
    with pytest.raises(ValueError, match="every_s must be longer"):
        await camera.set_fault("gaps", for_s=5, every_s=5)
