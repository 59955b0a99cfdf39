"""A slow destination loses whole groups of pictures, and goes on at a keyframe."""

from forwarder.domain.backpressure import Bounds, Flow, keyframe_came, lagged

BOUNDS = Bounds(buffer_bytes=1000, buffer_s=4.0)


def test_within_its_bounds_nothing_is_left_out() -> None:
    flow = Flow()
    assert lagged(flow, BOUNDS, buffered=999, lag_s=3.9) is flow


def test_too_many_bytes_or_too_old_ones_end_the_flow_and_count_one_group() -> None:
    for flow in (lagged(Flow(), BOUNDS, buffered=1000, lag_s=0), lagged(Flow(), BOUNDS, buffered=0, lag_s=4)):
        assert (flow.flowing, flow.overflowing, flow.groups_dropped) == (False, True, 1)


def test_every_keyframe_that_finds_no_room_is_another_lost_group() -> None:
    full = lagged(Flow(), BOUNDS, buffered=1000, lag_s=0)
    assert keyframe_came(keyframe_came(full)).groups_dropped == 3


def test_the_flow_goes_on_at_a_keyframe_after_three_quarters_have_drained() -> None:
    full = lagged(Flow(), BOUNDS, buffered=1000, lag_s=0)
    half = lagged(full, BOUNDS, buffered=500, lag_s=0)
    assert not keyframe_came(half).flowing
    drained = lagged(full, BOUNDS, buffered=250, lag_s=1.0)
    assert not drained.flowing
    assert keyframe_came(drained).flowing
    assert keyframe_came(drained).groups_dropped == 1


def test_a_new_session_waits_for_its_first_keyframe_without_counting_a_loss() -> None:
    new = Flow(flowing=False)
    assert keyframe_came(new) == Flow(flowing=True)


def test_the_reason_of_what_is_left_out_is_that_with_which_it_began() -> None:
    bytes_first = keyframe_came(lagged(lagged(Flow(), BOUNDS, buffered=1000, lag_s=0), BOUNDS, buffered=500, lag_s=5))
    assert (bytes_first.groups_dropped, bytes_first.groups_late) == (2, 0)
    seconds_first = keyframe_came(lagged(Flow(), BOUNDS, buffered=500, lag_s=4))
    assert (seconds_first.groups_dropped, seconds_first.groups_late) == (2, 2)
