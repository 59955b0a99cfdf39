"""Where a camera stood, and what its moves leave of the ledger's whole days."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.ledger import DAY, ORIGIN, cut, day_of, midnight
from reporting.domain.scope import Absence, Camera, Facility, Named, Piece, Reason
from reporting.domain.segments import Period, Segment
from reporting.reports.availability.stays import Stay, stayed, whole_days

HOUR = 3_600_000
FIRST = ORIGIN + 100
OPEN_FROM = FIRST + 9


def place(number: int, name: str = "Khu cách ly") -> Facility:
    unit, agency = Named(UUID(int=number), f"D{number}", None), Named(UUID(int=99), "SYT", None)
    return Facility(UUID(int=50), "KCL-01", name, "school", restricted=False, unit=unit, agency=agency)


def camera(*stays: tuple[int, Facility | None], end: int) -> Camera:
    """At each place since a moment; None: at one that is not asked for."""
    away = Piece(place(7), Absence(Reason.ELSEWHERE), ())
    pieces = [
        Segment(start, until, away if at is None else Piece(at, None, ()))
        for (start, at), (until, _) in pairwise([*stays, (end, None)])
    ]
    return Camera("1", "CAM-01", "Cổng chính", place(1), (), tuple(pieces))


def test_a_new_name_is_no_move() -> None:
    start, end = midnight(FIRST), midnight(FIRST + 5)
    assert stayed(camera((start, place(1)), (start + HOUR, place(1, "Trường Lao Bảo")), end=end))
    assert not stayed(camera((start, place(1)), (start + HOUR, place(2)), end=end))
    assert not stayed(camera((start, place(1)), (start + HOUR, None), end=end))


def test_a_move_at_midnight_leaves_no_day_and_one_at_noon_leaves_its_own() -> None:
    period = Period(midnight(FIRST), midnight(FIRST + 8))
    divided = cut(period, OPEN_FROM)
    assert divided is not None
    noon = midnight(FIRST + 5) + 12 * HOUR
    moved = camera((period.start, place(1)), (midnight(FIRST + 2), None), (noon, place(2)), end=period.end)
    found = whole_days(moved, divided)
    assert found.stays == [
        Stay(FIRST, FIRST + 2, place(1)),
        Stay(FIRST + 2, FIRST + 5, None),
        Stay(FIRST + 6, FIRST + 8, place(2)),
    ]
    assert found.moved == [FIRST + 5]


@given(st.sets(st.integers(1, 10 * 24 - 1), max_size=8), st.integers(0, 30), st.integers(0, 30))
def test_every_whole_day_is_of_one_stay_or_one_on_which_the_camera_moved(
    hours: set[int], before: int, after: int
) -> None:
    period = Period(midnight(FIRST) - before * HOUR, midnight(FIRST + 10) + after * HOUR)
    divided = cut(period, OPEN_FROM)
    assert divided is not None
    places = [place(1), place(2), None]
    starts = [period.start, *(midnight(FIRST) + hour * HOUR for hour in sorted(hours))]
    moved = camera(*((at, places[number % 3]) for number, at in enumerate(starts)), end=period.end)
    found = whole_days(moved, divided)
    stayed = [day for stay in found.stays for day in range(stay.first, stay.last)]
    assert sorted([*stayed, *found.moved]) == list(range(divided.first, divided.last))
    for day in found.moved:
        assert any(day_of(at) == day and at != midnight(day) for at in starts[1:]), "something happened on it"
    for stay in found.stays:
        assert not any(midnight(stay.first) < at < midnight(stay.last) for at in starts)
    assert sum((stay.last - stay.first) * DAY for stay in found.stays) <= period.length
