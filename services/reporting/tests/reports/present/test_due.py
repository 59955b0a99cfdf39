"""When a camera may stand otherwise by itself, in milliseconds."""

from itertools import pairwise
from uuid import uuid4

from reporting.domain.evidence.lives import Life
from reporting.domain.evidence.media import TAKEN
from reporting.domain.scope import FOREVER, Camera, Facility, Named, Piece
from reporting.domain.segments import Segment
from reporting.reports.accounts import Material
from reporting.reports.present.account import DAY, question_at
from reporting.reports.present.due import Instants
from reporting.storage.history import Stored
from reporting.storage.lives import Watch

NOW = 1_796_000_000_000
QUESTION = question_at(NOW, 15_000)
FACILITY = Facility(
    uuid4(), "KCL-01", "Khách sạn", "hotel", False, Named(uuid4(), "D1", "Huyện 1"), Named(uuid4(), "A1", "Công an")
)


def _camera(*bounds: int) -> Camera:
    piece = Piece(FACILITY, None, ())
    pieces = tuple(Segment(start, end, piece) for start, end in pairwise(bounds))
    return Camera(str(uuid4()), "CAM-01", "Cổng", FACILITY, (), pieces)


def _material(*lives: Life) -> Material:
    return Material(QUESTION, Stored((), (), ()), Watch({}, {"prober": [*lives]}, [*lives]), {})


def test_what_goes_on_beyond_what_was_read_is_no_instant() -> None:
    whole = _camera(NOW - DAY, NOW)
    watching = Life(NOW - 3 * DAY, NOW + 1)
    assert Instants(_material(watching)).next_change(whole) == FOREVER


def test_a_plan_that_changed_within_the_day_counts_until_it_leaves_it() -> None:
    changed = NOW - 1_000
    assert Instants(_material()).next_change(_camera(NOW - DAY, changed, NOW)) == changed + TAKEN
    earlier = NOW - TAKEN - 1_000
    assert Instants(_material()).next_change(_camera(NOW - DAY, earlier, NOW)) == earlier + DAY


def test_a_life_that_ended_counts_until_it_leaves_the_day() -> None:
    ended = NOW - TAKEN - 1_000
    assert Instants(_material(Life(NOW - 3 * DAY, ended))).next_change(_camera(NOW - DAY, NOW)) == ended + DAY
