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
from typing import Any

FEW = (50_000, 20, 50)
"""Thresholds of `gc.set_threshold`."""
GIVE_BACK_EVERY_S = 60.0
LARGE = 1 << 20
"""Bytes from which a block is mapped by itself, and goes back to the system when it is freed."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Numbers of mallopt in glibc's malloc.h."""


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
    if (trim := _of_glibc("malloc_trim")) is not None:
        trim(0)


def map_large_blocks() -> None:
    """Map what is LARGE by itself, from now on.

    By default glibc learns from each large block that is freed, and keeps up to 64 MB of such size in each thread's
    heap. Does nothing with another C library.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_MMAP_THRESHOLD, LARGE)
        mallopt(_TRIM_THRESHOLD, LARGE)


def share_one_heap() -> None:
    """Have all threads allocate from one heap; call before the first thread starts.

    By default glibc gives each thread a heap of its own, and each keeps what the largest file took there. Python runs
    one thread at a time: they do not wait for each other here. Does nothing with another C library.
    """
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_ARENA_MAX, 1)


def _of_glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


async def give_memory_back_regularly(every_s: float = GIVE_BACK_EVERY_S) -> None:
    """For ever: what large answers leave behind between small things that stay. Not where media shares the process: it
    holds up whoever allocates meanwhile."""
    map_large_blocks()
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(give_memory_back)
