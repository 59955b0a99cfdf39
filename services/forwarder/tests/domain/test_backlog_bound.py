"""Who leaves media out when the process holds too much: the most backed-up, and never one below its fair share."""

from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.backpressure import (
    Bounds,
    Flow,
    fair_share,
    keyframe_came,
    lagged,
    most_backed_up,
    throttled,
)

QUEUES = st.dictionaries(st.integers(), st.integers(0, 4 << 20), max_size=400)
BOUND = 96 << 20


def test_backlog_bound_nobody_is_throttled_below_the_bound() -> None:
    assert most_backed_up({"a": 10, "b": 89}, 100) == []


def test_backlog_bound_the_largest_goes_first_and_those_that_hold_half_suffice() -> None:
    assert most_backed_up({"a": 20, "b": 60, "c": 30}, 100) == ["b"]


@given(QUEUES, st.integers(1, BOUND))
def test_backlog_bound_who_has_less_than_its_fair_share_pays_for_nobody(queues: dict[int, int], bound: int) -> None:
    chosen = most_backed_up(queues, bound)
    assert all(queues[key] > fair_share(bound, len(queues)) for key in chosen)
    others = [size for key, size in queues.items() if key not in chosen]
    assert all(queues[key] >= max(others, default=0) for key in chosen)


@given(QUEUES)
def test_backlog_bound_somebody_is_throttled_whenever_there_is_too_much(queues: dict[int, int]) -> None:
    bound = max(1, sum(queues.values()) - 1)
    above = any(size > fair_share(bound, len(queues)) for size in queues.values())
    assert bool(most_backed_up(queues, bound)) is (sum(queues.values()) >= bound and above)


def test_backlog_bound_whole_groups_are_left_out_until_there_is_room_and_a_keyframe() -> None:
    bounds, flow = Bounds(), throttled(Flow(), room_bytes=1000)
    assert (flow.flowing, flow.groups_dropped) == (False, 1)
    flow = keyframe_came(flow)
    assert (flow.flowing, flow.groups_dropped) == (False, 2)
    # Less than the destination's own bound demands, and more than there is room for.
    assert lagged(flow, bounds, buffered=1001, lag_s=0) is flow
    flow = lagged(flow, bounds, buffered=1000, lag_s=0)
    assert (flow.flowing, flow.overflowing) == (False, False)
    assert keyframe_came(flow).flowing


def test_backlog_bound_one_that_waits_for_a_keyframe_anyway_loses_no_further_group() -> None:
    flow = throttled(lagged(Flow(), Bounds(), buffered=8 << 20, lag_s=0), room_bytes=1000)
    assert (flow.groups_dropped, flow.room_bytes) == (1, 1000)
