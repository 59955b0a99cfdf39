"""When a camera is up and at both centres: the same time that the account calls compliant; and since when for good."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.claims import Status
from reporting.domain.evidence.proven import Found, Proven
from reporting.domain.mandate.connection import SUSTAINED, compliant_line, sustained_since
from reporting.domain.partition import DeliveryLine, Seen, account
from reporting.domain.segments import Period, Segment
from reporting.domain.timeline import CameraState
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import DestinationRole

PERIOD = Period(0, 1000)
MINUTE = 60_000


@st.composite
def lines(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> list[Segment[Any]]:
    cuts = sorted(draw(st.sets(st.integers(-50, 1050), max_size=10)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return [Segment(start, end, draw(values)) for start, end in pairs]


STATUSES = st.sampled_from([state.value for state in DeliveryState]).map(lambda state: Status(state, None, 0))
SEEN = st.sampled_from([CameraState.UP, CameraState.DOWN, CameraState.UNKNOWN]).map(lambda state: Seen(state, None, 0))
DELIVERIES = st.builds(
    DeliveryLine,
    st.sampled_from([None, *DestinationRole]),
    st.sampled_from(["acknowledged", "verified"]),
    st.booleans(),
    lines(STATUSES),
    st.builds(
        Proven,
        lines(st.sampled_from([Found(True, False), Found("timeout", False), Found("mismatch", True)])),
        lines(st.just("mismatch")),
        st.sampled_from([0, 40]),
    ),
)


@given(lines(SEEN), st.lists(DELIVERIES, max_size=4), lines(st.just(True)))
def test_the_line_and_the_account_agree(
    seen: list[Segment[Seen]], deliveries: list[DeliveryLine], maintenance: list[Segment[bool]]
) -> None:
    found = compliant_line(PERIOD, seen, deliveries, maintenance)
    assert sum(one.end - one.start for one in found) == account(PERIOD, seen, deliveries, maintenance).camera.compliant
    assert all(PERIOD.start <= one.start < one.end <= PERIOD.end for one in found)
    assert all(one.end < other.start for one, other in pairwise(found))


def on(*minutes: tuple[float, float]) -> list[Segment[bool]]:
    return [Segment(round(start * MINUTE), round(end * MINUTE), True) for start, end in minutes]


HOUR = Period(0, 60 * MINUTE)
ALWAYS = on((0, 60))


def test_ten_unbroken_minutes_of_all_cameras_connect_a_facility() -> None:
    first, second = on((0, 25)), on((5, 12), (14, 60))
    assert sustained_since(HOUR, [(ALWAYS, first), (ALWAYS, second)]) == 14 * MINUTE
    assert sustained_since(HOUR, [(ALWAYS, on((5, 14.99)))]) is None
    assert sustained_since(HOUR, [(ALWAYS, on((5, 15)))]) == 5 * MINUTE


def test_a_camera_that_is_not_there_yet_holds_nothing_back_and_none_at_all_connects_nothing() -> None:
    assert sustained_since(HOUR, [(ALWAYS, on((10, 60))), (on((30, 60)), on((40, 60)))]) == 10 * MINUTE
    assert sustained_since(HOUR, [(on((0, 5)), on((0, 60)))]) is None
    assert sustained_since(HOUR, []) is None


@given(lines(st.just(True)), lines(st.just(True)))
def test_no_stretch_is_shorter_than_ten_minutes(counted: list[Segment[bool]], connected: list[Segment[bool]]) -> None:
    scale = SUSTAINED // 100
    grown = [[Segment(one.start * scale, one.end * scale, True) for one in line] for line in (counted, connected)]
    period = Period(0, 1000 * scale)
    found = sustained_since(period, [(grown[0], grown[1])])
    good = {
        minute
        for minute in range(1000)
        if all(any(one.start <= minute < one.end for one in line) for line in (counted, connected))
    }
    starts = [minute for minute in range(901) if all(minute + step in good for step in range(100))]
    assert found == (starts[0] * scale if starts else None)
