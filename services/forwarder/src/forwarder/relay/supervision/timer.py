"""One timer of a supervisor."""

import asyncio
from collections.abc import Callable


class Timer:
    """At most one callback is due; another `start` replaces it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        return self._handle is not None

    def start(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Call `callback` in `delay_s` seconds."""
        self.cancel()
        self._handle = self._loop.call_later(delay_s, self._fire, callback)

    def shorten(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Call `callback` in `delay_s` instead, if the timer runs and is due later than that."""
        if self._handle is not None and self._handle.when() - self._loop.time() > delay_s:
            self.start(delay_s, callback)

    def cancel(self) -> None:
        """Harmless when nothing is due."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self, callback: Callable[[], None]) -> None:
        self._handle = None
        callback()
