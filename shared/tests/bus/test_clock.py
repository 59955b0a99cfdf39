"""Times are the NATS server's, whatever this machine's clock says (skew)."""

import asyncio
import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from vonggac.bus import Bus, ServerClock
from vonggac.bus.clock import MAX_ERROR_S, MAX_SKEW_S, Measurement, export_clock
from vonggac.testing import eventually

START_S = 1_800_000_000.0


class Clocks:
    """Two clocks that a test sets."""

    def __init__(self, skew_s: float = 0.0) -> None:
        self.wall_s, self.elapsed_s = START_S + skew_s, 100.0

    def pass_by(self, seconds: float) -> None:
        self.wall_s += seconds
        self.elapsed_s += seconds

    def clock(self) -> ServerClock:
        return ServerClock(wall=lambda: self.wall_s, elapsed=lambda: self.elapsed_s)

    def measured(self, server_s: float, round_trip_s: float = 0.02) -> Measurement:
        """The server answers `server_s`, read now, in the middle of the round trip."""
        half_s = round_trip_s / 2
        return Measurement.of(asked_s=self.elapsed_s - half_s, server_s=server_s, answered_s=self.elapsed_s + half_s)


def skewed(by_s: float) -> ServerClock:
    return ServerClock(wall=lambda: time.time() + by_s)


def test_skew_is_unknown_until_the_first_measurement() -> None:
    clocks = Clocks(180)
    clock = clocks.clock()
    assert (clock.skew_s, clock.error_s) == (None, None)
    assert clock.unix_s() == START_S + 180


@pytest.mark.parametrize("skew_s", [-600.0, -180.0, 0.0, 180.0, 600.0])
def test_skew_is_corrected_to_within_half_the_round_trip(skew_s: float) -> None:
    clocks = Clocks(skew_s)
    clock = clocks.clock()
    clock.use_measurement(clocks.measured(START_S))
    clocks.pass_by(5.0)
    assert clock.unix_s() == pytest.approx(START_S + 5.0)
    assert clock.skew_s == pytest.approx(skew_s)
    assert clock.error_s == pytest.approx(0.01 + 5.0 * 2e-4)


def test_skew_that_changes_while_we_work_moves_no_published_time() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clock.use_measurement(clocks.measured(START_S))
    clocks.wall_s += 3600
    assert clock.unix_s() == START_S
    assert clock.skew_s == 3600


def test_skew_is_taken_from_the_quickest_answer() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clock.use_measurement(clocks.measured(START_S, round_trip_s=0.01))
    clocks.pass_by(1.0)
    # A late answer that is off by less than it may be off.
    clock.use_measurement(clocks.measured(START_S + 1.3, round_trip_s=0.8))
    assert clock.unix_s() == pytest.approx(START_S + 1.0)


def test_skew_after_a_step_of_the_server_is_that_of_the_newest_answer() -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clock.use_measurement(clocks.measured(START_S, round_trip_s=0.001))
    clocks.pass_by(1.0)
    clock.use_measurement(clocks.measured(START_S + 121.0))
    assert clock.unix_s() == pytest.approx(START_S + 121.0)


async def test_skew_beyond_the_bound_degrades_and_an_old_measurement_is_not_ready() -> None:
    clocks = Clocks(MAX_SKEW_S + 1)
    clock = clocks.clock()
    assert "not measured" in str(await clock.check())
    clock.use_measurement(clocks.measured(START_S))
    assert await clock.check() is None
    assert await clock.check_skew() == "this machine's clock is 3.0 s fast; published times are corrected"
    clocks.wall_s = START_S
    assert await clock.check_skew() is None
    clocks.pass_by(MAX_ERROR_S / 2e-4)
    assert "known to 1.0 s only" in str(await clock.check())


def test_skew_is_a_metric() -> None:
    clocks, registry = Clocks(180), CollectorRegistry()
    clock = clocks.clock()
    skew = Gauge("vonggac_test_clock_skew_seconds", "Skew.", registry=registry)
    error = Gauge("vonggac_test_clock_error_seconds", "Error.", registry=registry)
    export_clock(clock, skew=skew, error=error)
    assert b"clock_skew_seconds NaN" in generate_latest(registry)
    clock.use_measurement(clocks.measured(START_S))
    assert b"vonggac_test_clock_skew_seconds 180.0" in generate_latest(registry)


@pytest.mark.parametrize("skew_s", [-600.0, 600.0])
async def test_skew_is_measured_at_the_real_server(bus: Bus, skew_s: float) -> None:
    clock = skewed(skew_s)
    await clock.settle(bus)
    assert abs(clock.unix_s() - time.time()) < 0.5
    assert clock.skew_s == pytest.approx(skew_s, abs=0.5)


async def test_skew_is_measured_anew_after_a_step_of_this_machines_clock(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vonggac.bus.clock.CHECK_EVERY_S", 0.05)
    offset, asked = [0.0], [0]
    clock = ServerClock(wall=lambda: time.time() + offset[0])
    measure: Callable[[Bus], object] = clock.measure

    async def counted(to: Bus) -> bool:
        asked[0] += 1
        return bool(await measure(to))  # type: ignore[misc] # the coroutine function above

    monkeypatch.setattr(clock, "measure", counted)
    running = asyncio.create_task(clock.run(bus))
    try:
        await eventually(lambda: asked[0] == 1)
        offset[0] = 30.0
        await eventually(lambda: asked[0] == 2)
        assert clock.skew_s == pytest.approx(30, abs=0.5)
        assert abs(clock.unix_s() - time.time()) < 0.5
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("by_s", [-150.0, -3.0, 3.0, 150.0])
def test_bus_clock_that_is_set_makes_a_worker_begin_anew(by_s: float) -> None:
    clocks = Clocks()
    clock = clocks.clock()
    clock.use_measurement(clocks.measured(START_S))
    awake = clock.new_awake()
    clocks.pass_by(1.0)
    clock.use_measurement(clocks.measured(START_S + 1.0))
    assert not awake.check()
    clocks.pass_by(1.0)
    clock.use_measurement(clocks.measured(START_S + 2.0 + by_s))
    assert awake.check()
    assert awake.since.timestamp() == pytest.approx(START_S + 2.0 + by_s)
    assert clock.steps == 1
