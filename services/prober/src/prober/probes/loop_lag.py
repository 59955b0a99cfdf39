"""How late this process's event loop is: what a probe measured while nobody read its camera says nothing of it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

TICK_S = 0.1
MOST_S = 0.5
"""A probe during which the loop stood still for longer accuses nobody."""
KEPT = 1024
"""Stalls remembered: with less than half a second each they are more than the longest probe takes."""


class LoopLag:
    """`run` is a task of the service; without it nothing is ever late."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, on_tick: Callable[[float], None] | None = None
    ) -> None:
        """`clock`: monotonic seconds, not those of the iteration's beginning. `on_tick` gets each lateness."""
        self._clock, self._on_tick = clock, on_tick
        self._stalls: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._due_s: float | None = None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._due_s = self._clock() + TICK_S
                await asyncio.sleep(TICK_S)
                self._note(max(0.0, self._clock() - self._due_s))
        finally:
            self._due_s = None

    def longest_s(self, since_s: float) -> float:
        """Compute the longest time that the loop stood still after that moment, one that is not over included."""
        now_s = self._clock()
        open_s = now_s - self._due_s if self._due_s is not None else 0.0
        longest_s = max(0.0, min(open_s, now_s - since_s))
        if not self._stalls:
            return longest_s
        ended = (min(lag_s, ended_s - since_s) for ended_s, lag_s in self._stalls if ended_s > since_s)
        return max(longest_s, *ended, 0.0)

    def _note(self, lag_s: float) -> None:
        if self._on_tick is not None:
            self._on_tick(lag_s)
        if lag_s > MOST_S:
            self._stalls.append((self._clock(), lag_s))
