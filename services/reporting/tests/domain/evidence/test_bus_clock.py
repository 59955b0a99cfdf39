"""Which time the clock of the bus showed twice, or wrongly."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.bus_clock import (
    LEAST_STEP,
    Era,
    Step,
    Stored,
    Twice,
    common_spans,
    counts_since,
    find_returns,
    find_steps,
    shown_twice,
)
from reporting.domain.evidence.lives import Life


def stored(*times_s: int, first: int = 1) -> list[Stored]:
    return [Stored(sequence, at * 1000) for sequence, at in zip(count(first), times_s, strict=False)]


def test_bus_clock_that_goes_on_shows_no_step() -> None:
    assert find_steps(None, stored(0, 1, 1, 150)) == ([], Stored(4, 150_000))
    assert find_steps(None, []) == ([], None)


def test_bus_clock_that_is_set_back_shows_one_step_however_many_messages_follow() -> None:
    before = Stored(3, 210_000)
    found, newest = find_steps(None, stored(0, 150, 210, 60, 61, 40))
    assert found == [Step(before, Stored(6, 40_000))]
    assert newest == before
    # The next batch is still of the time that was shown before, then one is past it.
    assert find_steps(before, stored(62, 212, first=7)) == ([Step(before, Stored(7, 62_000))], Stored(8, 212_000))


def test_bus_clock_of_a_message_that_comes_late_is_no_step() -> None:
    assert find_steps(Stored(9, 90_000), stored(1, 2, 3)) == ([], Stored(9, 90_000))
    assert find_steps(Stored(9, 90_000), [Stored(10, 90_000 - LEAST_STEP)]) == ([], Stored(9, 90_000))


@given(st.lists(st.integers(0, 400), min_size=1, max_size=30), st.integers(1, 5))
def test_bus_clock_shows_the_same_in_batches_of_whatever_size(times_s: list[int], size: int) -> None:
    messages = stored(*times_s)
    whole, last = find_steps(None, messages)
    parts: dict[Stored, Stored] = {}
    newest = None
    for start in range(0, len(messages), size):
        found, newest = find_steps(newest, messages[start : start + size])
        for before, after in found:
            parts[before] = min(after, parts.get(before, after), key=lambda one: (one.at, one.sequence))
    assert newest == last
    assert [(one.before, one.after.at) for one in whole] == [(before, after.at) for before, after in parts.items()]


def test_bus_clock_that_showed_a_time_twice_has_what_came_after_change_nothing_before_its_end() -> None:
    twice = [Twice(60, 210, last_before=5)]
    assert [twice[0].voids(*fact) for fact in ((5, 100), (6, 100), (6, 59), (6, 210))] == [False, True, False, False]
    assert [counts_since(twice, *fact) for fact in ((5, 300), (6, 59), (6, 210), (9, 300))] == [0, 0, 210, 210]


def eras(*given: tuple[int, int, int]) -> list[Era]:
    return [Era(Life(start, end), stepped) for start, end, stepped in given]


def test_bus_clock_that_is_the_same_again_was_wrong_in_between() -> None:
    outer = eras((0, 100, 0), (250, 310, 150_000), (320, 330, 180_000), (340, 350, 150_000), (500, 600, 300))
    assert find_returns(outer).excursions == [Life(100, 500)]
    assert find_returns(eras((0, 100, 0), (250, 310, 150_000))).excursions == []
    assert find_returns(eras((0, 100, 0), (250, 310, 0))).holes == [Life(100, 250)]


def test_bus_clock_is_wrong_in_what_all_that_met_it_have_in_common() -> None:
    assert common_spans([Life(100, 500), Life(104, 510), Life(900, 950)]) == [Life(104, 500), Life(900, 950)]


def test_bus_clock_that_was_slow_for_a_while_showed_rightly_what_it_showed_before() -> None:
    slow = find_returns(eras((0, 400, 0), (460, 600, 0)))
    assert shown_twice([Life(250, 402)], [slow]) == [Life(400, 402)]
    # Of one that was fast until then, nobody met the right clock before.
    fast = find_returns(eras((0, 610, 0), (620, 700, -150_000)))
    assert shown_twice([Life(460, 612)], [fast]) == [Life(460, 612)]
    assert shown_twice([Life(460, 612)], [find_returns(eras((0, 470, 0), (480, 700, 0)))]) == [Life(460, 612)]
