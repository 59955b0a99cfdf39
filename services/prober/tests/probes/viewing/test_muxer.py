"""H.264 as fragments: times, parameter sets, holes, and what waits for a slow viewer."""

import io
from typing import Any

import av
import pytest

from prober.probes.viewing.muxer import Fragment, Muxer
from prober.probes.viewing.viewer import MOST_QUEUED_BYTES, Viewer
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import H264_IDR, H264_PPS, H264_SPS, VideoCodec, nal_type
from vonggac.net.errors import PeerError

STEP = 3600
"""Ticks of 90 kHz between two pictures, 25 a second."""


def unit(nals: list[bytes], at: int) -> AccessUnit:
    keyframe = any(nal_type(VideoCodec.H264, nal) == H264_IDR for nal in nals)
    return AccessUnit(at % (1 << 32), nals, keyframe)


def mux(units: list[AccessUnit], described: list[bytes] | None = None, clock_rate: int = 90_000) -> list[Fragment]:
    muxer = Muxer(clock_rate, described or [])
    return [fragment for each in units for fragment in muxer.add(each)]


def shown(fragments: list[Fragment]) -> list[float]:
    data = fragments[0].head + b"".join(each.data for each in fragments)
    with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
        return [round(float(frame.time), 3) for frame in container.decode(video=0)]


@pytest.fixture
def stream(frames: list[list[bytes]]) -> list[list[bytes]]:
    """Sixteen pictures; the first four are one whole group, repeated."""
    return frames[:4] * 4


def test_times_go_on_over_the_wrap_of_the_clock_and_over_a_jump(stream: list[list[bytes]]) -> None:
    begin = (1 << 32) - 5 * STEP
    times = [begin + STEP * number for number in range(10)] + [10**9 + STEP * number for number in range(6)]
    fragments = mux([unit(nals, at) for nals, at in zip(stream, times, strict=True)])
    assert [each.begins for each in fragments] == [True] * 3
    assert shown(fragments) == [round(0.04 * number, 3) for number in range(12)]


def test_a_clock_of_another_rate_keeps_its_pace(stream: list[list[bytes]]) -> None:
    fragments = mux([unit(nals, 400 * number) for number, nals in enumerate(stream)], clock_rate=10_000)
    assert shown(fragments) == [round(0.04 * number, 3) for number in range(12)]


def test_pictures_shown_out_of_order_are_decoded_in_theirs(stream: list[list[bytes]]) -> None:
    order = [0, 2, 1, 3]
    times = [STEP * (4 * group + each) for group in range(4) for each in order]
    fragments = mux([unit(nals, at) for nals, at in zip(stream, times, strict=True)])
    data = fragments[0].head + b"".join(each.data for each in fragments)
    with av.open(io.BytesIO(data), mode="r", format="mp4") as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    decoded = [packet.dts or 0 for packet in packets]
    assert decoded == sorted(set(decoded))
    # libav begins to count where no picture is shown before it is decoded.
    first = packets[0].pts or 0
    assert [(packet.pts or 0) - first for packet in packets] == times[:12]


def test_parameter_sets_of_the_description_serve_where_keyframes_bring_none(stream: list[list[bytes]]) -> None:
    sets = [nal for nal in stream[0] if nal_type(VideoCodec.H264, nal) in {H264_SPS, H264_PPS}]
    bare = [[nal for nal in nals if nal not in sets] for nals in stream]
    units = [unit(nals, STEP * number) for number, nals in enumerate(bare)]
    assert shown(mux(units, sets)) == shown(mux([unit(nals, STEP * n) for n, nals in enumerate(stream)]))
    with pytest.raises(PeerError):
        mux(units)


def test_after_a_hole_it_goes_on_with_a_keyframe(stream: list[list[bytes]]) -> None:
    muxer, fragments = Muxer(90_000, []), []
    for number, nals in enumerate(stream):
        if number == 6:
            muxer.skip_to_keyframe()
            continue
        fragments += muxer.add(unit(nals, STEP * number))
    assert shown(fragments) == [round(0.04 * number, 3) for number in (0, 1, 2, 3, 4, 5, 8, 9, 10, 11)]


async def test_a_slow_viewer_loses_whole_groups_and_has_bounded_bytes() -> None:
    viewer, head = Viewer(), b"head"
    quarter = bytes(MOST_QUEUED_BYTES // 4)
    viewer.offer(Fragment(b"middle", False, head))
    assert viewer.queued_bytes == 0, "nobody begins in the middle of a group"
    begins = [True, False, False, False, False, True, False]
    for begin in begins:
        viewer.offer(Fragment(quarter, begin, head))
    assert viewer.queued_bytes <= MOST_QUEUED_BYTES
    assert viewer.lost == 4
    reading = viewer.read(lasts_s=5)
    assert len(await anext(reading)) == len(head) + 3 * len(quarter)
    viewer.offer(Fragment(b"middle", False, head))
    viewer.offer(Fragment(b"key", True, head))
    assert await anext(reading) == b"key"
    viewer.end()
    left: list[Any] = [piece async for piece in reading]
    assert left == []
