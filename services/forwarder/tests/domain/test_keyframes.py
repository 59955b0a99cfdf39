"""What is remembered of keyframes and measured beside them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.picture.keyframes import (
    AWAIT_EARLY_S,
    COMPARE_EVERY_S,
    HISTORY,
    UNEVEN_AT_MOST,
    ComparedKeyframe,
    Figures,
    Keyframe,
    KeyframeTiming,
    Rhythm,
    Still,
    StreamMeter,
    changed_at,
    least_octets,
    may_stand_still,
    still_with,
)
from vonggac.media.h26x import VideoCodec

SPS, PPS, IDR = b"\x67\x42\x00\x1e", b"\x68\xce", b"\x65\x88\x80"
START = b"\x00\x00\x00\x01"


def keyframe(*nals: bytes) -> Keyframe:
    return Keyframe(VideoCodec.H264, nals, datetime(2021, 5, 14, tzinfo=UTC))


def test_a_keyframe_is_given_with_the_parameter_sets_of_the_description() -> None:
    assert keyframe(IDR).annex_b([SPS, PPS]) == START + SPS + START + PPS + START + IDR


def test_parameter_sets_that_come_with_the_picture_are_the_right_ones() -> None:
    newer = b"\x67\x64\x00\x28"
    assert keyframe(newer, IDR).annex_b([SPS, PPS]) == START + PPS + START + newer + START + IDR


def test_what_is_no_parameter_set_is_not_taken_from_a_description() -> None:
    assert keyframe(IDR).annex_b([b"\x06\x05", b""]) == START + IDR


def test_the_hash_is_of_the_coded_picture_alone() -> None:
    assert keyframe(SPS, PPS, IDR).hash == keyframe(IDR + b"\0").hash
    assert keyframe(IDR).hash != keyframe(IDR + b"\1").hash
    assert len(keyframe(IDR).hash) == 64


def test_cameras_that_began_together_are_not_hashed_together() -> None:
    timing = KeyframeTiming(hash_s=30)
    assert (timing.next_hash_in_s(0.0), timing.next_hash_in_s(0.5)) == (27.0, 30.0)
    assert timing.next_hash_in_s(0.999) < 33.0


def measured(pictures: int, *, step: int = 3600, each: int = 4, lost: int = 0) -> Figures | None:
    """After pictures of `each` packets, `step` clock units apart; `lost` packets are missing in all."""
    meter = StreamMeter(90_000)
    for number in range(pictures):
        sequence = (65_000 + number * each + (lost if number > 2 else 0)) & 0xFFFF
        timestamp = (0xFFFF0000 + number * step) & 0xFFFFFFFF
        meter.picture(timestamp=timestamp, sequence=sequence, packets=1 + number * each, now_s=number * step / 90_000)
    return meter.figures


def test_a_second_of_pictures_shows_their_rate() -> None:
    assert measured(25) is None
    assert measured(26) == Figures(fps=25.0, packets_received=100, packets_lost=0)
    assert measured(5, step=22_500) == Figures(fps=4.0, packets_received=16, packets_lost=0)


def test_missing_sequence_numbers_are_lost_packets() -> None:
    assert measured(26, lost=7) == Figures(fps=25.0, packets_received=100, packets_lost=7)


def test_nothing_is_measured_across_a_pause() -> None:
    meter = StreamMeter(90_000)
    meter.picture(timestamp=0, sequence=0, packets=1, now_s=0)
    meter.pause()
    meter.picture(timestamp=900_000, sequence=5000, packets=2, now_s=10)
    assert meter.figures is None


@pytest.mark.parametrize("at", [1, 10, 25], ids=["at once", "amid", "at the end"])
@pytest.mark.parametrize("leap_s", [-7200, -20, 20, 7200, 30_000])
@pytest.mark.parametrize("sequence_leap", [0, 5_000, 40_000])
def test_a_camera_that_sets_its_clock_or_begins_anew_is_neither_slow_nor_lossy(
    at: int, leap_s: int, sequence_leap: int
) -> None:
    meter = StreamMeter(90_000)
    for number in range(60):
        leapt = number >= at
        meter.picture(
            timestamp=(number * 3600 + leapt * leap_s * 90_000) & 0xFFFFFFFF,
            sequence=(number * 4 + leapt * sequence_leap) & 0xFFFF,
            packets=1 + number * 4,
            now_s=number / 25,
        )
        assert meter.figures in {None, Figures(fps=25.0, packets_received=100, packets_lost=0)}
    assert meter.figures is not None


def test_a_camera_that_sends_pictures_in_another_order_than_it_shows_them_is_measured() -> None:
    meter = StreamMeter(90_000)
    for number in range(60):
        shown = number + (2, -1, -1)[number % 3]
        meter.picture(timestamp=shown * 3600, sequence=number, packets=1 + number, now_s=number / 25)
        if number % 12 == 0:
            meter.keyframe()
    assert meter.figures is not None
    assert meter.figures.fps == 25


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF), st.integers(1, 200)), max_size=60))
def test_no_clock_makes_nonsense_of_the_figures(pictures: list[tuple[int, int, int]]) -> None:
    meter, packets = StreamMeter(90_000), 0
    for timestamp, sequence, count in pictures:
        packets += count
        meter.picture(timestamp=timestamp, sequence=sequence, packets=packets, now_s=packets / 50)
        if meter.figures is not None:
            assert 0 < meter.figures.fps <= len(pictures)
            assert meter.figures.packets_lost >= 0
            assert 0 < meter.figures.packets_received <= packets


@pytest.mark.parametrize("clock_rate", [90_000, 1000])
def test_the_clock_rate_is_the_descriptions(clock_rate: int) -> None:
    meter = StreamMeter(clock_rate)
    for number in range(11):
        meter.picture(timestamp=number * clock_rate // 10, sequence=number, packets=number + 1, now_s=number / 10)
    assert meter.figures is not None
    assert meter.figures.fps == 10


def test_nobody_needs_to_watch_until_shortly_before_the_next_keyframe() -> None:
    rhythm = Rhythm(90_000)
    assert rhythm.wait_s(100.0) == 0
    rhythm.note_keyframe(100.0, 0xFFFFFFFF)
    assert (rhythm.known, rhythm.wait_s(100.0)) == (False, 0)
    # The network was slow this time; the camera's own clock shows four seconds.
    rhythm.note_keyframe(104.3, 4 * 90_000 - 1)
    rhythm.stop_watching()
    rhythm.note_keyframe(132.0, 32 * 90_000 - 1)
    assert rhythm.wait_s(132.0) == pytest.approx(3.8)
    assert rhythm.wait_s(133.5) == pytest.approx(2.3)
    assert rhythm.wait_s(161.0) == pytest.approx(2.8)
    assert rhythm.wait_s(163.9) == 0


def test_keyframes_that_nobody_saw_do_not_count_for_the_rhythm() -> None:
    rhythm = Rhythm(90_000)
    rhythm.note_keyframe(100.0, 0)
    rhythm.stop_watching()
    rhythm.note_keyframe(130.0, 30 * 90_000)
    assert not rhythm.known


@pytest.mark.parametrize("stamp", [500, 500 - 90_000, 500 + 3600 * 90_000])
def test_a_camera_whose_clock_stands_or_jumps_is_always_watched(stamp: int) -> None:
    rhythm = Rhythm(90_000)
    rhythm.note_keyframe(100.0, 500)
    rhythm.note_keyframe(102.0, stamp & 0xFFFFFFFF)
    assert rhythm.wait_s(102.0) == 0


def seen(pictures: str) -> list[ComparedKeyframe]:
    """A keyframe a second for each letter; one in capitals was weighed only, all others were hashed too."""
    start = datetime(2026, 11, 26, tzinfo=UTC)
    return [
        ComparedKeyframe(
            start + timedelta(seconds=second), ord(picture.lower()), hash=None if picture.isupper() else picture
        )
        for second, picture in enumerate(pictures)
    ]


def still_after(pictures: str) -> tuple[float, int] | None:
    """Second since which the picture stands still, and how many keyframes, after all of them in their order."""
    still = None
    kept = seen(pictures)
    for end in range(1, len(kept) + 1):
        still = still_with(still, kept[max(0, end - HISTORY) : end])
    return ((still.since - kept[0].captured_at).total_seconds(), still.keyframes) if still is not None else None


@pytest.mark.parametrize(
    ("pictures", "still"),
    [
        ("a", None),
        ("abc", None),
        ("aab", None),
        ("aba", None),
        ("baa", (1, 2)),
        ("cabab", (1, 4)),
        ("cababab", (1, 6)),
        ("abcaaa", (3, 3)),
        ("b" + "a" * 40, (1, 40)),
        ("aaabbb", (3, 3)),
        ("BAAaaa", (1, 5)),
        ("CABABabab", (1, 8)),
        ("AA", None),
        ("ABCD", None),
        ("bBaa", (2, 2)),
        ("aaA", (0, 3)),
        ("aaAB", None),
        ("aaAa", (0, 4)),
    ],
)
def test_a_still_picture_is_one_whose_keyframes_are_identical(pictures: str, still: tuple[float, int] | None) -> None:
    assert still_after(pictures) == still


def test_keyframes_of_one_size_with_different_hashes_are_not_a_still_picture() -> None:
    start, octets = datetime(2026, 11, 26, tzinfo=UTC), 1000
    one, other = (ComparedKeyframe(start + timedelta(seconds=n), octets, digest) for n, digest in enumerate("ab"))
    weighed = ComparedKeyframe(start + timedelta(seconds=2), octets)
    last = [ComparedKeyframe(start + timedelta(seconds=n), octets, "b") for n in (3, 4)]
    assert still_with(None, [one, other]) is None
    # The weighed one may be the one before it; the run never goes back over another hash.
    assert still_with(None, [one, other, weighed, *last]) == Still(
        other.captured_at, 4, one.captured_at + timedelta(seconds=0.5)
    )


@pytest.mark.parametrize(
    ("seconds", "began_s"),
    [((0, 2, 4, 6), 3), ((0, 2, 60, 62), 59), ((0, 1, 11, 21), 6), ((4, 6), 4)],
    ids=["amid two", "after an interruption", "rare", "the first of all"],
)
def test_a_picture_stands_still_from_amid_the_last_other_and_the_first_identical_keyframe(
    seconds: tuple[int, ...], began_s: float
) -> None:
    start = datetime(2026, 11, 26, tzinfo=UTC)
    kept = [
        ComparedKeyframe(start + timedelta(seconds=at), 1000, digest)
        for at, digest in zip(seconds, "abcc"[-len(seconds) :], strict=True)
    ]
    still = still_with(None, kept)
    assert still is not None
    assert still.began_at == start + timedelta(seconds=began_s)


def test_a_picture_moves_again_amid_the_last_identical_and_the_first_other_keyframe() -> None:
    kept = seen("aab")
    assert changed_at(kept, 2) == kept[2].captured_at - timedelta(seconds=0.5)
    late = ComparedKeyframe(kept[1].captured_at + timedelta(seconds=60), 1, "b")
    assert changed_at([*kept[:2], late], 2) == late.captured_at - timedelta(seconds=0.5)


def test_a_picture_whose_first_light_keyframes_passed_unseen_stands_still_from_the_first_of_them_on() -> None:
    start = datetime(2026, 11, 26, tzinfo=UTC)
    moved = ComparedKeyframe(start, 3000, "a")
    first, second = (ComparedKeyframe(start + timedelta(seconds=at), 1000, "b", light=at == 3) for at in (3, 4))
    still = still_with(None, [moved, first, second])
    assert still is not None
    assert (still.since, still.began_at) == (first.captured_at, start + timedelta(seconds=0.5))


def test_a_still_picture_is_suspected_from_its_first_repetition() -> None:
    assert may_stand_still(seen("abca"))
    assert not may_stand_still(seen("abcd"))
    assert not may_stand_still(seen("a"))


def test_every_keyframe_is_awaited_but_of_many_in_a_second_one() -> None:
    rhythm = Rhythm(90_000)
    rhythm.note_keyframe(10.0, 0)
    rhythm.note_keyframe(12.0, 180_000)
    assert rhythm.steady
    assert rhythm.wait_s(12.0, least_s=COMPARE_EVERY_S) == pytest.approx(2.0 - AWAIT_EARLY_S)
    quick = Rhythm(90_000)
    quick.note_keyframe(10.0, 0)
    quick.note_keyframe(10.25, 22_500)
    assert quick.wait_s(10.25, least_s=COMPARE_EVERY_S) == pytest.approx(1.0 - AWAIT_EARLY_S)


def test_a_picture_of_three_fifths_of_a_keyframe_is_no_keyframe_and_one_of_two_thirds_is() -> None:
    assert 9_000 < least_octets(15_000) <= 10_000


def test_a_keyframe_that_is_put_off_by_a_part_of_its_distance_comes_within_the_longest_wait() -> None:
    rhythm = Rhythm(90_000)
    rhythm.note_keyframe(10.0, 0)
    rhythm.note_keyframe(12.0, 180_000)
    awaited_s = 13.0 + rhythm.wait_s(13.0)
    assert awaited_s + rhythm.longest_wait_s > 14.0 + 2.0


def test_a_camera_without_a_rhythm_is_not_watched_all_the_time() -> None:
    rhythm, stamp = Rhythm(90_000), 0
    rhythm.note_keyframe(0.0, stamp)
    for number in range(UNEVEN_AT_MOST):
        rhythm.note_keyframe(float(number), stamp := stamp + 180_000)
        assert rhythm.steady
        rhythm.stop_watching()
        # Half an interval off: learnt anew, so many times.
        rhythm.note_keyframe(float(number), stamp := stamp + 270_000)
        assert not rhythm.known
    rhythm.note_keyframe(9.0, stamp + 180_000)
    assert rhythm.known
    assert not rhythm.steady


def test_half_a_stream_shows_in_the_worst_second_of_the_last_half_minute() -> None:
    meter, now_s, sequence, packets = StreamMeter(90_000), 0.0, 0, 0
    for number in range(100):
        now_s = number / 10
        if 30 <= number < 55:
            sequence += 1
            continue
        sequence, packets = sequence + 1, packets + 1
        meter.picture(timestamp=number * 9_000, sequence=sequence, packets=packets, now_s=now_s)
    assert meter.figures is not None
    assert meter.figures.packets_lost == 0
    worst = meter.worst_figures(now_s)
    assert worst is not None
    assert worst.packets_lost == 25
    assert worst.fps < 5
    # What is over is over.
    assert meter.worst_figures(now_s + 40) == meter.figures
