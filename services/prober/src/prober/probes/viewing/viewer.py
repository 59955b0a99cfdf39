"""One person's live pictures: what waits to be sent to them, bounded."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from prober.probes.viewing.muxer import Fragment

MOST_QUEUED_BYTES = 2 << 20
"""Eight seconds of 2 Mbit/s. Who is slower loses whole groups of pictures, and goes on with a keyframe."""
SILENT_S = 15.0
"""Without a picture for so long it ends: the page says so."""


class Viewer:
    """Gets `offer`ed each fragment; `read` gives them until the end."""

    def __init__(self) -> None:
        self.lost = 0
        """Fragments that were not kept for this person."""
        self._queue: deque[bytes] = deque()
        self._queued, self._waits, self._ended = 0, True, False
        self._head: bytes | None = None
        self._changed = asyncio.Event()

    @property
    def queued_bytes(self) -> int:
        """What waits to be sent."""
        return self._queued

    def offer(self, fragment: Fragment) -> None:
        """Queue it, or lose it and all up to the next one that begins with a keyframe and has room."""
        size = len(fragment.data)
        fits = not self._queue or self._queued + size <= MOST_QUEUED_BYTES
        if not fits or (self._waits and not fragment.begins):
            self.lost += self._head is not None
            self._waits = True
            return
        self._waits = False
        if self._head is not fragment.head:
            self._head = fragment.head
            self._put(fragment.head)
        self._put(fragment.data)

    def end(self) -> None:
        """No more comes; what is queued is still read."""
        self._ended = True
        self._changed.set()

    async def read(self, *, lasts_s: float) -> AsyncIterator[bytes]:
        """Yield what comes within so many seconds, in pieces as large as is waiting."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + lasts_s
        while True:
            if self._queue:
                data = b"".join(self._queue)
                self._queue.clear()
                self._queued = 0
                yield data
            self._changed.clear()
            if self._queue:
                continue
            left_s = min(SILENT_S, ends_at - loop.time())
            if self._ended or left_s <= 0:
                return
            try:
                await asyncio.wait_for(self._changed.wait(), left_s)
            except TimeoutError:
                return

    def _put(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued += len(data)
        self._changed.set()
