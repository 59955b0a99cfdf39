"""What comes between keyframes, second by second."""

import pytest

from forwarder.domain.picture.rate import DeltaRate


def test_the_rate_between_keyframes_leaves_keyframes_and_the_first_reading_out() -> None:
    rate = DeltaRate()
    assert not rate.read_total(10.0, 5000)
    rate.leave_out(30_000)
    assert rate.read_total(11.0, 45_000)
    assert rate.read_total(13.0, 47_000)
    assert list(rate.seconds) == [(10.0, 10_000.0), (11.0, 1000.0)]
    assert rate.shrank_at(10_000.0) is None
    assert rate.shrank_at(1000.0) is None
    rate.read_total(14.0, 47_500)
    assert rate.shrank_at(10_000.0) == 11.0
    rate.begin_anew()
    assert rate.least_since(0.0) is None


def test_a_keyframe_that_is_read_partly_at_a_second_does_not_hide_that_deltas_shrank() -> None:
    rate = DeltaRate()
    rate.read_total(0.0, 0)
    total = 0
    for second in range(1, 5):
        # Half of each keyframe comes before the reading, and is known as one after it.
        rate.leave_out(30_000 if second > 1 else 0)
        total += 300 + (15_000 if second == 1 else 30_000)
        rate.read_total(float(second), total)
    rate.leave_out(30_000)
    rate.read_total(5.0, total + 15_300)
    assert max(octets for _, octets in rate.seconds) <= 15_500
    assert rate.shrank_at(80_000) == 0.0


@pytest.mark.parametrize(
    ("rates", "left"),
    [((500, 400), 0.009), ((500, 400, 30_000), 0.009), ((500, 400, 8_000), 0.009), ((500, 30_000), None)],
)
def test_one_second_alone_of_more_does_not_end_what_has_shrunk(rates: tuple[int, ...], left: float | None) -> None:
    rate, total = DeltaRate(), 0
    rate.read_total(0.0, 0)
    for second, octets in enumerate(rates, start=1):
        total += octets
        rate.read_total(float(second), total)
    assert rate.shrunk_to(50_000) == left


def test_one_odd_second_does_not_put_off_the_beginning_of_what_has_shrunk() -> None:
    rate, total = DeltaRate(), 0
    rate.read_total(0.0, 0)
    for second, octets in enumerate((40_000, 900, 25_000, 800, 24_000), start=1):
        total += octets
        rate.read_total(float(second), total)
    assert rate.shrank_at(30_000.0) is None, "two of them are no odd one"
    rate.read_total(6.0, total + 700)
    rate.read_total(7.0, total + 1500)
    assert rate.shrank_at(30_000.0) == 3.0
