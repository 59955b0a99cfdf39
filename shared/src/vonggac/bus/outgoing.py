"""Publishing facts that must not be lost: kept in order in memory until JetStream has stored them.

While NATS is away the queue grows up to a bound. Beyond it the oldest are dropped, counted and logged: a process that
runs out of memory would lose them all.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.api import PubAck

from vonggac.bus.connection import Bus
from vonggac.events import subjects
from vonggac.events.envelope import CONTENT_TYPE, CloudEvent, Payload
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

MAX_QUEUED = 100_000
WINDOW = 256
LINGER_S = 0.002
"""Facts of one moment, as a thumbnail and its observation, are sent and confirmed together: each trip has its price."""
RETRY_AFTER_S = 0.5
STORE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class _Message:
    subject: str
    body: bytes
    message_id: str | None
    content_type: str
    removes: bool = False


class Outgoing:
    """An ordered queue towards JetStream. `run` is a task of the service; `stored` counts what the server confirmed."""

    def __init__(self, bus: Bus, *, max_queued: int = MAX_QUEUED) -> None:
        self._bus = bus
        self._queue: deque[_Message] = deque()
        self._max_queued = max_queued
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._entered = 0
        self._left = 0
        self._waiting_for: list[tuple[int, asyncio.Future[None]]] = []
        self.stored = 0
        self.dropped = 0
        self.short_of_space = False
        """Set by whoever watches the server's disk (`vonggac.bus.space`)."""
        self.left_out = 0
        """Values that could wait and were left out for want of space."""

    def queue_event[T: Payload](self, subject: str, event: CloudEvent[T]) -> None:
        """Queue an event; its id lets the server drop a repetition."""
        self._put(_Message(subject, event.encode(), event.id, CONTENT_TYPE))

    def queue_value(self, bucket: str, key: UUID | str, body: bytes, *, can_wait: bool = False) -> None:
        """Queue the value of a key in a bucket, such as the latest status.

        `can_wait`: no fact, and made anew later; left out while the server is short of space.
        """
        if can_wait and self.short_of_space:
            self.left_out += 1
            return
        self._put(_Message(subjects.key_value(bucket, key), body, None, "application/json"))

    def queue_removal(self, bucket: str, key: UUID | str) -> None:
        """Queue the removal of a key from a bucket, in order with what was queued before."""
        self._put(_Message(subjects.key_value(bucket, key), b"", None, "application/json", removes=True))

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def run(self) -> None:
        """Publish for ever; retries until stored."""
        while True:
            await self._filled.wait()
            if len(self._queue) < WINDOW:
                await asyncio.sleep(LINGER_S)
            window = [self._queue[index] for index in range(min(WINDOW, len(self._queue)))]
            done = await self._publish(window)
            for _ in range(done):
                self._queue.popleft()
            self.stored += done
            self._leave(done)
            if not self._queue:
                self._filled.clear()
                self._emptied.set()
            if done < len(window):
                await asyncio.sleep(RETRY_AFTER_S)

    async def drain(self, *, within_s: float) -> int:
        """Wait until everything queued is stored; returns how many are not after `within_s`. `run` must be running."""
        try:
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        except TimeoutError:
            log.error("observations_not_stored", count=len(self._queue))
        return len(self._queue)

    async def flush(self, *, within_s: float) -> bool:
        """Wait until what is queued by now is stored, whatever is queued after it; False after `within_s`."""
        if self._left >= self._entered:
            return True
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for.append((self._entered, reached))
        try:
            async with asyncio.timeout(within_s):
                await reached
        except TimeoutError:
            return False
        finally:
            self._waiting_for = [waiting for waiting in self._waiting_for if waiting[1] is not reached]
        return True

    def _leave(self, count: int) -> None:
        self._left += count
        for position, reached in self._waiting_for:
            if self._left >= position and not reached.done():
                reached.set_result(None)

    def _put(self, message: _Message) -> None:
        self._entered += 1
        if len(self._queue) >= self._max_queued:
            self._queue.popleft()
            self._leave(1)
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                log.error("observations_dropped", count=self.dropped)
        self._queue.append(message)
        self._emptied.clear()
        self._filled.set()

    async def _publish(self, window: list[_Message]) -> int:
        """How many from the start of `window` are stored; what follows a failure is sent again."""
        # Not a request for each: its task and its timer cost as much as the message.
        answers = [await self._send(message) for message in window]
        if awaited := [answer for answer in answers if answer is not None]:
            await asyncio.wait(awaited, timeout=STORE_WITHIN_S)
        results = [_is_stored(message, answer) for message, answer in zip(window, answers, strict=True)]
        return next((index for index, stored in enumerate(results) if not stored), len(window))

    async def _send(self, message: _Message) -> asyncio.Future[PubAck] | None:
        """Resolves when the server has stored it; None when it could not be sent."""
        headers = {"Content-Type": message.content_type}
        if message.message_id is not None:
            headers["Nats-Msg-Id"] = message.message_id
        if message.removes:
            headers["KV-Operation"] = "DEL"
        try:
            return await self._bus.js.publish_async(message.subject, message.body, headers=headers)
        except (TimeoutError, NatsError, OSError) as error:
            log.debug("publish_failed", subject=message.subject, error=type(error).__name__)
            return None


def _is_stored(message: _Message, answer: asyncio.Future[PubAck] | None) -> bool:
    if answer is None:
        return False
    if not answer.done():
        # nats-py keeps room for it until it is done.
        answer.cancel()
        log.debug("publish_failed", subject=message.subject, error="TimeoutError")
        return False
    if answer.cancelled():
        return False
    if (error := answer.exception()) is not None:
        log.debug("publish_failed", subject=message.subject, error=type(error).__name__)
        return False
    return True
