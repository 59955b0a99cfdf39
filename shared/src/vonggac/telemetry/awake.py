"""Whether a worker was awake all the time: what it says of a time in which it slept is worth nothing.

A process sleeps when it is stopped (SIGSTOP), when its machine is suspended or paused, or when it gets no CPU.
Heartbeats carry `Awake.since`, so whoever receives them sees the hole, whatever the receiver did meanwhile.

A step of the clock that the worker dates by is a hole as well: what it said before and what it says now are of two
clocks. A step back shows a time twice, and when that is over, the worker begins anew once more (decision 0103).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

TICK_S = 1.0
"""Call `check` at least this often."""
ALLOWANCE_S = 5.0
"""A longer time between two checks is a hole: nobody watched."""
TWICE_MARGIN = timedelta(seconds=5)
"""Others knew the clock before it was set back some seconds longer, and reporting allows two more."""

type Clocks = Callable[[], tuple[datetime, float]]


def read_clocks() -> tuple[datetime, float]:
    """Read the wall clock, and seconds from an arbitrary zero that count a suspended machine's time too."""
    return datetime.now(UTC), time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Awake:
    """Compares both clocks between two checks; the longer time counts, so a clock that was set hides no hole."""

    def __init__(
        self,
        *,
        allowance_s: float = ALLOWANCE_S,
        clocks: Clocks = read_clocks,
        steps: Callable[[], int] = lambda: 0,
    ) -> None:
        """Begin now. `steps`: how often the wall clock of `clocks` was set, where somebody counts that."""
        self._allowance_s, self._clocks, self._steps = allowance_s, clocks, steps
        self._wall, self._monotonic_s = clocks()
        self._stepped = steps()
        self._twice_until: datetime | None = None
        """Until then the wall clock shows a time that it showed before; None: it does not."""
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
        changed = self._clock_changed(before)
        if gap_s <= self._allowance_s and not changed:
            return False
        self.since = self._wall
        self.holes += 1
        return True

    def _clock_changed(self, before: datetime) -> bool:
        """Whether the wall clock was set, or is past what it showed before it was set back."""
        stepped, self._stepped = self._stepped, self._steps()
        if stepped != self._stepped:
            if self._wall < before:
                self._twice_until = max(self._twice_until or before, before + TWICE_MARGIN)
            return True
        if self._twice_until is None or self._wall < self._twice_until:
            return False
        self._twice_until = None
        return True
