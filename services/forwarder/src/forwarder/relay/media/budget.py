"""One bound for the media that waits in this process: for all destinations together, GOP caches included.

What one destination may lag behind has a bound of its own (`Bounds`); of two hundred cameras whose centre falls silent
at once, those bounds add up to more than a machine has. Nothing here is called by the hot path.
"""

import asyncio
from typing import Protocol

from forwarder.domain.backpressure import fair_share, most_backed_up

CHECK_S = 0.125
"""Two hundred cameras of 4 Mbit/s bring 12 MB in that time."""
CALM_CHECK_S = 1.0
"""The longest time between two checks."""
STREAM_BYTES_PER_S = 512 << 10
"""4 Mbit/s for each destination: so fast may the room that is left become full."""
_ROOM = 4
"""A destination that was held back goes on when it has a quarter of its fair share left."""


class Queue(Protocol):
    """What waits for one destination."""

    @property
    def buffered_bytes(self) -> int: ...

    def pause_media(self, room_bytes: int) -> None: ...


class Cache(Protocol):
    """The newest group of pictures of one camera."""

    @property
    def size_bytes(self) -> int: ...

    def drop(self) -> None: ...


class Caching(Protocol):
    """What keeps a cache, now and then."""

    @property
    def gop_cache(self) -> Cache | None: ...


class MediaBudget:
    """The queues and caches of a process, and how much they may hold. Checks them while there is any.

    A check asks each transport. So the next one comes when the room that is left may be full, not before.
    """

    def __init__(self, *, max_bytes: int = 64 << 20, check_s: float = CHECK_S) -> None:
        self.deliveries_paused = 0
        """How often a destination was held back."""
        self.caches_dropped = 0
        self._max_bytes, self._check_s = max_bytes, check_s
        self._queues: dict[Queue, None] = {}
        self._sources: dict[Caching, None] = {}
        self._room_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def next_check_in_s(self) -> float:
        """The time in which all destinations together may fill the room that the last check found."""
        full_in_s = self._room_bytes / (STREAM_BYTES_PER_S * max(len(self._queues), 1))
        return max(self._check_s, min(CALM_CHECK_S, full_in_s))

    @property
    def queued_bytes(self) -> int:
        """What waits in this process, in all."""
        return sum(queue.buffered_bytes for queue in self._queues) + sum(cache.size_bytes for cache in self._caches())

    def add_queue(self, queue: Queue) -> None:
        self._queues[queue] = None
        self._watch()

    def remove_queue(self, queue: Queue) -> None:
        """Harmless when it was not added."""
        self._queues.pop(queue, None)
        self._watch()

    def add_source(self, source: Caching) -> None:
        self._sources[source] = None
        self._watch()

    def remove_source(self, source: Caching) -> None:
        """Harmless when it was not added."""
        self._sources.pop(source, None)
        self._watch()

    def check(self) -> None:
        """Drop the largest caches and hold the most backed-up destinations back, if there is too much."""
        queued = self.queued_bytes
        self._room_bytes = max(0, self._max_bytes - queued)
        if queued >= self._max_bytes:
            self._make_room()

    def _make_room(self) -> None:
        buffered = {queue: queue.buffered_bytes for queue in self._queues}
        caches = self._caches()
        kept = sum(cache.size_bytes for cache in caches)
        too_much = sum(buffered.values()) + kept - self._max_bytes
        for cache in sorted(caches, key=lambda cache: cache.size_bytes, reverse=True):
            if too_much < 0:
                break
            # It costs a beginning at the next keyframe, and nobody a packet.
            self.caches_dropped += 1
            size = cache.size_bytes
            too_much, kept = too_much - size, kept - size
            cache.drop()
        room_bytes = fair_share(self._max_bytes, len(buffered)) // _ROOM
        for queue in most_backed_up(buffered, self._max_bytes - kept):
            self.deliveries_paused += 1
            queue.pause_media(room_bytes)

    def _caches(self) -> list[Cache]:
        return [source.gop_cache for source in self._sources if source.gop_cache is not None]

    def _watch(self) -> None:
        wanted = bool(self._queues or self._sources)
        if wanted and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._check_s, self._fire)
        elif not wanted and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        try:
            self.check()
        finally:
            self._timer = asyncio.get_running_loop().call_later(self.next_check_in_s, self._fire)
