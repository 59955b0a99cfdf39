"""Imports wait in one queue: one is read and stored at a time, and the files of all of them have a bound of bytes.

A file becomes many times its size while it is read, compared and stored: twelve beside each other took 1.1 GB.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from prometheus_client import Gauge

from vonggac.http import ProblemError

RETRY_AFTER_S = 15
HEARD_EVERY_S = 20.0
"""An import that waits says so as often: one that is silent is taken for lost."""

type OnWait = Callable[[], Awaitable[None]]


class ImportQueue:
    """Use it from the event loop's thread alone. `most_bytes`: of the files that are held, whoever sent them."""

    def __init__(self, most_bytes: int, gauge: Gauge | None = None) -> None:
        """`gauge` follows the bytes held."""
        self.held_bytes = 0
        self._most_bytes, self._gauge = most_bytes, gauge
        self._busy = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    def count_file(self) -> "FileBytes":
        """Return what counts the bytes of one file."""
        return FileBytes(self)

    @asynccontextmanager
    async def run_alone(self, on_wait: OnWait) -> AsyncIterator[None]:
        """Wait for those that came before. Raises what `on_wait` does, which is called every 20 s meanwhile."""
        await self._enter(on_wait)
        try:
            yield
        finally:
            self._leave()

    def check_room(self, more_bytes: int) -> None:
        """Raise ProblemError 429 when there is no room for so many more; a file alone always has room."""
        if self.held_bytes and self.held_bytes + more_bytes > self._most_bytes:
            msg = (
                f"the imports that wait or run hold {self.held_bytes} bytes of at most {self._most_bytes}; there is no "
                f"room for {more_bytes} more: send it again in {RETRY_AFTER_S} s"
            )
            headers = {"Retry-After": str(RETRY_AFTER_S), "Connection": "close"}
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, "imports_full", msg, headers=headers)

    def change(self, by_bytes: int) -> None:
        """Count bytes that are held, or no longer."""
        self.held_bytes += by_bytes
        if self._gauge is not None:
            self._gauge.set(self.held_bytes)

    async def _enter(self, on_wait: OnWait) -> None:
        if not self._busy:
            self._busy = True
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            while not ticket.done():
                await asyncio.wait([ticket], timeout=HEARD_EVERY_S)
                if not ticket.done():
                    await on_wait()
        except BaseException:
            if ticket.done():
                self._leave()
            else:
                self._waiting.remove(ticket)
            raise

    def _leave(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._busy = False


class FileBytes:
    """The bytes of one file, until `release`."""

    def __init__(self, queue: ImportQueue) -> None:
        self._queue, self._bytes = queue, 0

    def expect(self, stated_bytes: int) -> None:
        """Raise ProblemError 429 when a file of that size would find no room."""
        self._queue.check_room(stated_bytes - self._bytes)

    def grow(self, by_bytes: int) -> None:
        """Count more of it. Raises ProblemError 429 when all files together are too many bytes."""
        others = self._queue.held_bytes - self._bytes
        if others:
            self._queue.check_room(by_bytes)
        self._bytes += by_bytes
        self._queue.change(by_bytes)

    def release(self) -> None:
        """Count it no longer."""
        self._queue.change(-self._bytes)
        self._bytes = 0
