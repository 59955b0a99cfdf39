"""Work for a caller who may leave: then it ends too."""

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus

from fastapi import Request

from vonggac.http.problems import ProblemError

ASKED_EVERY_S = 0.5


async def run_while_connected[T](request: Request, work: Coroutine[None, None, T]) -> T:
    """Return what `work` returns; its request's body has been read.

    Raises ProblemError 400, which nobody reads, when the caller has left: `work` is cancelled then.
    """
    task = asyncio.ensure_future(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=ASKED_EVERY_S)
            if done:
                return task.result()
            if await request.is_disconnected():
                detail = "the connection ended before the work did"
                raise ProblemError(HTTPStatus.BAD_REQUEST, "cut_off", detail)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
