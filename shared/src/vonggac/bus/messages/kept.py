"""Messages that JetStream has stored, kept for a while longer: it acknowledges before it has synced to the disk.

Whoever published them publishes them again when the stream has forgotten them (decision 0031). They are packed by the
block.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from nats.errors import Error as NatsError
from nats.js.api import PubAck

from vonggac.bus.connection import Bus
from vonggac.bus.messages.packed import BLOCK, Block, Message
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

KEPT_S = 180.0
"""NATS syncs at least every ten seconds here, every two minutes by its default."""
MAX_KEPT = 100_000
CHECK_EVERY_S = 20.0


class _Events:
    """Oldest first; the newest are not packed yet."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()
        self._loose: deque[Message] = deque()
        self._packed = 0

    def __len__(self) -> int:
        return self._packed + len(self._loose)

    def __iter__(self) -> Iterator[Message]:
        for block in self._blocks:
            yield from block.unpack()
        yield from self._loose

    def add(self, message: Message) -> None:
        self._loose.append(message)
        if len(self._loose) >= 2 * BLOCK:
            self._blocks.append(Block.pack([self._loose.popleft() for _ in range(BLOCK)]))
            self._packed += BLOCK

    def drop_old(self, before: float) -> None:
        """Drop what is old: a block goes when its newest is old."""
        while self._blocks and (self._blocks[0].newest_s < before or len(self) > MAX_KEPT):
            self._packed -= self._blocks.popleft().count
        while not self._blocks and self._loose and self._loose[0].since_s < before:
            self._loose.popleft()


class _Values:
    """Of each key of a bucket the newest, oldest first. A packed one that is replaced stays in its block unread."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._unreplaced: dict[int, int] = {}
        """How many of each block."""
        self._packed: dict[str, int] = {}
        """Of each subject, the number of its block."""
        self._made = 0
        self._loose: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._packed) + len(self._loose)

    def __iter__(self) -> Iterator[Message]:
        for number, block in self._blocks.items():
            yield from (one for one in block.unpack() if self._packed.get(one.subject) == number)
        yield from self._loose.values()

    def add(self, message: Message) -> None:
        self._drop(message.subject)
        self._loose[message.subject] = message
        if len(self._loose) >= 2 * BLOCK:
            taken = [self._loose.pop(subject) for subject in list(islice(self._loose, BLOCK))]
            self._made += 1
            self._blocks[self._made], self._unreplaced[self._made] = Block.pack(taken), BLOCK
            self._packed.update((one.subject, self._made) for one in taken)

    def drop_old(self, before: float) -> None:
        """Drop what is old: a block goes when its newest is old."""
        while self._blocks:
            number = next(iter(self._blocks))
            if self._blocks[number].newest_s >= before and len(self) <= MAX_KEPT:
                return
            for one in self._blocks[number].unpack():
                if self._packed.get(one.subject) == number:
                    self._drop(one.subject)
        while self._loose and next(iter(self._loose.values())).since_s < before:
            del self._loose[next(iter(self._loose))]

    def _drop(self, subject: str) -> None:
        if self._loose.pop(subject, None) is not None:
            return
        number = self._packed.pop(subject, None)
        if number is None:
            return
        self._unreplaced[number] -= 1
        if not self._unreplaced[number]:
            del self._blocks[number], self._unreplaced[number]


@dataclass(slots=True)
class _Stream:
    """A stream as it was last seen, and what was stored there lately."""

    last_sequence: int
    events: _Events = field(default_factory=_Events)
    values: _Values = field(default_factory=_Values)
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
        kept = message.unqueued(now)
        (stream.events if message.message_id is not None else stream.values).add(kept)
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
        taken = [message for message in (*stream.events, *stream.values) if message.since_s >= since]
        stream.events, stream.values = _Events(), _Values()
        stream.forgot, stream.last_sequence = False, 0
        if taken:
            log.warning("stream_forgot", stream=name, published_again=len(taken))
        return sorted(taken, key=lambda message: message.since_s)


def _drop_old(stream: _Stream, before: float) -> None:
    stream.events.drop_old(before)
    stream.values.drop_old(before)
