"""Centres that make a proof of reception untrue: discarded, buffered, last, replayed and late pictures."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from simulator import CameraConfig, CentreConfig, Simulator
from simulator.centres.centre import Centre
from simulator.devices.faults import FaultError
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import parse_rtp
from vonggac.rtsp import Publisher
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder, relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


@pytest.fixture
async def sim(simulate: Simulate, make_camera: MakeCamera) -> Simulator:
    return await simulate(cameras=[make_camera(id="a")], centres=[CentreConfig(id="one", kept_s=30)])


@asynccontextmanager
async def publishing(sim: Simulator) -> AsyncIterator[tuple[Centre, Publisher]]:
    centre = sim.centres["one"]
    async with relay(sim.cameras["a"].url(), centre.stream_url("a")) as publisher:
        await centre.wait_for("a", lambda stream: stream.packets > 10)
        yield centre, publisher


def hashes(recorder: MediaRecorder) -> list[bytes]:
    return [keyframe_hash(VideoCodec.H264, unit.nals) for unit in recorder.units if unit.keyframe]


def unsent_bytes(publisher: Publisher) -> int:
    return publisher.connection.write_buffer_bytes


async def wait_until_more_is_sent(sim: Simulator, packets: int = 60) -> None:
    """The camera goes on sending, and its relay with it."""
    (clock,) = [one for one in sim.cameras["a"].feed.clocks if one.track.media == "video"]
    before = clock.packets
    await eventually(lambda: clock.packets >= before + packets)


async def test_discarded_media_is_read_and_neither_counted_nor_played(sim: Simulator) -> None:
    async with publishing(sim) as (centre, publisher):
        await centre.set_fault("discard")
        packets = centre.streams["a"].packets
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await wait_until_more_is_sent(sim)
        assert centre.streams["a"].packets == packets
        assert centre.streams["a"].live
        await eventually(lambda: unsent_bytes(publisher) == 0)
        assert not viewer.units
        await centre.clear_fault()
        await viewer.until(lambda seen: hashes(seen))
        assert centre.streams["a"].packets > packets
        viewer.player.abort()


async def test_buffered_media_comes_at_once_when_the_fault_is_cleared(sim: Simulator) -> None:
    async with publishing(sim) as (centre, _):
        await centre.set_fault("buffer", buffer_bytes=1_000_000)
        packets = centre.streams["a"].packets
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await viewer.until(lambda seen: len(hashes(seen)) == 1)
        await wait_until_more_is_sent(sim)
        assert len(hashes(viewer)) == 1
        assert centre.streams["a"].packets == packets
        await centre.clear_fault()
        await viewer.until(lambda seen: len(hashes(seen)) >= 4, within_s=0.8)
        assert centre.streams["a"].lost == 0
        viewer.player.abort()


async def test_a_publisher_that_comes_while_the_centre_buffers_is_answered_and_held_back(sim: Simulator) -> None:
    await sim.centres["one"].set_fault("buffer")
    async with relay(sim.cameras["a"].url(), sim.centres["one"].stream_url("a")):
        await eventually(lambda: sim.centres["one"].streams["a"].live)
        await wait_until_more_is_sent(sim)
        assert sim.centres["one"].streams["a"].packets == 0


async def test_a_full_buffer_is_read_no_more(sim: Simulator) -> None:
    async with publishing(sim) as (centre, publisher):
        await centre.set_fault("buffer", buffer_bytes=1_000)
        publisher.connection.write_media((bytes((0x24, 0, 5, 0xDC)) + bytes(1500)) * 6_000)
        await wait_until_more_is_sent(sim)
        assert unsent_bytes(publisher) > 0
        packets = centre.streams["a"].packets
        await centre.clear_fault()
        await centre.wait_for("a", lambda stream: stream.packets > packets)


async def test_last_pictures_are_given_once_to_each_viewer(sim: Simulator) -> None:
    async with publishing(sim) as (centre, _):
        await centre.set_fault("last_pictures")
        packets = centre.streams["a"].packets
        viewers = [await MediaRecorder.play(centre.stream_url("a")) for _ in range(2)]
        await centre.wait_for("a", lambda stream: stream.packets > packets + 60)
        assert [len(hashes(viewer)) for viewer in viewers] == [1, 1]
        assert hashes(viewers[0]) == hashes(viewers[1])
        await centre.clear_fault()
        for viewer in viewers:
            await viewer.until(lambda seen: len(set(hashes(seen))) >= 2)
            viewer.player.abort()


@pytest.mark.parametrize("kind", ["rewritten", "original"])
async def test_replay_plays_the_pictures_of_before_again_and_again(sim: Simulator, kind: str) -> None:
    async with publishing(sim) as (centre, _):
        before = await MediaRecorder.play(centre.stream_url("a"))
        await before.until(lambda seen: len(hashes(seen)) >= 4)
        await centre.set_fault("replay", window_s=1.5, kind=kind)
        given = set(hashes(before))
        before.player.abort()
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await viewer.until(lambda seen: len(hashes(seen)) >= 6, within_s=15)
        assert set(hashes(viewer)) <= given
        assert len(set(hashes(viewer))) < len(hashes(viewer))
        stamps = [parse_rtp(packet).timestamp for packet in viewer.packets[0]]
        goes_back = any((later - earlier) % 2**32 >= 2**31 for earlier, later in pairwise(stamps))
        assert goes_back is (kind == "original")
        viewer.player.abort()


async def test_late_playback_plays_every_picture_late(sim: Simulator) -> None:
    async with publishing(sim) as (centre, _):
        await centre.wait_for("a", lambda stream: stream.packets > 60)
        live = await MediaRecorder.play(sim.cameras["a"].url())
        await live.until(lambda seen: hashes(seen))
        newest, came_at = hashes(live)[0], time.monotonic()
        live.player.abort()
        await centre.set_fault("late_playback", late_s=1.5)
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await viewer.until(lambda seen: newest in hashes(seen))
        assert 1.3 <= time.monotonic() - came_at < 4.0
        viewer.player.abort()


async def test_what_a_centre_does_not_keep_it_cannot_play_late(simulate: Simulate, make_camera: MakeCamera) -> None:
    sim = await simulate(cameras=[make_camera(id="a")], centres=[CentreConfig(id="one", kept_s=5)])
    with pytest.raises(FaultError, match="keeps 5 s of media, and late_playback needs 20"):
        await sim.centres["one"].set_fault("late_playback")
    with pytest.raises(ValueError, match="kind: replay has no kind 'fast'; it must be one of: rewritten, original"):
        await sim.centres["one"].set_fault("replay", kind="fast")
    assert sim.centres["one"].fault is None
