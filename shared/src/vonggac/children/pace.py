"""How often processes are started again: bytes that kill one may come without end, and each start costs CPU."""

import asyncio
import time
from collections.abc import Callable


class StartPace:
    """`at_once` starts, and then one in `every_s`. Over all processes of one purpose."""

    def __init__(self, at_once: int, *, every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: monotonic seconds."""
        self._at_once, self._every_s, self._clock = at_once, every_s, clock
        self._left, self._at_s = float(at_once), clock()

    def take_start(self) -> float:
        """Take the next start; in how many seconds it may be made."""
        now_s = self._clock()
        self._left = min(self._at_once, self._left + (now_s - self._at_s) / self._every_s) - 1
        self._at_s = now_s
        return max(0.0, -self._left * self._every_s)

    def give_back(self) -> None:
        """Give back a start that was taken and is not made."""
        self._left += 1

    async def wait(self) -> None:
        """Until the next start may be made."""
        wait_s = self.take_start()
        if wait_s:
            try:
                await asyncio.sleep(wait_s)
            except asyncio.CancelledError:
                self.give_back()
                raise
