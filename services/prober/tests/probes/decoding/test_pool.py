"""Decoding processes: what dies in one costs the one probe that waits for it; none takes more than its limits."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import av
import psutil
import pytest
import pytest_asyncio

from prober.domain.picture import DEFAULT_THRESHOLDS, PictureHistory
from prober.probes.decoding import pool
from prober.probes.decoding.keyframe import decode_keyframe
from prober.probes.decoding.picture import Picture, Undecodable
from prober.probes.decoding.pool import Decoder
from simulator.packets.giant import giant_keyframe
from vonggac.events import Cause
from vonggac.media.h26x import VideoCodec
from vonggac.testing import eventually
from vonggac.testing.processes import asleep, is_filtered, put_to_sleep
from vonggac.testing.waiting import measured_lag

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.server

type Frames = list[list[bytes]]

LARGEST = (8192, 4880)
"""39,976,960 pixels."""


@pytest_asyncio.fixture
async def decoder() -> AsyncIterator[Decoder]:
    made = Decoder(1)
    yield made
    await made.close()


async def process_of(decoder: Decoder) -> int:
    """The one process, once it runs."""
    decoder.start()
    await eventually(lambda: len(decoder.process_ids) == 1)
    return decoder.process_ids[0]


def _is(count: Callable[[], int], wanted: int) -> bool:
    return count() == wanted


def memory_mb(process_id: int) -> float:
    """The most that it ever took."""
    status = psutil.Process(process_id).memory_full_info()
    return max(status.rss, status.uss) / 1e6


async def test_the_event_loop_goes_on_while_a_decoder_works(decoder: Decoder) -> None:
    await decoder.decode(VideoCodec.H264, giant_keyframe(640, 480))
    picture = giant_keyframe(*LARGEST)
    async with measured_lag() as lag:
        results = await asyncio.gather(*(decoder.decode(VideoCodec.H264, picture) for _ in range(3)))
    assert all(isinstance(result, Picture) for result in results)
    assert lag.worst_s < min(result.decode_s for result in results if isinstance(result, Picture))


async def test_a_decoder_gives_what_decoding_here_gives(decoder: Decoder, frames: Frames) -> None:
    """The judgement, and what is remembered, too: by message and back."""
    history = PictureHistory(None, None, DEFAULT_THRESHOLDS)
    for nals in (frames[0], frames[4], frames[4]):
        here = decode_keyframe(VideoCodec.H264, nals, None, history)
        there = await decoder.decode(VideoCodec.H264, nals, history=history)
        assert isinstance(here, Picture)
        assert isinstance(there, Picture)
        assert here.judged is not None
        assert there.judged is not None
        assert (there.width, there.height, there.profile, there.pixel_format) == (320, 180, here.profile, "yuv420p")
        assert there.thumbnail.encode()[20:] == here.thumbnail.encode()[20:]
        assert (there.judged.findings, there.judged.not_checked) == (here.judged.findings, here.judged.not_checked)
        assert there.judged.measures == pytest.approx(here.judged.measures, rel=1e-5, nan_ok=True)
        assert there.judged.remember.encode()[20:] == here.judged.remember.encode()[20:]
        history = PictureHistory(there.judged.remember, there.thumbnail, DEFAULT_THRESHOLDS)


async def test_a_decoder_that_crashes_costs_one_keyframe_and_is_a_cause(decoder: Decoder, frames: Frames) -> None:
    assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
    first = await process_of(decoder)
    # Asleep it has the keyframe for certain when it dies.
    with asleep(first):
        crashing, next_one = (decoder.decode(VideoCodec.H264, frames[0]) for _ in range(2))
        os.kill(first, signal.SIGSEGV)
    crashed = await crashing
    assert isinstance(crashed, Undecodable)
    assert crashed.cause is Cause.DECODER_CRASHED
    assert "SIGSEGV" in crashed.reason
    assert isinstance(await next_one, Picture)
    assert decoder.process_ids not in ([], [first])


async def test_a_decoder_that_dies_idle_costs_no_keyframe(decoder: Decoder, frames: Frames) -> None:
    first = await process_of(decoder)
    assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: decoder.process_ids not in ([], [first]))
    assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)


async def test_a_decoder_that_needs_too_long_is_ended(frames: Frames) -> None:
    decoder = Decoder(1, within_s=0.5)
    try:
        first = await process_of(decoder)
        assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
        put_to_sleep(first)
        late = await decoder.decode(VideoCodec.H264, frames[0])
        assert isinstance(late, Undecodable)
        assert late.cause is Cause.DECODER_CRASHED
        assert "took too long" in late.reason
        assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
    finally:
        await decoder.close()


async def test_a_decoder_is_not_started_ever_more_often(monkeypatch: pytest.MonkeyPatch, frames: Frames) -> None:
    """A stream of keyframes that each kill one costs so many starts, and no more."""
    monkeypatch.setattr(pool, "STARTS_AT_ONCE", 1)
    monkeypatch.setattr(pool, "START_EVERY_S", 3600.0)
    deaths = 0

    def count() -> None:
        nonlocal deaths
        deaths += 1

    decoder = Decoder(1, on_death=count)
    try:
        for number in (1, 2):
            os.kill(await process_of(decoder), signal.SIGKILL)
            await eventually(partial(_is, lambda: deaths, number))
        waiting = decoder.decode(VideoCodec.H264, frames[0])
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert (done, decoder.process_ids) == (set(), [])
    finally:
        await decoder.close()


async def test_a_picture_above_the_bounds_is_refused_before_the_decoder_gets_it(decoder: Decoder) -> None:
    for side in (16_000, 20_000, 65_520):
        refused = await decoder.decode(VideoCodec.H264, giant_keyframe(side, side))
        assert isinstance(refused, Undecodable)
        assert refused.cause is Cause.PICTURE_TOO_LARGE
    for width, height in ((8208, 16), (8192, 8192)):
        assert isinstance(await decoder.decode(VideoCodec.H264, giant_keyframe(width, height)), Undecodable)
    assert decoder.process_ids == []


async def test_the_largest_picture_fits_into_the_decoders_limit(decoder: Decoder) -> None:
    picture = await decoder.decode(VideoCodec.H264, giant_keyframe(*LARGEST))
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == LARGEST
    assert memory_mb(await process_of(decoder)) < pool.MEMORY_BYTES / 1e6


async def test_a_size_that_is_hidden_from_us_is_bounded_by_the_decoder_itself(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch, frames: Frames
) -> None:
    monkeypatch.setattr(pool, "refuse_too_large", lambda _codec, _nals: None)
    refused = await decoder.decode(VideoCodec.H264, giant_keyframe(16_000, 16_000))
    assert isinstance(refused, Undecodable)
    assert memory_mb(await process_of(decoder)) < 200
    assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)


async def test_a_decoder_without_memory_says_so_and_goes_on(frames: Frames) -> None:
    decoder = Decoder(1, memory_bytes=128 << 20)
    try:
        assert isinstance(await decoder.decode(VideoCodec.H264, giant_keyframe(*LARGEST)), Undecodable)
        process_id = await process_of(decoder)
        assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
        assert decoder.process_ids == [process_id]
    finally:
        await decoder.close()


async def test_a_decoder_has_none_of_our_secrets_and_leaves_with_us(
    monkeypatch: pytest.MonkeyPatch, decoder: Decoder
) -> None:
    monkeypatch.setenv("VONGGAC_NATS_PASSWORD", "s3cret-Xem")
    process = psutil.Process(await process_of(decoder))
    assert "s3cret-Xem" not in str(process.environ())
    assert "PATH" in process.environ()
    await decoder.close()
    assert not process.is_running()


async def test_sandbox_holds_for_a_decoder_that_works(decoder: Decoder, frames: Frames) -> None:
    assert isinstance(await decoder.decode(VideoCodec.H264, frames[0]), Picture)
    assert is_filtered(decoder.process_ids[0])


def test_the_prober_itself_never_loads_the_decoder() -> None:
    program = "import sys, prober.app; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_process_loads_nothing_that_it_does_not_need() -> None:
    program = (
        "import sys, prober.probes.decoding.child; sys.exit(not {'pydantic', 'structlog'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("codec", VideoCodec)
async def test_a_jpeg_for_a_person_is_made_in_the_confined_process(
    decoder: Decoder, frames: Frames, h265_keyframe: list[bytes], codec: VideoCodec
) -> None:
    keyframe = frames[0] if codec is VideoCodec.H264 else h265_keyframe
    process = await process_of(decoder)
    picture = await decoder.decode(codec, keyframe, jpeg_width=161)
    assert isinstance(picture, Picture)
    with av.open(io.BytesIO(picture.jpeg), mode="r", format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (160, 90)
    assert (picture.width, picture.height) == (320, 180)
    small = await decoder.decode(codec, keyframe, jpeg_width=1920)
    assert isinstance(small, Picture)
    assert small.jpeg != picture.jpeg
    assert decoder.process_ids == [process]


async def test_a_picture_that_nobody_views_is_no_jpeg(decoder: Decoder, frames: Frames) -> None:
    picture = await decoder.decode(VideoCodec.H264, frames[0])
    assert isinstance(picture, Picture)
    assert picture.jpeg == b""
