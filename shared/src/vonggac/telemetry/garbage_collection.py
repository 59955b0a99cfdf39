"""Garbage is collected rarely while a report is made or a file imported.

Both make a million small values that all stay until they are done: collecting among them costs a third of their time
and finds nothing. At all other times Python collects as often as it does by default, or what requests and batches leave
behind would stay by the ten thousand.
"""

import asyncio
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

FEW = (50_000, 20, 50)
"""Thresholds of `gc.set_threshold`."""
GIVE_BACK_EVERY_S = 60.0


class RarelyCollected:
    """Use the one instance from the event loop's thread alone: the thresholds are the process's."""

    def __init__(self) -> None:
        self._running = 0
        self._usual = gc.get_threshold()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """For as long as such work takes; work that overlaps counts together."""
        if self._running == 0:
            self._usual = gc.get_threshold()
            gc.set_threshold(*FEW)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._running == 0:
                gc.set_threshold(*self._usual)


rarely_collected = RarelyCollected()


def give_memory_back() -> None:
    """Return to the system what was freed: glibc keeps it by the hundred megabytes after twenty thousand rows.

    Takes some hundredths of a second. Does nothing with another C library.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


async def give_memory_back_regularly(every_s: float = GIVE_BACK_EVERY_S) -> None:
    """For ever: what large answers leave behind between small things that stay. Not where media shares the process: it
    holds up whoever allocates meanwhile."""
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(give_memory_back)
