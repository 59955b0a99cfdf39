"""How the bench compares what was reported with the truth."""

import pytest

from bench.truth.comparison import (
    Stretch,
    beside,
    compare,
    overlap_s,
    percentile,
    unknown_before,
    unknown_when_good,
    untrue_bad,
    untrue_good,
    without,
)
from bench.truth.record import Gap
from bench.truth.windows import COVERED, EMPTY, MEDIA, SETTLED_S, Bad, Window, lie

CAMERA = ("cam-000", "camera")


def line(*parts: tuple[str, float]) -> list[Stretch]:
    """Verdicts, each until then."""
    made, start = [], 0.0
    for verdict, end in parts:
        made.append(Stretch(start, end, verdict))
        start = end
    return made


def outage(*gaps: Gap) -> Bad:
    return Bad("off", gaps[0].start, gaps[-1].end, MEDIA, gaps)


TRUTH = outage(Gap(100.0, 160.0))


def test_an_outage_is_as_late_as_its_ends_are() -> None:
    found = compare(CAMERA, TRUTH, line(("good", 121), ("bad", 161.5), ("good", 300)))
    assert (found.late_start_s, found.late_end_s, found.wrong_s) == (21.0, 1.5, 22.5)


def test_an_outage_in_pieces_is_wrong_by_what_is_between_them() -> None:
    found = compare(CAMERA, TRUTH, line(("good", 100), ("bad", 120), ("good", 130), ("bad", 160), ("good", 300)))
    assert (found.late_start_s, found.late_end_s, found.wrong_s) == (0.0, 0.0, 10.0)


def test_an_outage_that_nobody_reported_is_missed_and_wrong_as_a_whole() -> None:
    for verdict in ("good", "unknown"):
        found = compare(CAMERA, TRUTH, line((verdict, 300)))
        assert (found.late_start_s, found.wrong_s) == (None, 60.0)


@pytest.mark.parametrize(("rule", "beyond_s"), [(MEDIA, 1.5), (EMPTY, 0.0), (COVERED, 0.0), (lie(), 0.0)])
def test_an_outage_is_beyond_its_rule_by_what_no_rule_of_its_kind_allows(rule: object, beyond_s: float) -> None:
    assert isinstance(rule, type(MEDIA))
    truth = Bad("any", 100, 160, rule, (Gap(100, 160),))
    assert compare(CAMERA, truth, line(("good", 103), ("bad", 160), ("good", 300))).beyond_s == beyond_s
    early = compare(CAMERA, truth, line(("good", 100 - rule.late_start_s - 2), ("bad", 160), ("good", 300)))
    assert early.beyond_s == 2.0


def test_an_outage_is_held_against_what_was_reported_between_its_neighbours() -> None:
    gaps = [Gap(100, 110), Gap(112.5, 120)]
    first, second = map(outage, gaps)
    through = line(("good", 100), ("bad", 120), ("good", 300))
    assert compare(CAMERA, second, beside(through, second, gaps)).late_start_s == pytest.approx(-2.5)
    assert compare(CAMERA, second, through).late_start_s == -20 + 7.5
    assert compare(CAMERA, first, beside(through, first, gaps)).late_end_s == pytest.approx(2.5)


def test_media_between_two_outages_that_is_called_good_for_a_moment_parts_them() -> None:
    gaps = [Gap(100, 110), Gap(111.6, 120)]
    reported = line(("good", 100), ("bad", 110.4), ("good", 111.1), ("bad", 120), ("good", 300))
    first, second = (compare(CAMERA, outage(gap), beside(reported, gap, gaps)) for gap in gaps)
    assert first.late_end_s == pytest.approx(0.4)
    assert second.late_start_s == pytest.approx(-0.5)


def test_a_short_outage_that_was_called_bad_too_late_is_not_of_the_next_one() -> None:
    gaps = [Gap(100, 100.3), Gap(102, 120)]
    reported = line(("good", 100.4), ("bad", 100.6), ("good", 101.6), ("bad", 120), ("good", 300))
    assert compare(CAMERA, outage(gaps[1]), beside(reported, gaps[1], gaps)).late_start_s == pytest.approx(-0.4)


def test_what_was_called_bad_between_two_outages_is_of_the_first() -> None:
    gaps = [Gap(100, 110), Gap(111.6, 120)]
    reported = line(("good", 100), ("bad", 110), ("good", 110.5), ("bad", 110.9), ("good", 111.6), ("bad", 120))
    first, second = (compare(CAMERA, outage(gap), beside(reported, gap, gaps)) for gap in gaps)
    assert first.late_end_s == pytest.approx(0.9)
    assert second.late_start_s == pytest.approx(0.0)


def test_an_outage_that_was_called_bad_beyond_the_tolerance_is_not_parted_from_its_neighbour() -> None:
    gaps = [Gap(100, 110), Gap(113, 120)]
    reported = line(("good", 100), ("bad", 111.8), ("good", 112.5), ("bad", 120), ("good", 300))
    first, second = (compare(CAMERA, outage(gap), beside(reported, gap, gaps)) for gap in gaps)
    assert first.late_end_s == pytest.approx(1.8)
    assert second.late_start_s == -3


def test_what_was_called_good_of_the_media_amid_an_outage_that_flaps_is_right() -> None:
    reported = line(("good", 100), ("bad", 109.5), ("good", 111.5), ("bad", 120), ("good", 300))
    parts = outage(Gap(100, 110), Gap(111.4, 120))
    assert compare(CAMERA, parts, reported).wrong_s == pytest.approx(0.6)
    assert compare(CAMERA, outage(Gap(100, 120)), reported).wrong_s == pytest.approx(2.0)


def test_each_second_that_is_called_good_and_was_bad_is_untrue() -> None:
    reported = line(("good", 121), ("unknown", 130), ("good", 132), ("bad", 160), ("good", 300))
    assert [(one.start, one.end) for one in untrue_good([TRUTH], reported)] == [(100.5, 121), (130, 132)]
    assert untrue_good([TRUTH], line(("good", 100.5), ("bad", 159.5), ("good", 300))) == []


def test_seconds_of_two_outages_at_once_are_untrue_once() -> None:
    both = Bad("two", 100, 160, MEDIA, (Gap(100, 150), Gap(120, 160)))
    assert sum(one.end - one.start for one in untrue_good([both], line(("good", 300)))) == 59.0


def test_each_second_that_is_called_bad_and_was_good_is_untrue() -> None:
    reported = line(("good", 50), ("bad", 52), ("good", 90), ("bad", 170), ("good", 300))
    assert untrue_bad([TRUTH], [], [], reported) == [Gap(50, 52), Gap(90, 98.5), Gap(161.5, 170)]
    assert untrue_bad([TRUTH], [], [Gap(49, 53)], line(("good", 50), ("bad", 52), ("good", 300))) == []


def test_a_lie_may_be_called_bad_until_the_next_read_back_and_not_before_it_began() -> None:
    truth = Bad("discards", 100, 160, lie(), (Gap(100, 160),))
    assert untrue_bad([truth], [], [], line(("good", 100), ("bad", 160 + SETTLED_S), ("good", 300))) == []
    assert untrue_bad([truth], [], [], line(("good", 95), ("bad", 175), ("good", 300))) == [
        Gap(95, 98.5),
        Gap(172, 175),
    ]


def test_unknown_is_counted_where_nothing_disturbed_the_line() -> None:
    off = Window("off", 100, 160, frozenset({CAMERA}), settled=170)
    reported = line(("good", 20), ("unknown", 21), ("good", 95), ("unknown", 175), ("good", 300))
    calm_s = 300 - (170 + SETTLED_S - (100 - SETTLED_S))
    first, second = Stretch(20, 21, "unknown"), Stretch(95, 175, "unknown")
    assert unknown_when_good(CAMERA, [], [off], reported, Gap(0, 300)) == ([first], calm_s)
    other = ("cam-001", "camera")
    assert unknown_when_good(other, [], [off], reported, Gap(0, 300)) == ([first, second], 300.0)
    left = Stretch(160 + SETTLED_S, 175, "unknown")
    assert unknown_when_good(other, [Gap(100, 160)], [], reported, Gap(0, 300))[0] == [first, left]


def test_unknown_before_a_break_goes_back_to_what_was_last_called_good() -> None:
    assert unknown_before(TRUTH, line(("good", 88), ("unknown", 100), ("bad", 160), ("good", 300))) == 12.0
    assert unknown_before(TRUTH, line(("good", 103), ("bad", 160), ("good", 300))) == 0.0
    assert unknown_before(TRUTH, line(("good", 50), ("bad", 60), ("unknown", 100), ("bad", 300))) is None


def test_unknown_before_a_break_amid_a_wrong_clock_goes_to_where_that_was_set() -> None:
    reported = line(("good", 86), ("unknown", 100), ("bad", 160), ("good", 300))
    assert unknown_before(TRUTH, reported, stepped=90.0) == 4.0
    assert unknown_before(TRUTH, reported, stepped=85.0) == 0.0


def test_overlaps_rests_and_percentiles() -> None:
    assert overlap_s(line(("good", 10), ("unknown", 20)), "unknown", 5, 15) == 5
    assert without(Gap(0, 10), [Gap(2, 3), Gap(2.5, 4), Gap(9, 12)]) == [Gap(0, 2), Gap(4, 9)]
    assert without(Gap(0, 10), [Gap(-1, 11)]) == []
    assert percentile([], 0.99) == 0.0
    assert percentile([float(one) for one in range(1, 201)], 0.99) == 198.0
