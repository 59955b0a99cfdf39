"""Many pictures in one stream, round after round: bounded in streams, in pictures and in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress

LONGEST_S = 900.0
"""Then whoever still views asks anew: that is on record again."""


class Rounds:
    """The streams of this process. `end` before it stops: nobody is waited for."""

    def __init__(self, most: int) -> None:
        """`most`: at a time."""
        self._most, self.open, self.sent = most, 0, 0
        """Streams that are open, and pictures that all of them sent."""
        self._ended = asyncio.Event()

    @property
    def is_full(self) -> bool:
        return self.open >= self._most

    def end(self) -> None:
        """End all of them."""
        self._ended.set()

    async def stream(
        self, fetches: Sequence[Callable[[], Awaitable[bytes]]], *, every_s: float, lasts_s: float
    ) -> AsyncIterator[bytes]:
        """Each of `fetches` once a round, whatever comes first; a round begins `every_s` after the one before."""
        loop, self.open = asyncio.get_running_loop(), self.open + 1
        ends_at = loop.time() + min(lasts_s, LONGEST_S)
        try:
            while not self._ended.is_set() and loop.time() < ends_at:
                next_at = min(loop.time() + every_s, ends_at)
                tasks = [asyncio.ensure_future(fetch()) for fetch in fetches]
                try:
                    for done in asyncio.as_completed(tasks):
                        line = await done
                        self.sent += 1
                        yield line
                finally:
                    for task in tasks:
                        task.cancel()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), max(0.0, next_at - loop.time()))
        finally:
            self.open -= 1
