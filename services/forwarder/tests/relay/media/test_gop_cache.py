"""The group of pictures that is kept for destinations which are about to begin."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.backpressure import Bounds
from forwarder.relay.media.fanout import FanOut, Outlet
from forwarder.relay.media.gop_cache import GopCache
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from simulator import CameraConfig
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import KeyframeScanner
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator

IDR, INTER = b"\x65\x88\x80", b"\x41\x9a\x00"


class Writer:
    """A destination that keeps what it is given, and is full from `room` bytes on."""

    def __init__(self, room: int = 1 << 20) -> None:
        self.written, self.room = b"", room
        self.outlet: Outlet | None = None
        self.write_buffer_bytes = 0

    def write_media(self, data: bytes) -> None:
        self.written += data
        if len(self.written) > self.room and self.outlet is not None:
            self.outlet.buffer_is_full()


def batch(*pictures: tuple[bytes, int]) -> MediaBatch:
    """Packets of one channel: payload and RTP timestamp."""
    data, frames = b"", []
    for payload, timestamp in pictures:
        packet = build_rtp(payload, payload_type=96, sequence=1, timestamp=timestamp, ssrc=7)
        start = len(data)
        data += struct.pack(">BBH", 0x24, 0, len(packet)) + packet
        frames.append((0, start, len(data)))
    return MediaBatch(data, frames)


FIRST, KEY, NEXT = batch((INTER, 1)), batch((INTER, 2), (IDR, 3)), batch((INTER, 4))
KEPT = KEY.data[len(KEY.data) // 2 :] + NEXT.data


def scanner() -> KeyframeScanner:
    return KeyframeScanner(VideoCodec.H264, 0)


@pytest.fixture
def fanout() -> FanOut:
    made = FanOut(channels=frozenset({0, 1}), video_channel=0, scanner=scanner())
    made.keep_gop_cache()
    for item in (FIRST, KEY, NEXT):
        made.on_media(item)
    return made


def add(fanout: FanOut, writer: Writer) -> Outlet:
    writer.outlet = Outlet(fanout, writer, {0: 0, 1: 1}, Bounds(buffer_bytes=1 << 20, buffer_s=4))
    fanout.add_outlet(writer.outlet)
    return writer.outlet


def test_a_new_outlet_begins_with_the_kept_keyframe_and_goes_on_with_what_comes(fanout: FanOut) -> None:
    writer = Writer()
    outlet = add(fanout, writer)
    assert (writer.written, outlet.packets) == (KEPT, 2)
    fanout.on_media(NEXT)
    assert writer.written == KEPT + NEXT.data


def test_without_a_gop_cache_a_new_outlet_waits_for_the_next_keyframe(fanout: FanOut) -> None:
    fanout.gop_cache = None
    writer = Writer()
    add(fanout, writer)
    fanout.on_media(NEXT)
    assert writer.written == b""


def test_an_outlet_that_the_gop_cache_fills_up_stops_at_once_and_waits(fanout: FanOut) -> None:
    writer = Writer(room=10)
    outlet = add(fanout, writer)
    assert writer.written == KEPT[: -len(NEXT.data)]
    assert outlet.flow.overflowing
    assert not outlet.flow.flowing


def test_only_the_newest_group_is_kept() -> None:
    gop_cache = GopCache(scanner())
    for item in (batch((IDR, 1)), NEXT, batch((IDR, 5))):
        gop_cache.add_batch(item, clean=True)
    assert [item.data for item, _ in gop_cache] == [batch((IDR, 5)).data]


def test_a_group_that_grows_too_large_or_too_old_is_not_kept() -> None:
    large = GopCache(scanner(), max_bytes=len(KEPT) - 1)
    old = GopCache(scanner(), max_age_s=-1.0)
    for item in (KEY, NEXT):
        large.add_batch(item, clean=True)
        old.add_batch(item, clean=True)
    assert not large.begun
    assert not old.begun
    large.add_batch(KEY, clean=True)
    assert large.begun


def test_who_waits_for_a_beginning_is_called_once() -> None:
    calls: list[bool] = []
    gop_cache = GopCache(scanner())
    gop_cache.when_begun(lambda: calls.append(True))
    for item in (FIRST, KEY, NEXT, batch((IDR, 9))):
        gop_cache.add_batch(item, clean=True)
    assert calls == [True]
    gop_cache.when_begun(lambda: calls.append(True))
    assert calls == [True, True]


async def test_the_keyframe_with_which_a_camera_begins_reaches_the_centres(
    simulate: StartSimulator,
    planner: Planner,
    relay_of: Callable[..., CameraRelay],
    make_gate: Callable[..., CameraConfig],
) -> None:
    async with simulate(cameras=[make_gate(gop_s=10.0, loop_s=20.0)]) as sim:
        relay_of(planner.camera(sim))
        for centre in sim.centres.values():
            # Without it the next keyframe would be ten seconds away.
            stream = await centre.wait_for("gate", lambda stream: stream.packets > 10, timeout_s=8)
            assert stream.current is not None
            assert stream.current.first_packet_is_keyframe
            assert stream.lost == 0


async def test_a_prepared_camera_is_delivered_from_its_kept_keyframe_on_by_a_command(
    simulate: StartSimulator,
    planner: Planner,
    context: RelayContext,
    recorder: Recorder,
    make_gate: Callable[..., CameraConfig],
) -> None:
    async with simulate(cameras=[make_gate(gop_s=4.0, loop_s=8.0)]) as sim:
        camera = planner.camera(sim)
        relay = CameraRelay(camera, context, recorder)
        assert await relay.prepare() is None
        assert recorder.said == []
        assert not any(centre.streams for centre in sim.centres.values())
        relay.start_prepared(camera)
        for centre in sim.centres.values():
            stream = await centre.wait_for("gate", lambda stream: stream.packets > 10, timeout_s=3)
            assert stream.current is not None
            assert stream.current.first_packet_is_keyframe
        await relay.release(DeliveryState.RELEASED)
        assert sim.cameras["gate"].sessions_total == 1


async def test_a_camera_that_cannot_be_prepared_is_tried_once_and_says_why(
    simulate: StartSimulator, planner: Planner, context: RelayContext, recorder: Recorder
) -> None:
    async with simulate() as sim:
        await sim.cameras["gate"].set_fault("session_limit")
        relay = CameraRelay(planner.camera(sim), context, recorder)
        assert await relay.prepare() is Cause.SESSION_LIMIT
        assert relay.puller.attempts == 1
        await relay.release(DeliveryState.RELEASED)
        assert recorder.said == []
        await eventually(lambda: sim.cameras["gate"].sessions == 0)
