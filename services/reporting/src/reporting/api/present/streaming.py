"""An answer that is a stream of events (text/event-stream), and how many there may be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reporting import metrics

MOST_LISTENERS = 300
"""Streams at a time; the rest of the connections is for pages and health."""
SENT_WITHIN_S = 15.0
"""A listener that reads nothing for so long is too slow."""


class Listeners:
    """The open streams of this process. `wake` wakes those that wait."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.count = 0
        self._wake = wake
        self.is_stopping = False
        """Every stream ends, and none begins."""

    @property
    def is_full(self) -> bool:
        return self.count >= MOST_LISTENERS

    def stop(self) -> None:
        """End every stream: the process stops."""
        self.is_stopping = True
        self._wake()


class EventStream(Response):
    """Sends what `events` gives, each as it comes, until it ends or the listener leaves or falls behind."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], listeners: Listeners) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events, self._listeners = events, listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one listener."""
        self._listeners.count += 1
        metrics.PRESENT_LISTENERS.set(self._listeners.count)
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._listeners.count -= 1
            metrics.PRESENT_LISTENERS.set(self._listeners.count)

    async def _send(self, send: Send) -> None:
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for event in self._events:
                async with asyncio.timeout(SENT_WITHIN_S):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            async with asyncio.timeout(SENT_WITHIN_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            metrics.PRESENT_LISTENERS_ENDED.labels("too_slow").inc()


async def _left(receive: Receive) -> None:
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass


def event(name: str, data: bytes, version: str | None = None) -> bytes:
    """One event; `version` is its id."""
    first = b"" if version is None else b"id: %b\n" % version.encode()
    return b"%bevent: %b\ndata: %b\n\n" % (first, name.encode(), data)
