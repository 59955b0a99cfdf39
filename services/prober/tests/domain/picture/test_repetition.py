"""Keyframes that come again from probe to probe."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from prober.domain.picture.repetition import CAMERAS, RecentKeyframes

NOON = datetime(2026, 11, 30, 5, tzinfo=UTC)
CAMERA = uuid4()


def since(
    recent: RecentKeyframes, pictures: str, *, camera_id: UUID = CAMERA, others_after: bool = False, begin: int = 0
) -> list[int | None]:
    """Of each picture, a letter a minute: the minute since which they repeat."""
    found = [
        recent.add(
            camera_id, picture.encode() * 16, NOON + timedelta(minutes=begin + minute), others_after=others_after
        )
        for minute, picture in enumerate(pictures)
    ]
    return [None if at is None else round((at - NOON).total_seconds() / 60) for at in found]


def test_the_third_coming_of_a_keyframe_repeats_since_the_second() -> None:
    assert since(RecentKeyframes(), "axayazb") == [None, None, None, None, 2, 2, None]


def test_three_keyframes_that_come_again_repeat() -> None:
    assert since(RecentKeyframes(), "abcdabc") == [None] * 6 + [4]


def test_two_that_come_again_do_not() -> None:
    assert since(RecentKeyframes(), "abcdabefghij") == [None] * 12


def test_the_same_keyframe_in_a_row_is_still_and_does_not_repeat() -> None:
    assert since(RecentKeyframes(), "aaaaaaaaaa") == [None] * 10


def test_the_same_keyframe_in_a_row_repeats_where_others_came_between() -> None:
    """A recording that begins anew for each client."""
    assert since(RecentKeyframes(), "aaaa", others_after=True) == [None, None, 1, 1]


def test_two_new_keyframes_end_it() -> None:
    recent = RecentKeyframes()
    assert since(recent, "abcabcabc")[-1] == 3
    assert since(recent, "xab", begin=20) == [3, 3, 3]
    assert since(recent, "pq", begin=30) == [3, None]


def test_one_copy_that_two_probes_got_came_once() -> None:
    recent = RecentKeyframes()
    found = [recent.add(CAMERA, b"a" * 16, NOON, others_after=True) for _ in range(5)]
    assert found == [None] * 5


def test_a_recording_that_was_probed_for_long_is_known_and_memory_is_bounded() -> None:
    recent = RecentKeyframes()
    for _ in range(CAMERAS + 10):
        since(recent, "abc", camera_id=uuid4())
    assert len(recent._cameras) == CAMERAS


def test_one_new_keyframe_ends_it_where_a_forwarder_has_them_all() -> None:
    recent = RecentKeyframes()
    assert since(recent, "abcabc")[-1] == 3
    assert recent.add(CAMERA, b"x" * 16, NOON + timedelta(hours=1), others_after=True, new_at_least=1) is None
