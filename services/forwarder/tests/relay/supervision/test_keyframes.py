"""A held camera's keyframes: hashed for the proof, handed out to whoever asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest

from forwarder.domain.camera_pull import PullState
from forwarder.domain.picture.keyframes import HISTORY, KeyframeTiming
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy, NoKeyframe
from forwarder.relay.supervision.pictures.keyframes import COMPARE_WITHIN_S
from forwarder.relay.supervision.pictures.weighing import UNWEIGHED_AT_MOST
from simulator import CameraConfig, Simulator
from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.net.url import Credentials, RtspUrl
from vonggac.rtsp import Route, open_player
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

pytestmark = pytest.mark.slow

type StartRelay = Callable[..., CameraRelay]


async def live(relay: CameraRelay) -> None:
    await eventually(lambda: relay.pull.state is PullState.LIVE)


async def test_the_first_keyframe_of_a_source_is_hashed_at_once_and_then_the_media_goes_by_unseen(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: len(relay.keyframes.hashes.history) == 1)
    source = relay.puller.source
    assert source is not None
    await eventually(lambda: source.fanout.tap is None)
    pictures = source.fanout.pictures
    # About three groups of pictures: none of them is read.
    await eventually(lambda: source.fanout.pictures > pictures + 75, within_s=20)
    assert len(relay.keyframes.hashes.history) == 1


async def test_the_hash_is_that_of_the_picture_that_another_reader_of_the_camera_sees(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    relay.keyframes.hash_all(20)
    seen: set[str] = set()
    depacketizer = Depacketizer(VideoCodec.H264)

    def take(batch: MediaBatch) -> None:
        for channel, start, end in batch.frames:
            if channel == 0:
                for unit in depacketizer.push_packet(batch.data[start + 4 : end]):
                    note(unit)

    def note(unit: AccessUnit) -> None:
        if unit.keyframe:
            seen.add(keyframe_hash(VideoCodec.H264, unit.nals).hex())

    camera = sim.cameras["gate"].config
    login = Credentials(camera.username, camera.password.get_secret_value()) if camera.auth != "none" else None
    player = await open_player(Route(RtspUrl.parse(sim.cameras["gate"].url()), login), deadline_s=5, on_media=take)
    try:
        await eventually(lambda: len({note.hash for note in relay.keyframes.hashes.history} & seen) >= 2, within_s=15)
    finally:
        await player.close()


async def test_every_keyframe_is_hashed_while_somebody_asks_for_it(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    published: list[int] = []
    relay.keyframes.hashes.on_history = lambda history: published.append(len(history))
    await live(relay)
    relay.keyframes.hash_all(30)
    await eventually(lambda: len(relay.keyframes.hashes.history) >= 5, within_s=15)
    notes = relay.keyframes.hashes.history
    gaps = [(after.captured_at - before.captured_at).total_seconds() for before, after in pairwise(notes)]
    # The camera's group of pictures lasts a second.
    assert all(0.5 < gap < 1.6 for gap in gaps), gaps
    assert published == list(range(1, len(notes) + 1))


async def test_no_more_than_the_last_twelve_are_remembered(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    async with simulate(cameras=[make_gate(gop_s=0.2)]) as sim:
        relay = relay_of(planner.camera(sim))
        relay.keyframes.hash_all(30)
        await eventually(lambda: len(relay.keyframes.hashes.history) == HISTORY, within_s=15)
        newest = relay.keyframes.hashes.history[-1]
        await eventually(lambda: relay.keyframes.hashes.history[0].captured_at >= newest.captured_at, within_s=15)
        assert len(relay.keyframes.hashes.history) == HISTORY
        await relay.release(relay.deliveries[next(iter(relay.deliveries))].delivery.state)


async def test_a_sample_can_be_decoded_alone_and_says_what_was_measured(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), keyframes=KeyframeTiming(sample_s=0.0))

    async def measured() -> KeyframeCopy:
        copy = await relay.keyframes.copy_keyframe()
        assert isinstance(copy, KeyframeCopy)
        assert copy.figures is not None
        assert copy.bitrate_kbps is not None
        return copy

    await live(relay)
    copy = await eventually(measured, within_s=20)
    decoder = av.CodecContext.create("h264", "r")
    [picture] = decoder.decode(av.Packet(copy.annex_b)) + decoder.decode(None)
    assert (picture.width, picture.height) == (320, 180)
    assert copy.figures is not None
    assert copy.figures.fps == pytest.approx(sim.cameras["gate"].config.fps, rel=0.02)
    assert copy.figures.packets_lost == 0
    assert copy.bitrate_kbps == pytest.approx(800, rel=0.4)


async def test_a_sample_shows_how_far_the_cameras_clock_is_off(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await sim.cameras["gate"].set_fault("clock_drift", offset_s=-90.0)
    await live(relay)
    copy = await relay.keyframes.copy_keyframe()
    assert isinstance(copy, KeyframeCopy)
    assert copy.clock_drift_s == pytest.approx(-90.0, abs=2.0)


async def test_the_same_sample_is_given_again_until_it_is_old(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), keyframes=KeyframeTiming(sample_s=2.0))
    await live(relay)
    first, second = await asyncio.gather(relay.keyframes.copy_keyframe(), relay.keyframes.copy_keyframe())
    assert isinstance(first, KeyframeCopy)
    assert first is second
    assert await relay.keyframes.copy_keyframe() is first

    async def another() -> KeyframeCopy:
        copy = await relay.keyframes.copy_keyframe()
        assert isinstance(copy, KeyframeCopy)
        assert copy is not first
        return copy

    newer = await eventually(another)
    assert (newer.captured_at - first.captured_at).total_seconds() >= 1.9
    following = await relay.keyframes.copy_keyframe(after=newer.captured_at)
    assert isinstance(following, KeyframeCopy)
    assert following.captured_at > newer.captured_at
    assert await relay.keyframes.copy_keyframe(after=newer.captured_at) is following


async def test_who_asks_for_a_camera_that_is_away_hears_so_at_once(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await live(relay)
    await sim.cameras["gate"].set_fault("refuse")
    await eventually(lambda: relay.pull.state is not PullState.LIVE, within_s=15)
    async with asyncio.timeout(0.5):
        assert await relay.keyframes.copy_keyframe() == NoKeyframe("camera_away")


async def test_who_waits_for_a_keyframe_when_the_camera_goes_hears_so(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    async with simulate(cameras=[make_gate(gop_s=5.0, loop_s=5)]) as sim:
        relay = relay_of(planner.camera(sim))
        await eventually(lambda: len(relay.keyframes.hashes.history) == 1, within_s=20)
        asking = asyncio.create_task(relay.keyframes.copy_keyframe())
        await sim.cameras["gate"].set_fault("close")
        async with asyncio.timeout(5):
            assert await asking == NoKeyframe("camera_away")
        await relay.release(relay.deliveries[next(iter(relay.deliveries))].delivery.state)


async def test_a_camera_that_comes_back_is_hashed_at_once_and_its_history_goes_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: len(relay.keyframes.hashes.history) == 1)
    await sim.cameras["gate"].set_fault("close")
    await eventually(lambda: relay.keyframes.media_since is None)
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: len(relay.keyframes.hashes.history) == 2, within_s=20)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_keyframe_order_of_a_camera_that_sends_single_units_is_hashed_and_handed_out(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig], codec: str
) -> None:
    async with simulate(cameras=[make_gate(packing="single", codec=codec)]) as sim:
        relay = relay_of(planner.camera(sim))
        await eventually(lambda: len(relay.keyframes.hashes.history) == 1)
        copy = await relay.keyframes.copy_keyframe()
        assert isinstance(copy, KeyframeCopy)
        assert copy.still is None
        await relay.release(relay.deliveries[next(iter(relay.deliveries))].delivery.state)


async def test_a_still_picture_is_told_from_the_first_of_its_keyframes_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    keyframes = relay.keyframes
    stillness = keyframes.stillness
    await live(relay)
    await sim.cameras["gate"].set_fault("freeze")
    keyframes.hash_all(30)
    await eventually(lambda: stillness.still is not None and stillness.still.keyframes >= 3, within_s=20)
    assert stillness.still is not None
    assert stillness.still.since in {note.captured_at for note in keyframes.hashes.history}
    copy = await keyframes.copy_keyframe()
    assert isinstance(copy, KeyframeCopy)
    assert copy.still is not None
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: stillness.still is None, within_s=20)


async def test_a_camera_whose_keyframes_became_small_is_weighed_again_but_not_for_ever(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    async with simulate(cameras=[make_gate(gop_s=0.5)]) as sim:
        relay = relay_of(planner.camera(sim))
        await live(relay)
        source = relay.puller.source
        assert source is not None
        for _ in range(UNWEIGHED_AT_MOST):
            await eventually(lambda: source.fanout.scale is not None, within_s=15, poll_s=0.005)
            # As if no picture had been heavy for so long.
            relay.keyframes.tick(time.monotonic() + COMPARE_WITHIN_S)
            assert source.fanout.scale is None
        compared = relay.keyframes.stillness.compared
        await eventually(lambda: source.fanout.scale is not None or relay.keyframes.stillness.compared > compared + 2)
        assert source.fanout.scale is None


async def test_the_first_light_keyframe_after_one_that_was_awaited_in_vain_is_known_as_such(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    async with simulate(cameras=[make_gate(gop_s=0.5)]) as sim:
        relay = relay_of(planner.camera(sim))
        keyframes = relay.keyframes
        await live(relay)
        source = relay.puller.source
        assert source is not None
        await eventually(lambda: source.fanout.scale is not None, within_s=15, poll_s=0.005)
        # As if those before had been ten times as large.
        keyframes.weighing.keyframe_octets *= 10
        keyframes.tick(time.monotonic() + COMPARE_WITHIN_S)
        compared = keyframes.stillness.compared
        await eventually(lambda: keyframes.stillness.compared >= compared + 2)
        assert [one.light for one in keyframes.stillness.newest].count(True) == 1


async def test_who_gets_no_keyframe_in_time_hears_what_the_camera_sends(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    async with simulate(cameras=[make_gate(gop_s=8.0, loop_s=8)]) as sim:
        relay = relay_of(planner.camera(sim))
        await eventually(lambda: len(relay.keyframes.hashes.history) == 1, within_s=20)
        answer = await relay.keyframes.copy_keyframe(within_s=0.3)
        assert isinstance(answer, NoKeyframe)
        assert (answer.reason, answer.codec) == ("no_keyframe", "h264")
        assert answer.silent_s is not None
        assert answer.silent_s < 2.0
        assert answer.keyframe_age_s is not None
        await relay.release(relay.deliveries[next(iter(relay.deliveries))].delivery.state)
