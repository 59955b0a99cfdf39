"""How long the platform waits for a part to get ready."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from local.platform.platform import PATIENCE, wait_ready
from local.platform.process import ProcessEndedError

WITHIN_S = 3.0


@asynccontextmanager
async def answering(waiting: Callable[[int], int]) -> AsyncIterator[str]:
    """A part that says of its n-th question for how many clips it waits; it is ready when it waits for none."""
    questions = itertools.count()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        left = waiting(next(questions))
        body = f"{left} of 8 cameras wait".encode()
        status = "503 Service Unavailable" if left else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def wait(part: AbstractAsyncContextManager[str]) -> float:
    """Seconds until it was ready, where each question takes one."""
    seconds = itertools.count()
    async with part as address:
        await wait_ready(address, within_s=WITHIN_S, clock=lambda: float(next(seconds)))
    return float(next(seconds))


async def test_a_slow_start_that_makes_progress_is_waited_for() -> None:
    assert await wait(answering(lambda question: max(0, 8 - question))) > WITHIN_S


async def test_a_start_that_stands_still_is_over_in_time_and_one_that_never_ends_is_too() -> None:
    with pytest.raises(ProcessEndedError, match=r"was not ready within 5 s: 6 of 8 cameras wait"):
        await wait(answering(lambda _: 6))
    with pytest.raises(ProcessEndedError, match=rf"was not ready within {PATIENCE * WITHIN_S + 1:.0f} s"):
        await wait(answering(lambda question: question + 1))
