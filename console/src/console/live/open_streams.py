"""The streams that this process has open: counted, bounded, and ended when it stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager


class StreamsEndedError(Exception):
    """The process stops: nobody is waited for."""


class OpenStreams:
    """Of one kind. Who waits within one waits by `wait` or `until_ended`."""

    def __init__(self, most: int) -> None:
        """`most`: at a time; each has a connection to a prober."""
        self._most, self.open = most, 0
        self._ended = False
        self._waits: set[asyncio.Timeout] = set()

    @property
    def is_full(self) -> bool:
        return self.open >= self._most

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count one more for as long as it is open."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def end(self) -> None:
        """End all, for good: the process stops. Call it in the event loop."""
        self._ended = True
        now_s = asyncio.get_running_loop().time()
        for each in self._waits:
            each.reschedule(now_s)

    async def wait[T](self, awaited: Awaitable[T]) -> T:
        """Await it. Raises StreamsEndedError when the process stops first; what was awaited is cancelled then."""
        bound = asyncio.timeout(0 if self._ended else None)
        try:
            async with bound:
                self._waits.add(bound)
                return await awaited
        except TimeoutError:
            if bound.expired():
                raise StreamsEndedError from None
            raise
        finally:
            self._waits.discard(bound)

    async def until_ended[T](self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """Yield what comes until there is no more, or the process stops."""
        while True:
            try:
                item = await self.wait(anext(items))
            except (StopAsyncIteration, StreamsEndedError):
                return
            yield item
