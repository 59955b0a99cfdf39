"""One clock for all cameras of a process.

Each camera is looked at once a second. With a timer each, the look's code would have left the processor's caches by
the next one and cost several times as much; all at once would hold the media up. So the cameras are split into a few
groups.
"""

import asyncio
from collections.abc import Callable

TICK_S = 1.0
GROUPS = 8

type Tick = Callable[[], None]


class Ticker:
    """Calls every added function once a second. Runs a timer only while there is one."""

    def __init__(self, *, interval_s: float = TICK_S) -> None:
        self._step_s = interval_s / GROUPS
        self._groups: list[dict[Tick, None]] = [{} for _ in range(GROUPS)]
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, tick: Tick) -> None:
        min(self._groups, key=len)[tick] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._step_s, self._fire)

    def remove(self, tick: Tick) -> None:
        """Harmless when it was not added."""
        for group in self._groups:
            group.pop(tick, None)
        if self._timer is not None and not any(self._groups):
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._step_s, self._fire)
        group, self._next = self._groups[self._next], (self._next + 1) % GROUPS
        for tick in list(group):
            tick()
