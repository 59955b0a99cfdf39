"""A camera that was being connected: only at first, only if it came up in time, only of two causes (rule 6)."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.compliance import RULE_BEFORE_BEING_CONNECTED, RULE_VERSION, RULE_VI, rule_in_words
from reporting.domain.mandate.being_connected import EXCUSED, MOST, exclude_being_connected, excused, first_connection
from reporting.domain.scope import Absence, Facility, Named, Piece, Reason
from reporting.domain.segments import Period, Segment

NOBODY = Named(UUID(int=1), "A", "A")
PLACE = Facility(UUID(int=2), "KCL-01", "Khu cách ly", "school", False, NOBODY, NOBODY)
COUNTED = Piece(PLACE, None, ())
SUSPENDED = Piece(PLACE, Absence(Reason.FACILITY_SUSPENDED), ())


def test_only_a_wrong_login_and_a_frozen_picture_are_excused() -> None:
    assert {"auth_failed", "frozen"} == EXCUSED


def test_it_is_the_time_before_the_first_probe_that_found_it_up() -> None:
    assert first_connection(1000, 5000, 0) == Period(1000, 5000)


def test_a_camera_that_did_not_come_up_within_half_an_hour_was_never_being_connected() -> None:
    assert first_connection(1000, None, 0) is None
    assert first_connection(1000, 1000 + MOST, 0) == Period(1000, 1000 + MOST)
    assert first_connection(1000, 1000 + MOST + 1, 0) is None


def test_a_camera_that_was_found_up_before_it_was_planned_is_never_being_connected() -> None:
    assert first_connection(1000, 1000, 0) is None
    assert first_connection(1000, 10, 0) is None


def test_time_before_the_rule_keeps_its_account() -> None:
    assert first_connection(1000, 9000, 4000) == Period(4000, 9000)
    assert first_connection(1000, 9000, 9000) is None


def test_only_what_probes_found_meanwhile_is_out_of_scope() -> None:
    spans = excused(Period(10, 40), [Period(0, 15), Period(15, 20), Period(25, 30), Period(38, 90)])
    assert spans == (Period(10, 20), Period(25, 30), Period(38, 40))
    assert excused(Period(10, 40), [Period(0, 10), Period(40, 50)]) == ()


def test_what_is_out_of_scope_for_another_reason_keeps_it() -> None:
    plan = (Segment(0, 10, COUNTED), Segment(10, 20, SUSPENDED), Segment(20, 30, COUNTED))
    found = exclude_being_connected(plan, [Period(5, 25)])
    reasons = [(one.start, one.end, one.value.absence and one.value.absence.reason) for one in found]
    assert reasons == [
        (0, 5, None),
        (5, 10, Reason.BEING_CONNECTED),
        (10, 20, Reason.FACILITY_SUSPENDED),
        (20, 25, Reason.BEING_CONNECTED),
        (25, 30, None),
    ]


@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_every_moment_is_excused_exactly_where_a_span_says_so(bounds: list[int], lengths: list[int]) -> None:
    places = sorted(set(bounds))
    spans = [Period(*pair) for pair in zip(places[::2], places[1::2], strict=False)]
    plan, at = list[Segment[Piece]](), 0
    for number, length in enumerate(lengths):
        plan.append(Segment(at, at + length, SUSPENDED if number % 3 == 1 else COUNTED))
        at += length
    found = exclude_being_connected(plan, spans)
    assert [(one.start, one.end) for one in found[1:]] == [(before.end, one.end) for before, one in pairwise(found)], (
        "without a gap"
    )
    for moment in range(at):
        (before,) = (one.value for one in plan if one.start <= moment < one.end)
        (after,) = (one.value for one in found if one.start <= moment < one.end)
        being_connected = before is COUNTED and any(start <= moment < end for start, end in spans)
        assert (after.absence == Absence(Reason.BEING_CONNECTED)) == being_connected
        assert being_connected or after is before


def test_a_report_of_rule_5_keeps_its_words_letter_by_letter() -> None:
    now, before = rule_in_words(RULE_VERSION), rule_in_words(RULE_BEFORE_BEING_CONNECTED)
    assert now == RULE_VI
    assert now is not None
    assert before is not None
    assert "đang đấu nối" in now
    assert "đấu nối" not in before
    assert "“đã kiểm chứng”" in now
    assert "'đã kiểm chứng'" in before
    assert rule_in_words("3") is None
