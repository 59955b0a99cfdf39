"""Messages that JetStream has stored, kept for a while longer: it acknowledges before it has synced to the disk.

Whoever published them publishes them again when the stream has forgotten them (decision 0031). Events are packed by the
block: what a block holds differs by little, so that an event takes a tenth to a quarter of its size.
"""

import asyncio
import json
import zlib
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nats.errors import Error as NatsError
from nats.js.api import PubAck

from vonggac.bus.connection import Bus
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

KEPT_S = 180.0
"""NATS syncs at least every ten seconds here, every two minutes by its default."""
MAX_KEPT = 100_000
CHECK_EVERY_S = 20.0
BLOCK = 64
"""Events packed together, in half a millisecond."""


@dataclass(slots=True)
class Message:
    """A published message: an event, which has an id; without one: the value of a key in a bucket, or a live one."""

    subject: str
    body: bytes
    message_id: str | None
    content_type: str
    removes: bool = False
    live: bool = False
    """For whoever listens now: no stream stores it."""
    position: int = 0
    """In the order of being queued; 0 for one that is published again."""
    tries: int = field(default=0, compare=False)
    queued_s: float = field(default=0.0, compare=False)
    """When it was queued, by the clock of its queue."""

    def unqueued(self) -> "Message":
        """Copy the message as it was before it was queued."""
        return Message(self.subject, self.body, self.message_id, self.content_type, self.removes)


@dataclass(frozen=True, slots=True)
class _Block:
    """Events as JSON, packed: of each when it was stored, its subject, its id and its body."""

    newest_at: float
    count: int
    packed: bytes

    def unpack(self) -> Iterator[tuple[float, Message]]:
        for at, subject, message_id, body in json.loads(zlib.decompress(self.packed)):
            yield at, Message(subject, body.encode(), message_id, CONTENT_TYPE)


class _Events:
    """Oldest first; the newest are not packed yet."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._loose: deque[tuple[float, Message]] = deque()
        self._packed = 0

    def __len__(self) -> int:
        return self._packed + len(self._loose)

    def __iter__(self) -> Iterator[tuple[float, Message]]:
        for block in self._blocks:
            yield from block.unpack()
        yield from self._loose

    def add(self, at: float, message: Message) -> None:
        self._loose.append((at, message))
        if len(self._loose) >= 2 * BLOCK:
            taken = [self._loose.popleft() for _ in range(BLOCK)]
            rows = [(then, one.subject, one.message_id, one.body.decode()) for then, one in taken]
            self._blocks.append(_Block(taken[-1][0], BLOCK, zlib.compress(json.dumps(rows).encode(), 1)))
            self._packed += BLOCK

    def drop_old(self, before: float) -> None:
        """Drop what is old: a block goes when its newest is old."""
        while self._blocks and (self._blocks[0].newest_at < before or len(self) > MAX_KEPT):
            self._packed -= self._blocks.popleft().count
        while not self._blocks and self._loose and self._loose[0][0] < before:
            self._loose.popleft()

    def clear(self) -> None:
        self._blocks.clear()
        self._loose.clear()
        self._packed = 0


@dataclass(slots=True)
class _Stream:
    """A stream as it was last seen, and what was stored there lately."""

    last_sequence: int
    events: _Events = field(default_factory=_Events)
    values: OrderedDict[str, tuple[float, Message]] = field(default_factory=OrderedDict)
    """Of each key of a bucket the newest."""
    created: datetime | None = None
    forgot: bool = False


class KeptMessages:
    """Of one publisher, by stream."""

    def __init__(self, bus: Bus, clock: Callable[[], float]) -> None:
        self._bus, self._clock = bus, clock
        self._streams: dict[str, _Stream] = {}
        self._reconnected = asyncio.Event()
        bus.on_reconnect(self._reconnected.set)

    def keep(self, message: Message, ack: PubAck) -> None:
        """Keep a message that was stored. Its place in the stream shows whether the stream went back."""
        stream = self._streams.setdefault(ack.stream, _Stream(0))
        if not ack.duplicate:
            # An answer to a repetition names the place of the first.
            stream.forgot = stream.forgot or ack.seq <= stream.last_sequence
            stream.last_sequence = ack.seq
        now = self._clock()
        # A message of its own: this one may be sent again, with those that were not stored.
        message = message.unqueued()
        if message.message_id is not None:
            stream.events.add(now, message)
        else:
            stream.values.pop(message.subject, None)
            stream.values[message.subject] = (now, message)
        _drop_old(stream, now - KEPT_S)

    @property
    def count(self) -> int:
        """Messages kept by now."""
        return sum(len(stream.events) + len(stream.values) for stream in self._streams.values())

    @property
    def has_forgotten(self) -> bool:
        """Whether a stream went back by its answers."""
        return any(stream.forgot for stream in self._streams.values())

    def take_forgotten(self) -> list[Message]:
        """Hand out what the streams that went back may have forgotten, oldest first, and keep it no longer."""
        return [message for name, stream in self._streams.items() if stream.forgot for message in self._take_kept(name)]

    async def watch(self, on_forgotten: Callable[[Sequence[Message]], None]) -> None:
        """Check the streams after each reconnection, and now and then, until cancelled."""
        while True:
            self._reconnected.clear()
            for name in list(self._streams):
                if await self._forgot(name):
                    on_forgotten(self._take_kept(name))
                # A stream to which nothing more is published keeps nothing for longer either.
                _drop_old(self._streams[name], self._clock() - KEPT_S)
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

    def _take_kept(self, name: str) -> list[Message]:
        stream = self._streams[name]
        since = self._clock() - KEPT_S
        _drop_old(stream, since)
        # Not those of a block whose newest is not old.
        events = [entry for entry in stream.events if entry[0] >= since]
        entries = sorted((*events, *stream.values.values()), key=lambda entry: entry[0])
        stream.events.clear()
        stream.values.clear()
        stream.forgot, stream.last_sequence = False, 0
        if entries:
            log.warning("stream_forgot", stream=name, published_again=len(entries))
        return [message for _, message in entries]


def _drop_old(stream: _Stream, before: float) -> None:
    stream.events.drop_old(before)
    while stream.values:
        key, (at, _) = next(iter(stream.values.items()))
        if at >= before and len(stream.values) <= MAX_KEPT:
            break
        del stream.values[key]
