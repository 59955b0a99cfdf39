"""Whether a worker was awake all the time: what it says of a time in which it slept is worth nothing.

A process sleeps when it is stopped (SIGSTOP), when its machine is suspended or paused, or when it gets no CPU.
Heartbeats carry `Awake.since`, so whoever receives them sees the hole, whatever the receiver did meanwhile.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

TICK_S = 1.0
"""Call `check` at least this often."""
ALLOWANCE_S = 5.0
"""A longer time between two checks is a hole: nobody watched."""

type Clocks = Callable[[], tuple[datetime, float]]


def read_clocks() -> tuple[datetime, float]:
    """The wall clock, and seconds from an arbitrary zero that count a suspended machine's time too."""
    return datetime.now(UTC), time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Awake:
    """Compares both clocks between two checks; the longer time counts, so a clock that was set hides no hole."""

    def __init__(self, *, allowance_s: float = ALLOWANCE_S, clocks: Clocks = read_clocks) -> None:
        self._allowance_s, self._clocks = allowance_s, clocks
        self._wall, self._monotonic_s = clocks()
        self.since = self._wall
        """Since when this worker has watched without a hole."""
        self.holes = 0

    def begin_anew(self) -> None:
        """As after a hole: what was said before holds no longer."""
        self.since = max(self._wall, self._clocks()[0])
        self.holes += 1

    def check(self) -> bool:
        """Whether there was a hole since the last check; `since` is then now."""
        before, before_s = self._wall, self._monotonic_s
        self._wall, self._monotonic_s = self._clocks()
        gap_s = max((self._wall - before).total_seconds(), self._monotonic_s - before_s)
        if gap_s <= self._allowance_s:
            return False
        self.since = self._wall
        self.holes += 1
        return True
