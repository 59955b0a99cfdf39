"""Maintenance, outages, rounding, and laying lines over each other."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.instants import EPOCH, VIETNAM, format_instant, millis, moment
from reporting.domain.maintenance import Window, agreed, is_agreed
from reporting.domain.outages import Outage, accounted, confirmed, outage_figures, outages
from reporting.domain.partition import Seen
from reporting.domain.percentages import percentages, rounded
from reporting.domain.scope import Absence, Reason
from reporting.domain.segments import Period, Segment, overlay, value_at
from reporting.domain.timeline import CameraState

UP, DOWN = CameraState.UP, CameraState.DOWN


def seen(start: int, end: int, state: CameraState, cause: str | None = None, since: int | None = None) -> Segment[Seen]:
    return Segment(start, end, Seen(state, cause, start if since is None else since))


def test_a_window_entered_after_it_began_excuses_nothing() -> None:
    assert is_agreed(Window(10, 20, 5))
    assert not is_agreed(Window(10, 20, 10))
    assert not is_agreed(Window(10, 20, 15))


def test_a_window_cancelled_before_it_began_excuses_nothing() -> None:
    assert not is_agreed(Window(20, 20, 5))


def test_windows_that_touch_are_one() -> None:
    found = agreed([Window(10, 20, 0), Window(20, 30, 0), Window(15, 18, 0), Window(40, 50, 45)])
    assert found == [Segment(10, 30, True)]


def test_an_outage_lists_its_causes_in_order() -> None:
    line = [seen(0, 10, UP), seen(10, 20, DOWN, "timeout"), seen(20, 30, DOWN, "refused"), seen(30, 40, UP)]
    (found,) = outages(Period(0, 40), line, [], 100)
    assert (found.start, found.end, found.causes, found.ongoing) == (10, 30, ("timeout", "refused"), False)


def test_maintenance_is_no_outage_and_unknown_ends_one() -> None:
    line = [seen(0, 10, DOWN, "timeout"), seen(20, 60, DOWN, "timeout")]
    found = outages(Period(0, 60), line, [Segment(40, 50, True)], 60)
    assert [(one.start, one.end, one.ongoing) for one in found] == [(0, 10, False), (20, 40, False), (50, 60, True)]


def test_an_outage_that_began_before_the_period_says_so() -> None:
    (found,) = outages(Period(100, 200), [seen(50, 150, DOWN, "dns")], [], 300)
    assert (found.start, found.end, found.began_before) == (100, 150, True)


def test_the_accounted_line_has_no_gap() -> None:
    found = accounted(Period(0, 100), [seen(10, 30, UP), seen(50, 60, DOWN, "tls")], [Segment(20, 40, True)])
    assert [(one.start, one.end, one.value.state.value) for one in found] == [
        (0, 10, "unknown"),
        (10, 20, "up"),
        (20, 40, "maintenance"),
        (40, 50, "unknown"),
        (50, 60, "down"),
        (60, 100, "unknown"),
    ]


def test_percentages_without_time_are_none() -> None:
    assert percentages(0, 0, 0) == (None, None, None, None)
    assert rounded(None) is None
    assert [rounded(one) for one in (0.125, 99.995, 100.0, 7.0)] == ["0.13", "100.00", "100.00", "7.00"]


def test_times_are_shown_in_vietnam() -> None:
    assert format_instant(0) == "1970-01-01T07:00:00.000+07:00"
    assert millis(moment(1_234_567)) == 1_234_567


@given(st.integers(-(10**13), 10**14))
def test_a_time_is_shown_as_the_library_would(instant: int) -> None:
    library = (EPOCH + timedelta(milliseconds=instant)).astimezone(VIETNAM)
    assert format_instant(instant) == library.isoformat(timespec="milliseconds")


@given(st.lists(st.tuples(st.integers(-20, 120), st.integers(1, 40), st.booleans()), max_size=8))
def test_pieces_fill_the_period_and_carry_the_value_of_their_moment(spans: list[tuple[int, int, bool]]) -> None:
    line: list[Segment[bool]] = []
    for start, length, value in sorted(spans):
        if not line or start >= line[-1].end:
            line.append(Segment(start, start + length, value))
    at = 0
    for start, end, (value,) in overlay(Period(0, 100), [line]):
        assert start == at < end
        held = value_at(line, start)
        assert value == (None if held is None else held.value)
        at = end
    assert at == 100


def test_a_down_that_a_single_probe_saw_is_not_confirmed() -> None:
    alone = Segment(10, 20, Seen(DOWN, "timeout", 10, False))
    line = [seen(0, 10, UP), alone, seen(20, 30, UP)]
    assert [(one.start, one.end, one.value.state) for one in confirmed(line)] == [(0, 30, UP)]
    (found,) = outages(Period(0, 30), line, [], 100)
    assert (found.start, found.end, found.confirmed) == (10, 20, False)
    assert [one.value.state for one in confirmed([alone])] == [CameraState.UNKNOWN]


def test_two_failed_probes_of_different_causes_confirm_each_other() -> None:
    line = [
        seen(0, 10, UP),
        Segment(10, 20, Seen(DOWN, "timeout", 10, False)),
        Segment(20, 30, Seen(DOWN, "refused", 20, False)),
    ]
    assert confirmed(line) == line
    (found,) = outages(Period(0, 30), line, [], 100)
    assert (found.start, found.end, found.confirmed) == (10, 30, True)


def test_smoothing_moves_no_second_of_down_time() -> None:
    line = [seen(0, 10, UP), Segment(10, 20, Seen(DOWN, "timeout", 10, False)), seen(20, 30, UP)]
    assert sum(one.end - one.start for one in accounted(Period(0, 30), line, []) if one.value.state is DOWN) == 10


def test_an_outage_that_begins_at_the_first_moment_of_the_period_began_in_it() -> None:
    """Media that flowed up to that moment is in the line, too."""
    begins, went_on = [seen(0, 10, UP), seen(10, 20, DOWN), seen(20, 30, UP)], [seen(5, 20, DOWN), seen(20, 30, UP)]
    of_two_causes = [seen(5, 10, DOWN, "timeout"), seen(10, 20, DOWN, "refused"), seen(20, 30, UP)]
    lines = (begins, went_on, of_two_causes)
    assert [outages(Period(10, 30), line, [], 100)[0].began_before for line in lines] == [False, True, True]
    agreed, planned = [Segment(0, 10, True)], [Segment(0, 10, Absence(Reason.FACILITY_PLANNED))]
    for maintenance, absences in (agreed, []), ([], planned):
        (found,) = outages(Period(10, 30), went_on, maintenance, 100, absences)
        assert (found.start, found.end, found.began_before) == (10, 20, False)


def test_the_fault_of_a_site_is_one_outage_in_its_number_and_in_the_mean_times() -> None:
    """Ten cameras for half an hour each, and one for ten minutes: 20 minutes in the mean, not 28."""
    of_site = [(Outage(100 + number, 1900, (), False, False), "site") for number in range(10)]
    alone = (Outage(5000, 5600, (), False, False), None)
    figures = outage_figures(Period(0, 10_000), [*of_site, alone], 50_000)
    assert (figures.count, figures.site_faults, figures.mttr, figures.mtbf) == (2, 1, 1200, 25_000)
    assert outage_figures(Period(0, 1900), of_site, 50_000).mttr is None, "it may go on"
