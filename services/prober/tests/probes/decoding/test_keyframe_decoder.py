"""One keyframe to one picture; a decoder that is used again gives the same as a new one."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from prober.probes.decoding.keyframe import IDLE_AT_MOST, IdleContexts, decode_keyframe
from prober.probes.decoding.picture import Picture, Undecodable
from vonggac.media.h26x import VideoCodec, is_parameter_set, is_slice, nal_type

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


def sets_of(nals: Sequence[bytes]) -> list[bytes]:
    return [nal for nal in nals if is_parameter_set(VideoCodec.H264, nal_type(VideoCodec.H264, nal))]


def decode(nals: Sequence[bytes], contexts: IdleContexts | None = None) -> Picture | Undecodable:
    return decode_keyframe(VideoCodec.H264, nals, contexts=contexts)


def pixels(result: Picture | Undecodable) -> bytes:
    assert isinstance(result, Picture)
    return result.thumbnail.grey.tobytes() + result.thumbnail.points.tobytes() + result.thumbnail.chroma.tobytes()


def test_the_same_kind_is_decoded_by_the_same_context(frames: Frames) -> None:
    contexts, sets = IdleContexts(), sets_of(frames[0])
    first = contexts.acquire(VideoCodec.H264, sets)
    contexts.release(VideoCodec.H264, sets, first)
    assert contexts.acquire(VideoCodec.H264, sets) is first
    assert contexts.acquire(VideoCodec.H264, sets) is not first, "it is in use"


@pytest.mark.parametrize("other", [lambda sets: sets[:1], lambda sets: [*sets, sets[-1] + b"\x80"], lambda sets: []])
def test_another_kind_gets_another_context(frames: Frames, other: object) -> None:
    assert callable(other)
    contexts, sets = IdleContexts(), sets_of(frames[0])
    first = contexts.acquire(VideoCodec.H264, sets)
    contexts.release(VideoCodec.H264, sets, first)
    assert contexts.acquire(VideoCodec.H264, other(sets)) is not first
    assert contexts.acquire(VideoCodec.H265, sets) is not first


def test_no_more_are_kept_than_allowed(frames: Frames) -> None:
    contexts, sets = IdleContexts(), sets_of(frames[0])
    made = [contexts.acquire(VideoCodec.H264, sets) for _ in range(IDLE_AT_MOST + 2)]
    for context in made:
        contexts.release(VideoCodec.H264, sets, context)
    again = [contexts.acquire(VideoCodec.H264, sets) for _ in made]
    assert again[:IDLE_AT_MOST] == made[:1:-1]
    assert not set(map(id, again[IDLE_AT_MOST:])) & set(map(id, made))


def test_pictures_are_the_same_bit_for_bit(frames: Frames) -> None:
    contexts = IdleContexts()
    first, second = frames[0], frames[4]
    wanted = [pixels(decode(nals)) for nals in (first, second)]
    assert wanted[0] != wanted[1]
    for _ in range(3):
        assert [pixels(decode(nals, contexts)) for nals in (first, second)] == wanted


def test_a_keyframe_without_its_sets_does_not_decode_by_those_of_another_camera(frames: Frames) -> None:
    contexts = IdleContexts()
    assert isinstance(decode(frames[0], contexts), Picture)
    sets = sets_of(frames[0])
    for missing in (sets, sets[:1], sets[1:]):
        lacking = [nal for nal in frames[0] if nal not in missing]
        assert isinstance(decode(lacking, contexts), Undecodable)


def test_damage_is_seen_after_a_whole_picture_too(frames: Frames) -> None:
    slices = [nal for nal in frames[0] if is_slice(VideoCodec.H264, nal_type(VideoCodec.H264, nal))]
    assert len(slices) > 2
    for lost in slices:
        contexts = IdleContexts()
        damaged = [nal for nal in frames[0] if nal is not lost]
        alone = decode(damaged)
        assert isinstance(alone, Undecodable)
        assert isinstance(decode(frames[0], contexts), Picture)
        after = decode(damaged, contexts)
        assert isinstance(after, Undecodable)
        assert after.reason == alone.reason
        assert isinstance(decode(frames[0], contexts), Picture)
