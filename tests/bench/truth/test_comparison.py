"""How the bench compares what was reported with the truth."""

import pytest

from bench.truth.comparison import (
    Stretch,
    Window,
    beside,
    compare,
    outages_in,
    overlap_s,
    percentile,
    untrue_connected_s,
)
from bench.truth.record import Gap

TRUTH = Gap(100.0, 160.0)
THING = ("cam-000", "camera")


def line(*parts: tuple[str, float]) -> list[Stretch]:
    """Verdicts, each until then."""
    made, start = [], 0.0
    for verdict, end in parts:
        made.append(Stretch(start, end, verdict))
        start = end
    return made


def test_an_outage_is_as_late_as_its_ends_are() -> None:
    found = compare("off", THING, TRUTH, line(("good", 121), ("bad", 161.5), ("good", 300)), blind=False)
    assert (found.late_start_s, found.late_end_s, found.wrong_s) == (21.0, 1.5, 22.5)


def test_an_outage_in_pieces_is_wrong_by_what_is_between_them() -> None:
    reported = line(("good", 100), ("bad", 120), ("good", 130), ("bad", 160), ("good", 300))
    found = compare("off", THING, TRUTH, reported, blind=False)
    assert (found.late_start_s, found.late_end_s, found.wrong_s) == (0.0, 0.0, 10.0)


def test_an_outage_that_nobody_reported_is_missed_and_wrong_as_a_whole() -> None:
    found = compare("off", THING, TRUTH, line(("good", 300)), blind=False)
    assert (found.late_start_s, found.wrong_s) == (None, 60.0)


@pytest.mark.parametrize(("blind", "late_start_s"), [(True, -5.0), (False, None)])
def test_unknown_is_right_only_while_nobody_could_probe(blind: bool, late_start_s: float | None) -> None:
    found = compare("asleep", THING, TRUTH, line(("good", 95), ("unknown", 160), ("good", 300)), blind=blind)
    assert found.late_start_s == late_start_s


STALLS = Window("camera stalls", 100.0, 125.0, frozenset({THING}))


def test_a_camera_that_gave_a_prober_its_picture_is_there_though_its_forwarder_waits() -> None:
    gaps = [Gap(100.1, 125.0), Gap(126.1, 138.0), Gap(138.1, 140.1)]
    assert outages_in(STALLS, THING, gaps) == [Gap(100.1, 125.0)]


def test_a_camera_that_flaps_is_away_each_time() -> None:
    gaps = [Gap(100.1, 110.0), Gap(110.5, 125.0)]
    assert outages_in(STALLS, THING, gaps) == gaps


def test_a_centre_that_flaps_is_off() -> None:
    gaps = [Gap(100.1, 103.0), Gap(103.5, 107.0), Gap(110.0, 114.0)]
    assert outages_in(STALLS, ("cam-000", "national"), gaps) == [Gap(100.1, 107.0)]


def test_an_outage_is_held_against_what_was_reported_between_its_neighbours() -> None:
    gaps = [Gap(100, 110), Gap(112.5, 120)]
    through = line(("good", 100), ("bad", 120), ("good", 300))
    second = compare("flapping", THING, gaps[1], beside(through, gaps[1], gaps), blind=False)
    assert second.late_start_s == pytest.approx(-2.5)
    assert compare("flapping", THING, gaps[1], through, blind=False).late_start_s == -20 + 7.5
    first = compare("flapping", THING, gaps[0], beside(through, gaps[0], gaps), blind=False)
    assert first.late_end_s == pytest.approx(2.5)


def test_media_between_two_outages_that_is_called_good_for_a_moment_parts_them() -> None:
    gaps = [Gap(100, 110), Gap(111.6, 120)]
    reported = line(("good", 100), ("bad", 110.4), ("good", 111.1), ("bad", 120), ("good", 300))
    first, second = (compare("flapping", THING, gap, beside(reported, gap, gaps), blind=False) for gap in gaps)
    assert first.late_end_s == pytest.approx(0.4)
    assert second.late_start_s == pytest.approx(-0.5)


def test_a_short_outage_that_was_called_bad_too_late_is_not_of_the_next_one() -> None:
    gaps = [Gap(100, 100.3), Gap(102, 120)]
    reported = line(("good", 100.4), ("bad", 100.6), ("good", 101.6), ("bad", 120), ("good", 300))
    found = compare("off", THING, gaps[1], beside(reported, gaps[1], gaps), blind=False)
    assert found.late_start_s == pytest.approx(-0.4)


def test_what_was_called_bad_between_two_outages_is_of_the_first() -> None:
    gaps = [Gap(100, 110), Gap(111.6, 120)]
    reported = line(("good", 100), ("bad", 110), ("good", 110.5), ("bad", 110.9), ("good", 111.6), ("bad", 120))
    first, second = (compare("flapping", THING, gap, beside(reported, gap, gaps), blind=False) for gap in gaps)
    assert first.late_end_s == pytest.approx(0.9)
    assert second.late_start_s == pytest.approx(0.0)


def test_an_outage_that_was_called_bad_beyond_the_tolerance_is_not_parted_from_its_neighbour() -> None:
    gaps = [Gap(100, 110), Gap(113, 120)]
    reported = line(("good", 100), ("bad", 111.8), ("good", 112.5), ("bad", 120), ("good", 300))
    first, second = (compare("flapping", THING, gap, beside(reported, gap, gaps), blind=False) for gap in gaps)
    assert first.late_end_s == pytest.approx(1.8)
    assert second.late_start_s == -3


def test_what_was_called_good_of_the_media_amid_an_outage_that_flaps_is_right() -> None:
    gaps = [Gap(100, 110), Gap(111.4, 120)]
    truth = Gap(100, 120)
    reported = line(("good", 100), ("bad", 109.5), ("good", 111.5), ("bad", 120), ("good", 300))
    found = compare("flapping", THING, truth, reported, blind=False, gaps=gaps)
    assert found.wrong_s == pytest.approx(0.6)
    assert compare("flapping", THING, truth, reported, blind=False).wrong_s == pytest.approx(2.0)


def test_seconds_called_connected_without_media_are_untrue_beyond_the_tolerance() -> None:
    assert untrue_connected_s([TRUTH], line(("good", 101.5), ("bad", 158.5), ("good", 300))) == 0.0
    assert untrue_connected_s([TRUTH], line(("good", 121.5), ("bad", 160), ("good", 300))) == 20.0
    assert untrue_connected_s([Gap(100, 102)], line(("good", 300))) == 0.0


def test_overlaps_and_percentiles() -> None:
    assert overlap_s(line(("good", 10), ("unknown", 20)), "unknown", 5, 15) == 5
    assert percentile([], 0.99) == 0.0
    assert percentile([float(one) for one in range(1, 201)], 0.99) == 198.0
