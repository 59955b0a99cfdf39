"""Waiting for a fact."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    # The simulator waits as well, and loads no client of NATS for it.
    from nats.aio.client import Client

QUESTION_EVERY_S = 0.1
"""What asks a server or an API is called so often at most: each call costs milliseconds on both sides."""


@overload
async def eventually[T](
    observe: Callable[[], Coroutine[Any, Any, T]], *, within_s: float = ..., poll_s: float = ..., what: str = ...
) -> T: ...
@overload
async def eventually[T](
    observe: Callable[[], T], *, within_s: float = ..., poll_s: float = ..., what: str = ...
) -> T: ...
async def eventually(
    observe: Callable[[], Any], *, within_s: float = 30.0, poll_s: float = 0.02, what: str = ""
) -> Any:
    """Call `observe` until its result is true, and return that.

    Raises AssertionError with the last value when `within_s` is over. An AssertionError of `observe` counts as not yet.
    The default is for a busy machine: give a shorter time only where the time is what the test is about. An `observe`
    that is awaited is called less often the longer it takes: a tenth later at most.
    """
    begun = time.monotonic()
    deadline = begun + within_s
    while True:
        pause_s = poll_s
        try:
            seen = observe()
            if inspect.isawaitable(seen):
                pause_s = max(poll_s, min((time.monotonic() - begun) / 10, QUESTION_EVERY_S))
                value = await seen
            else:
                value = seen
        except AssertionError as error:
            value = error
        else:
            if value:
                return value
        if time.monotonic() > deadline:
            msg = f"not within {within_s} s: {what or observe}; last seen: {value!r}"
            raise AssertionError(msg)
        await asyncio.sleep(pause_s)


@asynccontextmanager
async def running_beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` as a task until the block ends; raises what ended it before."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def flush_all(client: "Client") -> None:
    """Wait until the server has taken in what was sent, subscriptions included.

    One `flush` of nats-py is not enough: its ping is written at once, and what waits to be sent goes after it.
    """
    for _ in range(2):
        await client.flush()


class Lag:
    """How late this process was called at worst: what a busy machine adds to every wait."""

    worst_s = 0.0


@asynccontextmanager
async def measured_lag(every_s: float = 0.02) -> AsyncIterator[Lag]:
    """Measure how late the loop is, for as long as the block lasts."""
    lag = Lag()

    async def measure() -> None:
        while True:
            due = time.monotonic() + every_s
            await asyncio.sleep(every_s)
            lag.worst_s = max(lag.worst_s, time.monotonic() - due)

    async with running_beside(measure()):
        yield lag


class IterationCounter:
    """Counts the iterations of the running event loop, until `stop`."""

    def __init__(self) -> None:
        self.number = 0
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._next)

    def stop(self) -> None:
        self._handle.cancel()

    def _next(self) -> None:
        self.number += 1
        self._handle = self._loop.call_soon(self._next)
