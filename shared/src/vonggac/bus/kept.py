"""What NATS has stored is kept for a while: a stream that comes back with an old disk has forgotten it (decision 0031).

A stream has forgotten something when it was made anew (another creation time) or when its last sequence went back.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from nats.errors import Error as NatsError
from nats.js.api import PubAck

from vonggac.bus.connection import Bus
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

KEPT_S = 180.0
"""NATS syncs at least every ten seconds here, every two minutes by its default."""
MAX_KEPT = 100_000
CHECK_EVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class Kept[M]:
    """A stored message; of those with the same key, only the newest counts (the value of a bucket)."""

    message: M
    key: str | None


@dataclass(slots=True)
class _Stream[M]:
    """A stream as it was last seen, and what was stored there lately."""

    last_sequence: int
    events: deque[tuple[float, M]]
    values: OrderedDict[str, tuple[float, M]]
    created: datetime | None = None
    forgot: bool = False


class KeptMessages[M]:
    """Of one publisher, by stream."""

    def __init__(self, bus: Bus, clock: Callable[[], float]) -> None:
        self._bus, self._clock = bus, clock
        self._streams: dict[str, _Stream[M]] = {}
        self._reconnected = asyncio.Event()
        bus.on_reconnect(self._reconnected.set)

    def keep(self, kept: Kept[M], ack: PubAck) -> None:
        """A message was stored. Its place in the stream shows whether the stream went back."""
        stream = self._streams.setdefault(ack.stream, _Stream(0, deque(), OrderedDict()))
        if not ack.duplicate:
            # An answer to a repetition names the place of the first.
            stream.forgot = stream.forgot or ack.seq <= stream.last_sequence
            stream.last_sequence = ack.seq
        now = self._clock()
        if kept.key is None:
            stream.events.append((now, kept.message))
        else:
            stream.values.pop(kept.key, None)
            stream.values[kept.key] = (now, kept.message)
        _drop_old(stream, now - KEPT_S)

    @property
    def has_forgotten(self) -> bool:
        """Whether a stream went back by its answers."""
        return any(stream.forgot for stream in self._streams.values())

    def take_forgotten(self) -> list[M]:
        """What the streams that went back may have forgotten, oldest first; it is not kept any more."""
        return [message for name, stream in self._streams.items() if stream.forgot for message in self._take(name)]

    async def watch(self, on_forgotten: Callable[[Sequence[M]], None]) -> None:
        """Look at the streams after each reconnection, and now and then, until cancelled."""
        while True:
            self._reconnected.clear()
            for name in list(self._streams):
                if await self._forgot(name):
                    on_forgotten(self._take(name))
            try:
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._reconnected.wait()
            except TimeoutError:
                continue

    async def _forgot(self, name: str) -> bool:
        stream = self._streams[name]
        known = stream.last_sequence
        try:
            info = await self._bus.js.stream_info(name)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("stream_not_seen", stream=name, error=type(error).__name__)
            return False
        anew = stream.created is not None and info.created != stream.created
        stream.created = info.created
        # Not what was stored meanwhile: its answers may have come before this one.
        return bool(anew or info.state.last_seq < known)

    def _take(self, name: str) -> list[M]:
        stream = self._streams[name]
        _drop_old(stream, self._clock() - KEPT_S)
        entries = sorted((*stream.events, *stream.values.values()), key=lambda entry: entry[0])
        stream.events.clear()
        stream.values.clear()
        stream.forgot, stream.last_sequence = False, 0
        if entries:
            log.warning("stream_forgot", stream=name, published_again=len(entries))
        return [message for _, message in entries]


def _drop_old[M](stream: _Stream[M], before: float) -> None:
    while stream.events and (stream.events[0][0] < before or len(stream.events) > MAX_KEPT):
        stream.events.popleft()
    while stream.values:
        key, (at, _) = next(iter(stream.values.items()))
        if at >= before and len(stream.values) <= MAX_KEPT:
            break
        del stream.values[key]
