"""Who logs in now, in this process: one after another, and nobody is held up by one who hangs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PATIENCE_S = 1.0
"""A refusal comes sooner than this even over a mobile network. Who has no answer by then holds nobody up any more."""


class Turns:
    """One try at a time per login. A turn is over with its context, by `over`, or after PATIENCE_S."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._over: dict[str, Callable[[], None]] = {}

    @asynccontextmanager
    async def one(self, key: str) -> AsyncIterator[None]:
        """Wait for the turn, first come first served."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        await lock.acquire()
        held = True

        def end() -> None:
            nonlocal held
            if held:
                held = False
                lock.release()

        self._over[key] = end
        impatience = asyncio.get_running_loop().call_later(PATIENCE_S, end)
        try:
            yield
        finally:
            impatience.cancel()
            end()

    def over(self, key: str) -> None:
        """The login was taken: whoever waits may go on."""
        if (end := self._over.get(key)) is not None:
            end()
