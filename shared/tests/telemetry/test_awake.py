"""A worker that was asleep knows it, whatever its clocks did meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from vonggac.telemetry.awake import Awake

START = datetime(2026, 11, 26, tzinfo=UTC)


class Clocks:
    """Two clocks that a test sets."""

    def __init__(self) -> None:
        self.wall, self.monotonic_s = START, 100.0

    def __call__(self) -> tuple[datetime, float]:
        return self.wall, self.monotonic_s

    def pass_by(self, wall_s: float, monotonic_s: float) -> None:
        self.wall += timedelta(seconds=wall_s)
        self.monotonic_s += monotonic_s


def test_a_worker_that_ticks_is_awake_since_its_start() -> None:
    clocks = Clocks()
    awake = Awake(clocks=clocks)
    for _ in range(100):
        clocks.pass_by(1.0, 1.0)
        assert not awake.check()
    assert (awake.since, awake.holes) == (START, 0)


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s"),
    [
        (150.0, 150.0),  # stopped
        (120.0, 0.5),  # a paused machine whose clock was set afterwards
        (-30.0, 150.0),  # the wall clock was set back meanwhile
    ],
)
def test_a_worker_that_was_asleep_is_awake_since_it_woke_up(wall_s: float, monotonic_s: float) -> None:
    clocks = Clocks()
    awake = Awake(clocks=clocks)
    clocks.pass_by(wall_s, monotonic_s)
    assert awake.check()
    assert (awake.since, awake.holes) == (clocks.wall, 1)
    clocks.pass_by(1.0, 1.0)
    assert not awake.check()


def test_bus_clock_that_is_set_forward_or_back_is_a_hole_and_what_it_shows_twice_ends_with_one() -> None:
    clocks, steps = Clocks(), [0]
    awake = Awake(clocks=clocks, steps=lambda: steps[0])
    clocks.pass_by(3.0, 1.0)
    steps[0] += 1
    assert awake.check()
    assert awake.since == START + timedelta(seconds=3)
    clocks.pass_by(-60.0, 1.0)
    steps[0] += 1
    assert awake.check()
    assert awake.since == START - timedelta(seconds=57)
    # It shows what it showed before until START + 3 s, and others may have been 5 s longer at that.
    for _ in range(64):
        clocks.pass_by(1.0, 1.0)
        assert not awake.check()
    clocks.pass_by(1.0, 1.0)
    assert awake.check()
    assert awake.since == START + timedelta(seconds=8)
    clocks.pass_by(1.0, 1.0)
    assert not awake.check()


def test_bus_clock_that_steps_during_a_sleep_is_one_hole() -> None:
    clocks, steps = Clocks(), [0]
    awake = Awake(clocks=clocks, steps=lambda: steps[0])
    clocks.pass_by(150.0, 1.0)
    steps[0] += 1
    assert awake.check()
    clocks.pass_by(1.0, 1.0)
    assert not awake.check()
    assert awake.holes == 1
