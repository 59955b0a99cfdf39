"""The NATS server's clock, as this process knows it: what is published is dated by it, not by this machine's own.

A worker's clock may be minutes off, or be set while it works. JetStream dates what it stores, so the leader of
OBSERVATIONS has the clock that all facts are held against. The server's answer to a question about that stream carries
its time (`ts`); it was read between our asking and its coming, so half the round trip bounds the error. Nothing is
written, and no fact need be published first.

Between two measurements time goes on by a clock that nobody sets and that counts a suspended machine's time
(CLOCK_BOOTTIME). This machine's wall clock is used only until the first measurement.
"""

import asyncio
import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from nats.aio.client import Client
from nats.errors import Error as NatsError
from prometheus_client import Gauge

from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.telemetry.awake import Awake
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

MEASURE_EVERY_S = 10.0
AT_FIRST = 3
"""Measurements in a row at the beginning: the quickest answer counts."""
ANSWER_WITHIN_S = 2.0
RETRY_AFTER_S = 0.5
CHECK_EVERY_S = 1.0
"""How soon a step of this machine's clock is noticed, and the server's time measured anew."""
KEPT = 8
DRIFT_PER_S = 2e-4
"""What two clocks may drift apart in a second: a bad crystal and NTP's slewing together."""
MAX_SKEW_S = 2.0
"""A clock further off makes the worker degraded: what it publishes is corrected, its machine wants NTP."""
MAX_ERROR_S = 1.0
"""Of the measurement. Beyond it nobody knows what a fact's time is worth."""
STEP_S = 0.5
"""Wall clock and monotonic clock may come apart by so much without a step or a sleep."""


class _Connection(Protocol):
    """What of `Bus` is needed; it holds a clock itself."""

    @property
    def client(self) -> Client: ...
    @property
    def reconnection(self) -> asyncio.Event: ...


_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed_s() -> float:
    """Seconds from an arbitrary zero; a suspended machine's time counts, and nobody sets it."""
    return time.clock_gettime(_ELAPSED)


class SteadyInstant(NamedTuple):
    """An instant by the machine's steady clock: every process of one boot reads the same, and nobody sets it."""

    boot: str
    elapsed_ms: int


@lru_cache
def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None


def steady_now() -> SteadyInstant | None:
    """None on a system that does not say which boot it is of."""
    boot = _boot()
    return None if boot is None else SteadyInstant(boot, round(elapsed_s() * 1000))


def waited_ms(since: SteadyInstant | None) -> int | None:
    """Milliseconds from an instant to now; None where it is of another boot, or not known."""
    now = steady_now()
    return None if now is None or since is None or since.boot != now.boot else max(0, now.elapsed_ms - since.elapsed_ms)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The server's seconds since 1970 at `elapsed_s` of ours, good to `error_s`."""

    elapsed_s: float
    server_s: float
    error_s: float

    @classmethod
    def of(cls, *, asked_s: float, server_s: float, answered_s: float) -> "Measurement":
        """`asked_s`, `answered_s`: our elapsed seconds; the server read its clock in between."""
        return cls((asked_s + answered_s) / 2, server_s, (answered_s - asked_s) / 2)

    def error_at(self, elapsed: float) -> float:
        return self.error_s + DRIFT_PER_S * abs(elapsed - self.elapsed_s)

    def server_at(self, elapsed: float) -> float:
        return self.server_s + (elapsed - self.elapsed_s)


class ServerClock:
    """One per process. `now` is the server's time; `run` keeps it measured."""

    def __init__(self, *, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_s) -> None:
        """`wall`: this machine's seconds since 1970; `elapsed`: seconds that nobody sets."""
        self._wall, self._elapsed = wall, elapsed
        self._kept: deque[Measurement] = deque(maxlen=KEPT)
        self._best: Measurement | None = None
        self.steps = 0
        """How often the server's clock was seen to be set: two answers contradicted each other by more than STEP_S."""
        self.stepped_s = 0.0
        """By how many seconds in sum, forward less back: the same again is the same clock again."""
        self._apart_s = wall() - elapsed()

    def now(self) -> datetime:
        """Return the server's time, aware UTC; this machine's own before the first measurement."""
        return datetime.fromtimestamp(self.unix_s(), UTC)

    def unix_s(self) -> float:
        """Return the server's time in seconds since 1970; this machine's own before the first measurement."""
        return self._wall() if self._best is None else self._best.server_at(self._elapsed())

    def new_awake(self) -> Awake:
        """Whether this process is awake from now on, by the server's time: a step of that is a hole too."""
        return Awake(clocks=lambda: (self.now(), self._elapsed()), steps=lambda: self.steps)

    def apart_s(self) -> float:
        """Compute this machine's wall clock minus its monotonic one: only a step or the machine's sleep changes it."""
        return self._wall() - time.monotonic()

    @property
    def measured(self) -> bool:
        """Whether the server has answered once since this process started."""
        return self._best is not None

    @property
    def skew_s(self) -> float | None:
        """This machine's clock minus the server's; None while not measured."""
        return None if self._best is None else self._wall() - self.unix_s()

    @property
    def correction_s(self) -> float:
        """What to add to this machine's clock to get the server's time; 0 while not measured."""
        return -(self.skew_s or 0.0)

    @property
    def error_s(self) -> float | None:
        """How far `now` may be off; it grows with the age of the measurement. None while not measured."""
        return None if self._best is None else self._best.error_at(self._elapsed())

    async def check(self) -> str | None:
        """Readiness: None when the server's time is known, otherwise one line."""
        error_s = self.error_s
        if error_s is None:
            return "the NATS server's clock is not measured yet"
        if error_s > MAX_ERROR_S:
            return f"the NATS server's clock is known to {error_s:.1f} s only: it does not answer, or very late"
        return None

    async def check_measured(self) -> str | None:
        """Readiness of who dates only: None once the server has answered; time goes on without it from then on."""
        return None if self.measured else "the NATS server's clock is not measured yet"

    async def check_skew(self) -> str | None:
        """Degradation: None while this machine's clock is within MAX_SKEW_S of the server's, otherwise one line."""
        skew_s = self.skew_s
        if skew_s is None or abs(skew_s) <= MAX_SKEW_S:
            return None
        word = "fast" if skew_s > 0 else "slow"
        return f"this machine's clock is {abs(skew_s):.1f} s {word}; published times are corrected"

    def use_measurement(self, measured: Measurement) -> None:
        """Use a measurement. One that contradicts what was known replaces it: a clock was set, or a machine slept."""
        at = measured.elapsed_s
        best = self._best
        if best is not None:
            off_s = measured.server_s - best.server_at(at)
            if abs(off_s) > measured.error_s + best.error_at(at):
                log.warning("clock_stepped", by_s=round(off_s, 3))
                self._kept.clear()
                self.steps += abs(off_s) > STEP_S
                self.stepped_s += off_s
        self._kept.append(measured)
        self._best = min(self._kept, key=lambda one: one.error_at(at))

    async def measure(self, bus: _Connection) -> bool:
        """Ask the server once; False when it does not answer."""
        asked_s = self._elapsed()
        try:
            reply = await bus.client.request(subjects.stream_info(topology.OBSERVATIONS), b"", timeout=ANSWER_WITHIN_S)
            answered_s = self._elapsed()
            server_s = datetime.fromisoformat(json.loads(reply.data)["ts"]).timestamp()
        except (NatsError, TimeoutError, OSError, ValueError, KeyError, TypeError) as error:
            log.debug("clock_not_measured", error=type(error).__name__)
            return False
        self.use_measurement(Measurement.of(asked_s=asked_s, server_s=server_s, answered_s=answered_s))
        return True

    async def settle(self, bus: _Connection) -> None:
        """Return when the server's time is known well enough; tries as long as it takes."""
        while True:
            for _ in range(AT_FIRST):
                await self.measure(bus)
            if await self.check() is None:
                return
            await asyncio.sleep(RETRY_AFTER_S)

    async def run(self, bus: _Connection) -> None:
        """Measure until cancelled: every MEASURE_EVERY_S, after a reconnection, after a step of this machine's clock.

        A measurement that fails is made again the next time.
        """
        skewed = False
        while True:
            await self.measure(bus)
            if (line := await self.check_skew()) is not None and not skewed:
                log.warning("clock_skewed", reason=line)
            skewed = line is not None
            await self._wait(bus.reconnection)

    async def _wait(self, reconnection: asyncio.Event) -> None:
        until_s = time.monotonic() + MEASURE_EVERY_S
        while time.monotonic() < until_s:
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await reconnection.wait()
                return
            except TimeoutError:
                before, self._apart_s = self._apart_s, self._wall() - self._elapsed()
                if abs(self._apart_s - before) > STEP_S:
                    return


def export_clock(clock: ServerClock, *, skew: Gauge, error: Gauge) -> None:
    """Make the gauges follow the clock; NaN while it is not measured."""
    skew.set_function(lambda: math.nan if clock.skew_s is None else clock.skew_s)
    error.set_function(lambda: math.nan if clock.error_s is None else clock.error_s)
