"""Plan against fact: what deviates, what is as agreed, and what nobody knows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.mandate.deviations import Agreed, Field, Observed, Verdict, compare
from reporting.domain.mandate.inspections import next_inspection

AGREED = Agreed(
    planned=True,
    excepted=False,
    codec="h265",
    width=1920,
    height=1080,
    fps=25,
    bandwidth_kbps=2048,
    transport="tcp",
    destinations=frozenset({"D1", "D2"}),
)
OBSERVED = Observed(
    "H.265", 1920, 1080, 24.9, 1900, "tcp", frozenset({"D1", "D2"}), frozenset({"D1", "D2"}), frozenset()
)


def deviating(agreed: Agreed, observed: Observed) -> list[tuple[str, str | None, str | None]]:
    return [
        (one.field.value, one.agreed, one.observed)
        for one in compare(agreed, observed)
        if one.verdict is Verdict.DEVIATES
    ]


def test_what_is_done_as_agreed_deviates_nowhere() -> None:
    assert {one.verdict for one in compare(AGREED, OBSERVED)} == {Verdict.AS_AGREED}


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        ({"codec": "h264"}, ("codec", "h265", "h264")),
        ({"width": 1280, "height": 720}, ("size", "1920x1080", "1280x720")),
        ({"fps": 12.5}, ("fps", "25", "12.5")),
        ({"bitrate_kbps": 4096.0}, ("bandwidth", "2048", "4096")),
        ({"transport": "udp"}, ("transport", "tcp", "udp")),
        ({"connected": frozenset({"D1"}), "not_connected": frozenset({"D2"})}, ("destination", "D2", None)),
        ({"connected": frozenset({"D1"}), "delivered": frozenset({"D1"})}, ("destination", "D2", None)),
        ({"connected": frozenset({"D1", "D2", "D3"}), "delivered": frozenset({"D3"})}, ("destination", None, "D3")),
    ],
)
def test_each_thing_that_differs_deviates_alone(seen: dict[str, object], found: tuple[str, str, str]) -> None:
    assert deviating(AGREED, replace(OBSERVED, **seen)) == [found]  # type: ignore[arg-type] # fields of Observed


def test_what_nobody_observed_deviates_from_nothing() -> None:
    unseen = Observed(delivered=frozenset({"D1", "D2"}))
    assert {one.verdict for one in compare(AGREED, unseen)} == {Verdict.NOT_OBSERVED}


def test_a_camera_that_is_sent_without_a_plan_deviates_from_having_one() -> None:
    unplanned = Agreed(planned=False, excepted=True)
    assert deviating(unplanned, OBSERVED) == [("plan", "agreed plan", "exception")]
    assert deviating(replace(unplanned, excepted=False), Observed(delivered=frozenset({"D1"}))) == []


def test_hevc_is_h265_and_auto_is_either_transport() -> None:
    found = compare(replace(AGREED, codec="HEVC", transport="auto"), replace(OBSERVED, transport="udp"))
    assert {one.verdict for one in found} == {Verdict.AS_AGREED}


@given(st.floats(1, 60), st.floats(1, 60))
def test_a_frame_rate_may_waver_by_a_tenth_or_one_picture(agreed: float, observed: float) -> None:
    (found,) = [
        one for one in compare(replace(AGREED, fps=agreed), replace(OBSERVED, fps=observed)) if one.field is Field.FPS
    ]
    assert (found.verdict is Verdict.AS_AGREED) == (abs(agreed - observed) <= max(1.0, agreed / 10))


@given(st.dates(), st.none() | st.dates(), st.dates(), st.integers(1, 60))
def test_an_inspection_is_never_overdue_on_its_last_day(since, last, on, every) -> None:  # type: ignore[no-untyped-def] # dates
    try:
        due = next_inspection(last, since, on, every_days=every)
    except OverflowError:
        return
    assert due.due_on >= since
    assert (due.overdue_days > 0) == (on > due.due_on)
