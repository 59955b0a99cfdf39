"""What a centre plays back, and how it answers: right, old, another stream's, on other channels, over TLS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from simulator import CameraConfig, CentreConfig, Simulator
from simulator.centres.centre import Centre
from vonggac.events.causes import Cause
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import RtspUrl
from vonggac.rtsp import Route, open_player, open_publisher
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder, relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


@pytest.fixture
async def sim(simulate: Simulate, make_camera: MakeCamera) -> Simulator:
    cameras = [make_camera(id="a", number=1), make_camera(id="b", number=2)]
    return await simulate(cameras=cameras, centres=[CentreConfig(id="one")])


@asynccontextmanager
async def publishing(sim: Simulator, *ids: str) -> AsyncIterator[Centre]:
    """The cameras' streams go to the centre, each under its id."""
    centre = sim.centres["one"]
    if not ids:
        yield centre
        return
    async with relay(sim.cameras[ids[0]].url(), centre.stream_url(ids[0])), publishing(sim, *ids[1:]):
        await centre.wait_for(ids[0], lambda stream: stream.packets > 10)
        yield centre


def hashes(recorder: MediaRecorder) -> list[bytes]:
    return [keyframe_hash(VideoCodec.H264, unit.nals) for unit in recorder.units if unit.keyframe]


async def keyframes(url: str, count: int) -> list[bytes]:
    recorder = await MediaRecorder.play(url)
    await recorder.until(lambda seen: len(hashes(seen)) >= count)
    recorder.player.abort()
    return hashes(recorder)[:count]


async def test_frozen_playback_repeats_an_old_group_of_pictures(sim: Simulator) -> None:
    async with publishing(sim, "a") as centre:
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await viewer.until(lambda seen: len(set(hashes(seen))) >= 2)
        await centre.set_fault("frozen_playback")
        viewer.drop_received()
        await viewer.until(lambda seen: len(hashes(seen)) >= 3)
        assert len(set(hashes(viewer)[1:3])) == 1
        headers = [parse_rtp(packet) for packet in viewer.packets[0]]
        assert all((later.sequence - earlier.sequence) % 65_536 < 0x8000 for earlier, later in pairwise(headers))
        assert all((later.timestamp - earlier.timestamp) % 2**32 < 2**31 for earlier, later in pairwise(headers))
        old = set(hashes(viewer)[1:3])
        assert set(await keyframes(centre.stream_url("a"), 2)) == old
        await centre.clear_fault()
        viewer.drop_received()
        await viewer.until(lambda seen: len(set(hashes(seen)) - old) >= 2)
        assert centre.streams["a"].lost == 0
        viewer.player.abort()


async def test_every_viewer_gets_the_present_pictures_from_a_keyframe_on(
    simulate: Simulate, make_camera: MakeCamera
) -> None:
    login = {"auth": "digest", "username": "viewer", "password": "p@ss/word"}
    config = CentreConfig.model_validate({"id": "one", **login})
    sim = await simulate(cameras=[make_camera(id="a")], centres=[config])
    centre = sim.centres["one"]
    url = centre.stream_url("a", with_credentials=True)
    async with relay(sim.cameras["a"].url(), url):
        await centre.wait_for("a", lambda stream: stream.packets > 40)
        before = await keyframes(url, 2)
        viewers = [await MediaRecorder.play(url) for _ in range(5)]
        assert centre.streams["a"].viewers == 5
        for viewer in viewers:
            await viewer.until(lambda seen: len(hashes(seen)) >= 2)
            assert viewer.units[0].keyframe
            assert before[0] not in hashes(viewer)
        assert len({tuple(hashes(viewer)[:2]) for viewer in viewers}) <= 2
        with pytest.raises(PeerError) as failed:
            await MediaRecorder.play(centre.stream_url("a"))
        assert failed.value.cause is Cause.AUTH_FAILED
        for viewer in viewers:
            await viewer.close()
        assert centre.streams["a"].viewers == 0


async def test_every_viewer_gets_the_same_lie(sim: Simulator) -> None:
    async with publishing(sim, "a", "b") as centre:
        viewers = [await MediaRecorder.play(centre.stream_url("a")) for _ in range(3)]
        await centre.set_fault("frozen_playback")
        for viewer in viewers:
            viewer.drop_received()
        for viewer in viewers:
            await viewer.until(lambda seen: len(hashes(seen)) >= 3)
            assert len(set(hashes(viewer)[1:3])) == 1
        assert len({hashes(viewer)[2] for viewer in viewers}) == 1
        await centre.set_fault("wrong_picture")
        for viewer in viewers:
            await viewer.until(lambda seen: seen.lost)
        source = await MediaRecorder.play(sim.cameras["b"].url())
        wrong = [await keyframes(centre.stream_url("a"), 2) for _ in range(2)]
        await source.until(lambda seen: all(set(one) & set(hashes(seen)) for one in wrong))
        source.player.abort()


async def test_a_stream_that_begins_later_is_frozen_at_its_first_pictures(sim: Simulator) -> None:
    await sim.centres["one"].set_fault("frozen_playback")
    async with publishing(sim, "a") as centre:
        seen = await keyframes(centre.stream_url("a"), 3)
        assert len(set(seen)) == 1


async def test_wrong_picture_plays_another_stream(sim: Simulator) -> None:
    async with publishing(sim, "a", "b") as centre:
        viewer = await MediaRecorder.play(centre.stream_url("a"))
        await centre.set_fault("wrong_picture")
        await viewer.until(lambda seen: seen.lost)
        source = await MediaRecorder.play(sim.cameras["b"].url())
        wrong = await keyframes(centre.stream_url("a"), 2)
        await source.until(lambda seen: set(wrong) & set(hashes(seen)))
        source.player.abort()
        await centre.set_fault("wrong_picture", path="a")
        assert await keyframes(centre.stream_url("b"), 1)
        assert centre.streams["a"].live
        assert centre.streams["a"].sessions == 1


async def test_wrong_picture_without_another_stream_is_not_found(sim: Simulator) -> None:
    async with publishing(sim, "a") as centre:
        await centre.set_fault("wrong_picture")
        with pytest.raises(PeerError) as failed:
            await MediaRecorder.play(centre.stream_url("a"))
        assert failed.value.cause is Cause.NOT_FOUND


async def test_restart_is_over_of_its_own_accord(sim: Simulator) -> None:
    async with publishing(sim, "a") as centre:
        await centre.set_fault("restart", for_s=0.4)
        await eventually(lambda: not centre.connections)
        with pytest.raises(PeerError) as failed:
            await MediaRecorder.play(centre.stream_url("a"))
        assert failed.value.cause is Cause.REFUSED
    await eventually(lambda: centre.fault is None)
    async with publishing(sim, "a"):
        assert centre.streams["a"].sessions == 2


async def test_another_fault_takes_the_place_of_a_restart(sim: Simulator) -> None:
    centre = sim.centres["one"]
    await centre.set_fault("restart", for_s=0.1)
    await centre.set_fault("auth")
    await asyncio.sleep(0.3)
    assert centre.fault is not None
    assert centre.fault.fault == "auth"


async def test_other_channels_than_asked_are_answered_and_counted(simulate: Simulate, make_camera: MakeCamera) -> None:
    config = CentreConfig(id="one", channels="other")
    sim = await simulate(cameras=[make_camera(id="a")], centres=[config])
    centre = sim.centres["one"]
    player = await open_player(Route(RtspUrl.parse(sim.cameras["a"].url())), deadline_s=5, on_media=lambda _: None)
    publisher = await open_publisher(
        Route(RtspUrl.parse(centre.stream_url("a"))), player.sdp, player.tracks, deadline_s=5
    )
    assert publisher.channel_map == {0: 16, 1: 17}
    await player.close()
    packet = bytes((0x24, 16, 0, 14, 0x80, 96)) + bytes(12)
    publisher.connection.write_media(packet)
    await centre.wait_for("a", lambda stream: stream.packets == 1)
    await publisher.close()


async def test_a_centre_takes_and_plays_streams_over_tls(simulate: Simulate, make_camera: MakeCamera) -> None:
    sim = await simulate(cameras=[make_camera(id="a")], centres=[CentreConfig(id="one", tls=True)])
    centre = sim.centres["one"]
    url, policy = RtspUrl.parse(centre.stream_url("a")), TlsPolicy(fingerprint_sha256=centre.certificate_sha256)
    assert centre.url.startswith("rtsps://")
    waiting: list[bytes] = []
    player = await open_player(
        Route(RtspUrl.parse(sim.cameras["a"].url())), deadline_s=5, on_media=lambda batch: waiting.append(batch.data)
    )
    publisher = await open_publisher(Route(url, tls=policy), player.sdp, player.tracks, deadline_s=5)
    publisher.connection.write_media(b"".join(waiting))
    player.connection.on_media = lambda batch: publisher.connection.write_media(batch.data)
    await centre.wait_for("a", lambda stream: stream.packets > 10)
    seen: list[int] = []
    viewer = await open_player(
        Route(url, tls=TlsPolicy(ca_pem=sim.authority.pem)),
        deadline_s=5,
        on_media=lambda batch: seen.append(len(batch.data)),
    )
    await eventually(lambda: len(seen) > 3)
    for session in (viewer, publisher, player):
        await session.close()
    with pytest.raises(PeerError) as failed:
        await open_player(Route(url), deadline_s=5, on_media=lambda _: None)
    assert failed.value.cause is Cause.TLS
