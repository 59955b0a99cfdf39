"""A track's clock: frames by absolute time, keyframes after a pause, no bursts."""

import random
from fractions import Fraction

import pytest

from simulator.cameras.feed import TrackClock
from simulator.packets import PreparedTrack
from simulator.packets.template import make_template

GOP = 5
FRAMES = tuple(
    make_template([bytes([index]) * 20], 96, channel=0, marker=True, keyframe=index % GOP == 0) for index in range(15)
)


@pytest.fixture
def clock() -> TrackClock:
    track = PreparedTrack(
        media="video",
        codec="h264",
        payload_type=96,
        clock_rate_hz=90_000,
        frames_per_s=Fraction(7),
        frames=FRAMES,
        keyframes=(0, 5, 10),
        sdp_lines=(),
    )
    return TrackClock(track, 100.0, random.Random(1))


def next_index(clock: TrackClock) -> int:
    frame = clock.next_frame(distinct=False, inter_only=False)
    assert frame is not None
    return frame.packets()[0][12]


def test_frames_are_due_by_the_epoch_without_drift(clock: TrackClock) -> None:
    first = clock.timestamp
    for _ in range(7_000):
        clock.next_frame(distinct=True, inter_only=False)
    assert clock.due == pytest.approx(1_100.0)
    assert (clock.timestamp - first) % 2**32 == 1_000 * 90_000


@pytest.mark.parametrize("later_s", [0.01, 0.5, 3.2, 86_400.3])
def test_after_a_pause_it_goes_on_at_the_present_with_a_keyframe(clock: TrackClock, later_s: float) -> None:
    sequence = clock.sequence
    clock.skip_to(100.0 + later_s, keyframe=True)
    assert 0 < clock.due - (100.0 + later_s) <= 1 / 7
    assert next_index(clock) % GOP == 0
    assert clock.sequence == (sequence + 1) & 0xFFFF


def test_two_starts_a_while_apart_show_different_pictures(clock: TrackClock) -> None:
    clock.skip_to(101.0, keyframe=True)
    first = next_index(clock)
    clock.skip_to(101.9, keyframe=True)
    assert next_index(clock) != first


def test_the_timestamp_of_a_moment_agrees_with_the_frames(clock: TrackClock) -> None:
    clock.skip_to(150.0, keyframe=True)
    distance = (clock.timestamp - clock.timestamp_at(clock.due)) % 2**32
    assert min(distance, 2**32 - distance) <= 1


def test_inter_only_leaves_keyframes_out_and_keeps_the_sequence(clock: TrackClock) -> None:
    sequence = clock.sequence
    frames = [clock.next_frame(distinct=True, inter_only=True) for _ in range(2 * GOP)]
    assert [frame is None for frame in frames] == [True, False, False, False, False] * 2
    assert clock.sequence == (sequence + 8) & 0xFFFF


def test_keyframes_differ_only_if_asked(clock: TrackClock) -> None:
    def keyframes(*, distinct: bool) -> set[int]:
        frames = [clock.next_frame(distinct=distinct, inter_only=False) for _ in range(4 * len(FRAMES))]
        return {len(frame.data) for frame in frames if frame is not None and frame.keyframe}

    assert len(keyframes(distinct=False)) == 1
    assert len(keyframes(distinct=True)) == 12


def test_another_channel_is_written_into_every_packet() -> None:
    template = make_template([b"a" * 20, b"b" * 20], 96, channel=0, marker=True, keyframe=True)
    track = PreparedTrack("video", "h264", 96, 90_000, Fraction(1), (template,), (0,), ())
    frame = TrackClock(track, 0.0, random.Random(1)).next_frame(distinct=False, inter_only=False)
    assert frame is not None
    moved = frame.on_channel(6)
    assert [moved[start + 1] for start in frame.starts] == [6, 6]
    assert [frame.data[start + 1] for start in frame.starts] == [0, 0]
