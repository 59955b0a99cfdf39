"""Looks that people ask for: few at a time, not the same target again and again, and with all manners kept."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AGAIN_AFTER_S = 5.0
"""The least time between two looks at one target that people asked for."""


class AskedTooMuchError(Exception):
    """No look is made now; `after_s` is when to ask again."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class AskingLimit:
    """Bounds the looks of this process that people asked for."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`most`: at a time."""
        self._most, self._clock = most, clock
        self._running = 0
        self._begun: dict[str, float] = {}

    @contextmanager
    def within(self, target: str) -> Iterator[None]:
        """One look at `target` (a camera's id, or host and port). Raises AskedTooMuchError."""
        now = self._clock()
        self._begun = {name: at for name, at in self._begun.items() if now - at < AGAIN_AFTER_S}
        if target in self._begun:
            left_s = AGAIN_AFTER_S - (now - self._begun[target])
            raise AskedTooMuchError("this target was looked at a moment ago", left_s)
        if self._running >= self._most:
            raise AskedTooMuchError(f"{self._most} looks that people asked for are going on", 1.0)
        self._begun[target] = now
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
