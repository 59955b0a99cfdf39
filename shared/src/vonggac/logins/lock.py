"""Who logs in now, in this process: one after another, and nobody is held up by one who hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PATIENCE_S = 1.0
"""A refusal comes sooner than this even over a mobile network. Who has no answer by then holds nobody up any more."""


class LoginLocks:
    """One lock per login. It ends with its context, by `release`, or after PATIENCE_S."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._releases: dict[str, Callable[[], None]] = {}

    @asynccontextmanager
    async def locked(self, key: str) -> AsyncIterator[None]:
        """Wait for the lock, first come first served."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        await lock.acquire()
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                lock.release()

        self._releases[key] = release
        impatience = asyncio.get_running_loop().call_later(PATIENCE_S, release)
        try:
            yield
        finally:
            impatience.cancel()
            release()

    def release(self, key: str) -> None:
        """Release the lock: the login was taken, whoever waits may go on."""
        if (release := self._releases.get(key)) is not None:
            release()
