"""Cameras that do not speak RTSP: both centres get their pictures, and the words about them are true."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.domain.camera_pull import PullState
from forwarder.relay.demux.pool import RemuxPool
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from simulator.centres.centre import Centre
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually
from vonggac.testing.processes import put_to_sleep

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder
    from services.forwarder.tests.relay.sources.conftest import Broadcaster

pytestmark = pytest.mark.slow

type StartRelay = Callable[..., CameraRelay]


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[RemuxPool]:
    made = RemuxPool(streams_per_process=2)
    yield made
    await made.close()
    assert made.process_ids == []


@pytest_asyncio.fixture
async def play(
    sim: Simulator, planner: Planner, relay_of: StartRelay, pool: RemuxPool
) -> AsyncIterator[Callable[..., CameraRelay]]:
    """`play(url)` starts the relay of a camera at `url`, for both centres, under the name "gate"."""
    relays: list[CameraRelay] = []

    def start(url: str, *, deadline_s: float = 15.0, **changes: Any) -> CameraRelay:
        camera = planner.camera(sim, url=url, secret=None, **changes)
        relays.append(relay_of(camera, remux=pool, connect_deadline_s=deadline_s, media_timeout_s=6.0))
        return relays[-1]

    yield start
    for relay in relays:
        await relay.release(DeliveryState.RELEASED)


def peak_bytes(process_id: int) -> int:
    """The most memory that the process has ever had resident."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


async def both_receive(sim: Simulator) -> None:
    for centre in sim.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 40, timeout_s=25)
        assert stream.lost == 0
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe


@pytest.mark.parametrize("way", ["tcp", "udp", "http", "hls", "hls_mp4", "rtmp"])
async def test_both_centres_receive_from_a_camera_that_speaks(
    sim: Simulator, play: Callable[..., CameraRelay], broadcaster: Broadcaster, way: str
) -> None:
    relay = play(await broadcaster.start(way))
    await both_receive(sim)
    await eventually(
        lambda: {item.delivery.state for item in relay.deliveries.values()} == {DeliveryState.ACKNOWLEDGED}
    )


async def test_an_end_of_the_media_is_reported_and_it_is_played_again(
    sim: Simulator, play: Callable[..., CameraRelay], broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("tcp"))
    await both_receive(sim)
    broadcaster.cut()
    await eventually(lambda: relay.pull.cause is Cause.ENDED)
    await eventually(lambda: relay.pull.state is PullState.LIVE, within_s=20)
    assert relay.puller.attempts >= 2


async def test_garbage_is_a_cause_and_not_a_crash(
    play: Callable[..., CameraRelay], pool: RemuxPool, broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("garbage"))
    await eventually(lambda: relay.pull.cause is not None, within_s=25)
    assert relay.pull.cause in (Cause.PROTOCOL_ERROR, Cause.NO_TRACK, Cause.NO_MEDIA, Cause.CODEC_UNSUPPORTED)
    assert pool.died == 0


async def test_a_picture_without_an_end_fills_no_memory_and_costs_the_camera_beside_it_nothing(
    sim: Simulator, play: Callable[..., CameraRelay], pool: RemuxPool, broadcaster: Broadcaster, hostile: Broadcaster
) -> None:
    play(await broadcaster.start("tcp"))
    await both_receive(sim)
    [process_id] = pool.process_ids
    before = peak_bytes(process_id)
    bad = play(await hostile.start("endless"), deliveries=())
    await eventually(lambda: bad.pull.cause is Cause.PROTOCOL_ERROR, within_s=25)
    assert "no picture ends" in (bad.pull.detail or "")
    assert hostile.endless_bytes > 16 << 20
    assert peak_bytes(process_id) - before < 96 << 20
    assert pool.process_ids == [process_id]
    assert [centre.streams["gate"].lost for centre in sim.centres.values()] == [0, 0]


async def test_a_container_that_asks_for_gigabytes_gets_none_of_them(
    sim: Simulator, play: Callable[..., CameraRelay], pool: RemuxPool, broadcaster: Broadcaster, hostile: Broadcaster
) -> None:
    play(await broadcaster.start("tcp"))
    await both_receive(sim)
    [process_id] = pool.process_ids
    before = peak_bytes(process_id)
    bad = play(await hostile.start("hls_bomb"), deliveries=())
    await eventually(lambda: bad.pull.cause is not None, within_s=25)
    assert bad.pull.cause is Cause.PROTOCOL_ERROR
    assert peak_bytes(process_id) - before < 96 << 20
    assert [centre.streams["gate"].lost for centre in sim.centres.values()] == [0, 0]


async def test_the_cause_is_not_lost_when_it_is_found_in_the_middle_of_the_media(
    sim: Simulator, play: Callable[..., CameraRelay], pool: RemuxPool, recorder: Recorder, broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("mpeg2"))
    await eventually(lambda: relay.puller.attempts >= 5, within_s=60)
    assert {said.cause for said in recorder.said} == {None, Cause.CODEC_UNSUPPORTED}
    assert pool.died == 0


async def test_a_camera_that_never_sent_anything_has_not_come_to_a_halt(
    play: Callable[..., CameraRelay], broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("silent"))
    await eventually(lambda: relay.pull.cause is not None, within_s=20)
    assert relay.pull.cause is Cause.NO_MEDIA


async def test_pictures_without_a_keyframe_are_told_apart_from_no_pictures(
    play: Callable[..., CameraRelay], broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("keyless"), deadline_s=8.0)
    await eventually(lambda: relay.pull.cause is not None, within_s=25)
    assert relay.pull.cause is Cause.NO_KEYFRAME


async def test_a_playlist_that_never_ends_is_given_up_in_time(
    play: Callable[..., CameraRelay], broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("hls_slow"), deadline_s=1.0)
    await eventually(lambda: relay.pull.cause is not None)
    assert relay.pull.cause is Cause.TIMEOUT


@pytest.mark.parametrize("crash", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_process_that_dies_takes_only_its_streams_along_and_they_come_back(
    sim: Simulator, play: Callable[..., CameraRelay], pool: RemuxPool, broadcaster: Broadcaster, crash: signal.Signals
) -> None:
    url = await broadcaster.start("tcp")
    together = []
    for _ in range(2):
        together.append(play(url, deliveries=()))
        await eventually(lambda: together[-1].pull.state is PullState.LIVE, within_s=20)
    apart = play(url)
    await both_receive(sim)
    shared, own = pool.process_ids

    os.kill(shared, crash)
    await eventually(lambda: all(relay.pull.cause is Cause.INTERNAL_ERROR for relay in together))
    await eventually(lambda: all(relay.pull.state is PullState.LIVE for relay in together), within_s=20)
    assert pool.died == 1
    assert own in pool.process_ids
    assert apart.puller.attempts == 1
    for centre in sim.centres.values():
        enough = centre.streams["gate"].packets + 20
        await eventually(partial(_has_packets, centre, enough))
        stream = centre.streams["gate"]
        assert (stream.lost, stream.sessions) == (0, 1)


def _has_packets(centre: Centre, count: int) -> bool:
    return centre.streams["gate"].packets >= count


async def test_a_process_that_hangs_is_ended(
    play: Callable[..., CameraRelay], pool: RemuxPool, broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("tcp"))
    await eventually(lambda: relay.pull.state is PullState.LIVE, within_s=20)
    put_to_sleep(pool.process_ids[0])
    await relay.release(DeliveryState.RELEASED)
    await eventually(lambda: pool.process_ids == [])
    assert pool.died == 1


async def test_a_segment_may_not_lead_into_another_network(
    play: Callable[..., CameraRelay], broadcaster: Broadcaster
) -> None:
    relay = play(await broadcaster.start("hls_foreign"))
    await eventually(lambda: relay.pull.cause is Cause.ADDRESS_NOT_ALLOWED)
