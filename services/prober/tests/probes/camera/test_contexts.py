"""A decoder that is used again tells the same as a new one."""

from collections.abc import Sequence

import pytest

from prober.probes.camera.contexts import IDLE_AT_MOST, IdleContexts
from prober.probes.camera.decoder import Picture, Undecodable, decode_keyframe
from vonggac.media.h26x import VideoCodec, is_parameter_set, is_slice, nal_type

type Frames = list[list[bytes]]


def sets_of(nals: Sequence[bytes]) -> list[bytes]:
    return [nal for nal in nals if is_parameter_set(VideoCodec.H264, nal_type(VideoCodec.H264, nal))]


def decode(nals: Sequence[bytes], contexts: IdleContexts | None = None) -> Picture | Undecodable:
    return decode_keyframe(VideoCodec.H264, nals, contexts=contexts)


def pixels(result: Picture | Undecodable) -> bytes:
    assert isinstance(result, Picture)
    return result.look.grey.tobytes() + result.look.points.tobytes() + result.look.chroma.tobytes()


def test_the_same_kind_is_decoded_by_the_same_context(frames: Frames) -> None:
    contexts, sets = IdleContexts(), sets_of(frames[0])
    first = contexts.take(VideoCodec.H264, sets)
    contexts.give(VideoCodec.H264, sets, first)
    assert contexts.take(VideoCodec.H264, sets) is first
    assert contexts.take(VideoCodec.H264, sets) is not first, "it is in use"


@pytest.mark.parametrize("other", [lambda sets: sets[:1], lambda sets: [*sets, sets[-1] + b"\x80"], lambda sets: []])
def test_another_kind_gets_another_context(frames: Frames, other: object) -> None:
    assert callable(other)
    contexts, sets = IdleContexts(), sets_of(frames[0])
    first = contexts.take(VideoCodec.H264, sets)
    contexts.give(VideoCodec.H264, sets, first)
    assert contexts.take(VideoCodec.H264, other(sets)) is not first
    assert contexts.take(VideoCodec.H265, sets) is not first


def test_no_more_are_kept_than_told(frames: Frames) -> None:
    contexts, sets = IdleContexts(), sets_of(frames[0])
    made = [contexts.take(VideoCodec.H264, sets) for _ in range(IDLE_AT_MOST + 2)]
    for context in made:
        contexts.give(VideoCodec.H264, sets, context)
    again = [contexts.take(VideoCodec.H264, sets) for _ in made]
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
