"""Work for a caller who has left ends."""

import asyncio

import pytest
from fastapi import Request

from vonggac.http import ProblemError
from vonggac.http.protection.leaving import run_while_connected
from vonggac.testing import eventually


def request_of(connected: asyncio.Event) -> Request:
    async def receive() -> dict[str, object]:
        await connected.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_what_is_done_in_time_is_the_answer() -> None:
    async def work() -> int:
        return 7

    assert await run_while_connected(request_of(asyncio.Event()), work()) == 7


async def test_work_for_a_caller_who_has_left_is_cancelled() -> None:
    left, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(run_while_connected(request_of(left), work()))
    await asyncio.sleep(0)
    left.set()
    await eventually(ended.is_set)
    with pytest.raises(ProblemError, match="the connection ended before the work did"):
        await running
