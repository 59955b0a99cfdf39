"""A nats-server whose disk was full stores nothing more when there is space again: it has to be started anew.

Found out by asking the server (`healthz` names the stream and the error). It is ended in order; whoever supervises the
platform's parts starts it again.
"""

import asyncio
import time

from local.platform.progress import Progress
from vonggac.embedded import NatsServer

ASK_EVERY_S = 2.0
STUCK_AFTER = 3
"""Answers in a row that say so: one alone may come from a server that is starting."""
LEAST_FREE_BYTES = 32 << 20
FULL_DISK = ("no space left", "write error", "insufficient resources")
NOT_OFTENER_THAN_S = 30.0


class StoreWatch:
    """Watches the store of one server until cancelled."""

    def __init__(self, progress: Progress, server: NatsServer, *, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._progress, self._server, self._least_free = progress, server, least_free_bytes
        self._stuck = 0
        self._ended_at_s = float("-inf")

    async def run(self) -> None:
        """Never returns by itself."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            await self._check_once()

    async def _check_once(self) -> None:
        wrong = await asyncio.to_thread(self._server.what_is_wrong)
        if wrong is None or not any(words in wrong for words in FULL_DISK):
            self._stuck = 0
            return
        self._stuck += 1
        if self._stuck < STUCK_AFTER:
            return
        free = await asyncio.to_thread(self._server.free_bytes)
        if free < self._least_free:
            if self._stuck == STUCK_AFTER:
                self._progress.step("NATS", f"its disk is full, nothing is stored: make room ({wrong})")
            return
        if time.monotonic() - self._ended_at_s < NOT_OFTENER_THAN_S:
            return
        self._stuck, self._ended_at_s = 0, time.monotonic()
        self._progress.step("NATS", f"stores nothing since its disk was full, and {free >> 20} MiB are free: ending it")
        self._server.end()
