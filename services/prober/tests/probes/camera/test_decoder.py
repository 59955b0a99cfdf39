"""One keyframe to one picture."""

import asyncio
from itertools import permutations

import pytest

from prober.probes.camera.decoder import Decoder, Picture, Undecodable, decode_keyframe
from vonggac.media.h26x import VideoCodec, is_parameter_set, nal_type

type Frames = list[list[bytes]]


def test_a_keyframe_becomes_a_picture(frames: Frames) -> None:
    picture = decode_keyframe(VideoCodec.H264, frames[0])
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height, picture.pixel_format) == (320, 180, "yuv420p")
    assert picture.profile
    assert picture.decode_s > 0


def test_a_broken_sei_does_not_spoil_the_picture(frames: Frames) -> None:
    with_broken_sei = [b"\x06" + b"\xff" * 40, *frames[0]]
    assert isinstance(decode_keyframe(VideoCodec.H264, with_broken_sei), Picture)


@pytest.mark.parametrize("codec", VideoCodec)
def test_parameter_sets_may_come_in_any_order(frames: Frames, h265_keyframe: list[bytes], codec: VideoCodec) -> None:
    keyframe = frames[0] if codec is VideoCodec.H264 else h265_keyframe
    sets = [nal for nal in keyframe if is_parameter_set(codec, nal_type(codec, nal))]
    picture = [nal for nal in keyframe if nal not in sets]
    assert len(sets) == (2 if codec is VideoCodec.H264 else 3)
    for ordered in permutations(sets):
        assert isinstance(decode_keyframe(codec, [*ordered, *picture]), Picture)


@pytest.mark.parametrize("kept", [0, 1, 2], ids=["nothing", "one set", "sets without picture"])
def test_what_is_no_keyframe_is_undecodable(frames: Frames, kept: int) -> None:
    result = decode_keyframe(VideoCodec.H264, frames[0][:kept])
    assert isinstance(result, Undecodable)
    assert result.reason


def test_a_keyframe_cut_short_is_undecodable(frames: Frames) -> None:
    assert isinstance(decode_keyframe(VideoCodec.H264, frames[0][:10]), Undecodable)


async def test_the_event_loop_goes_on_while_pictures_are_decoded(frames: Frames) -> None:
    decoder = Decoder(2)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    results = await asyncio.gather(*(decoder.decode(VideoCodec.H264, frames[0]) for _ in range(20)))
    turning.cancel()
    decoder.close()
    assert all(isinstance(result, Picture) for result in results)
    assert turns > 20
