"""Waiting for a fact."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable


async def eventually[T](
    observe: Callable[[], T | Awaitable[T]], *, within_s: float = 10.0, poll_s: float = 0.02, what: str = ""
) -> T:
    """Call `observe` until what it gives is true, and return that.

    Raises AssertionError with the last value when `within_s` is over. An AssertionError of `observe` counts as not yet.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            seen = observe()
            value: T = await seen if inspect.isawaitable(seen) else seen
        except AssertionError as error:
            value = error  # type: ignore[assignment] # shown below
        else:
            if value:
                return value
        if time.monotonic() > deadline:
            msg = f"not within {within_s} s: {what or observe}; last seen: {value!r}"
            raise AssertionError(msg)
        await asyncio.sleep(poll_s)
