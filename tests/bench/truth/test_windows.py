"""What the bench holds to be true, by the faults that came and the media that was recorded."""

import pytest

from bench.truth.record import Gap
from bench.truth.windows import (
    COVERED,
    EDGE_S,
    EMPTY,
    LEAST_S,
    LOOP_S,
    LOOPS,
    MEDIA,
    SETTLED_S,
    UNSEEN,
    Bad,
    Window,
    bad_of,
    lie,
)

CAMERA = ("cam-000", "camera")
NATIONAL = ("cam-000", "national")
STALLS = Window("camera stalls", 100.0, 125.0, frozenset({CAMERA, NATIONAL}))
BLACK = Window("black", 100.0, 150.0, frozenset({CAMERA}), EMPTY, whole=True, touched=frozenset({NATIONAL}))
DISCARDS = Window("discards", 100.0, 160.0, frozenset({NATIONAL}), lie(), whole=True)


def ends(bad: list[Bad]) -> list[tuple[float, float]]:
    return [(one.start, one.end) for one in bad]


def test_a_camera_that_gave_a_prober_its_picture_is_there_though_its_forwarder_waits() -> None:
    gaps = [Gap(100.1, 125.0), Gap(126.1, 138.0), Gap(138.1, 140.1)]
    assert ends(bad_of(CAMERA, gaps, [STALLS])) == [(100.1, 125.0)]


def test_a_camera_that_flaps_is_away_each_time() -> None:
    gaps = [Gap(100.1, 110.0), Gap(110.5, 125.0)]
    assert ends(bad_of(CAMERA, gaps, [STALLS])) == [(100.1, 110.0), (110.5, 125.0)]


def test_a_centre_that_flaps_is_off() -> None:
    gaps = [Gap(100.1, 103.0), Gap(103.5, 107.0), Gap(110.0, 114.0)]
    found = bad_of(NATIONAL, gaps, [STALLS])
    assert ends(found) == [(100.1, 107.0), (110.0, 114.0)]
    assert found[0].parts == (gaps[0], gaps[1])


def test_a_camera_that_nobody_plays_is_no_camera_that_is_away() -> None:
    gap = Gap(300, 360)
    assert bad_of(CAMERA, [gap], [STALLS]) == []
    assert bad_of(NATIONAL, [gap], [STALLS]) == [Bad("between faults", 300, 360, MEDIA, (gap,))]


def test_pictures_that_show_nothing_are_bad_though_media_comes_and_no_fault_of_the_centre() -> None:
    assert bad_of(CAMERA, [], [BLACK]) == [Bad("black", 100, 150, EMPTY, (Gap(100, 150),))]
    assert bad_of(NATIONAL, [], [BLACK]) == []


def test_a_centre_that_lies_is_bad_from_its_lie_on_whatever_it_receives() -> None:
    assert ends(bad_of(NATIONAL, [], [DISCARDS])) == [(100, 160)]
    (with_gap,) = bad_of(NATIONAL, [Gap(100.2, 161)], [DISCARDS])
    assert (with_gap.start, with_gap.end, with_gap.rule) == (100, 161, lie())


@pytest.mark.parametrize(("rule", "seconds"), [(MEDIA, EDGE_S), (EMPTY, 3.0), (COVERED, 10.0), (lie(), EDGE_S)])
def test_nothing_is_good_in_a_fault_but_for_the_stated_seconds_at_its_ends(rule: object, seconds: float) -> None:
    assert isinstance(rule, type(MEDIA))
    (bad,) = bad_of(CAMERA, [], [Window("any", 100, 150, frozenset({CAMERA}), rule, whole=True)])
    assert bad.untrue == [Gap(100 + seconds, 150 - seconds)]


def test_no_proof_has_a_validity() -> None:
    """Of a lie of a minute at most the half second at its ends may be called connected, however late the last proof."""
    (bad,) = bad_of(NATIONAL, [], [DISCARDS])
    assert sum(one.length for one in bad.untrue) == 60 - 2 * EDGE_S


def test_two_faults_at_once_are_one_time_with_the_wider_rule() -> None:
    covered = Window("covered", 120, 180, frozenset({CAMERA}), COVERED, whole=True)
    (bad,) = bad_of(CAMERA, [], [BLACK, covered])
    assert (bad.start, bad.end, bad.rule) == (100, 180, COVERED)
    assert bad.parts == (Gap(100, 150), Gap(120, 180))


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (Bad("off", 0, LEAST_S), True),
        (Bad("off", 0, LEAST_S - 0.1), False),
        (Bad("killed", 0, 60, UNSEEN), False),
        (Bad("asleep", 0, 60, blind=True), False),
    ],
)
def test_what_nobody_could_see_need_not_be_found(bad: Bad, found: bool) -> None:
    assert bad.must_be_found is found


def test_a_short_gap_of_media_is_no_time_to_judge() -> None:
    assert Bad("hand-over", 0, 1.9, MEDIA, (Gap(0, 1.9),)).untrue == []
    assert Bad("half a stream", 0, 2.5, MEDIA, (Gap(0, 2.5),)).untrue == [Gap(0.5, 2.0)]


def test_a_fault_disturbs_its_lines_from_the_last_proof_before_to_the_first_one_after() -> None:
    settled = Window("black", 100, 150, frozenset({CAMERA}), touched=frozenset({NATIONAL}), settled=170)
    assert settled.disturbs(CAMERA) == settled.disturbs(NATIONAL) == Gap(100 - SETTLED_S, 170 + SETTLED_S)
    assert settled.disturbs(("cam-001", "national")) is None


def test_a_recording_repeats_itself_only_when_it_came_to_its_end() -> None:
    (bad,) = bad_of(CAMERA, [], [Window("loop", 100, 150, frozenset({CAMERA}), LOOPS, whole=True)])
    assert bad.untrue == [Gap(100 + LOOP_S + 3, 147)]
