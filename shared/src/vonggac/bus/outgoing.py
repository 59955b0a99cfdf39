"""Publishing facts that must not be lost: kept in order in memory until JetStream has stored them, and a while longer.

While NATS is away the queue grows up to a bound. Beyond it the oldest are dropped, counted and logged: a process that
runs out of memory would lose them all. JetStream acknowledges before it has synced to the disk, so what it stored is
kept for KEPT_S and published again when the stream has forgotten it (decision 0031).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from uuid import UUID

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError

from vonggac.bus.connection import Bus
from vonggac.bus.dead_letters import store_unpublished
from vonggac.bus.declared.permissions import outgoing_of
from vonggac.bus.messages import KeptMessages, Message, MessageQueue
from vonggac.events import subjects
from vonggac.events.envelope import CONTENT_TYPE, CloudEvent, Payload
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

MAX_QUEUED = 100_000
WINDOW = 256
LINGER_S = 0.002
"""Facts of one moment, as a thumbnail and its observation, are sent and acknowledged together: a trip has its price."""
RETRY_AFTER_S = 0.5
STORE_WITHIN_S = 5.0
OTHERS_WITHIN_S = 1.0
"""After the last message of a window was answered, or not: streams may have different leaders."""
MAX_TRIES = 5
"""Of a message that the server refuses while it stores others."""
_SERVER_FAULT = 500


class _Outcome(Enum):
    STORED = "stored"
    UNANSWERED = "unanswered"
    REFUSED = "refused"


class Outgoing:
    """An ordered queue towards JetStream. `run` is a task of the service; `stored` counts what the server confirmed."""

    def __init__(
        self,
        bus: Bus,
        *,
        publisher: str | None = None,
        max_queued: int = MAX_QUEUED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Queue nothing yet. `publisher`: whose facts these are; events get its name and a sequence without gaps."""
        self._bus, self._publisher = bus, publisher
        self._queue = MessageQueue()
        self._flight: deque[Message] = deque()
        """What is being published: an overflow never touches it."""
        self._max_queued = max_queued
        self._kept, self._clock = KeptMessages(bus, clock), clock
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self._entered = self._sequence = 0
        self._waiting_for: list[tuple[int, asyncio.Future[None]]] = []
        self.stored = 0
        self.dropped = 0
        self.short_of_space = False
        """Set by whoever watches the server's disk (`vonggac.bus.space`)."""
        self.left_out = 0
        """Values that could wait and were left out for want of space."""
        self.refused = 0
        """Copied to DEAD_LETTERS because the server would not have them."""
        self.republished = 0
        """Stored once, forgotten by the server, and published again."""

    def queue_event[T: Payload](self, subject: str, event: CloudEvent[T]) -> None:
        """Queue an event; its id lets the server drop a repetition."""
        if self._publisher is not None:
            self._sequence += 1
            event = event.model_copy(update={"publisher": self._publisher, "publishersequence": self._sequence})
        self._put(Message(subject, event.encode(), event.id, CONTENT_TYPE))

    def queue_value(self, bucket: str, key: UUID | str, body: bytes, *, can_wait: bool = False) -> None:
        """Queue the value of a key in a bucket, such as the latest status.

        `can_wait`: no fact, and made anew later; left out while the server is short of space.
        """
        if can_wait and self.short_of_space:
            self.left_out += 1
            return
        self._put(Message(subjects.key_value(bucket, key), body, None, "application/json"))

    def queue_removal(self, bucket: str, key: UUID | str) -> None:
        """Queue the removal of a key from a bucket, in order with what was queued before."""
        self._put(Message(subjects.key_value(bucket, key), b"", None, "application/json", removes=True))

    def queue_live(self, subject: str, body: bytes) -> None:
        """Queue what is for whoever listens when it is published, in order with the rest; no stream stores it."""
        self._put(Message(subject, body, None, CONTENT_TYPE, live=True))

    @property
    def waiting(self) -> int:
        return len(self._queue) + len(self._flight)

    @property
    def oldest_age_s(self) -> float:
        """For how long the oldest waiting message has waited; 0 when none waits."""
        oldest = self._flight[0] if self._flight else self._queue.first
        return 0.0 if oldest is None else max(self._clock() - oldest.since_s, 0.0)

    @property
    def kept(self) -> int:
        """Stored messages that are kept, should NATS forget them."""
        return self._kept.count

    @property
    def lost(self) -> int:
        """Facts and values that will not be stored where they belong."""
        return self.dropped + self.refused

    async def run(self) -> None:
        """Publish for ever; retries until stored."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kept.watch(self._publish_again), name="watch-streams")
            group.create_task(self._publish_for_ever(), name="publish")

    async def drain(self, *, within_s: float) -> int:
        """Wait until everything queued is stored; returns how many are not after `within_s`. `run` must be running."""
        try:
            async with asyncio.timeout(within_s):
                await self._emptied.wait()
        except TimeoutError:
            log.error("observations_not_stored", count=self.waiting)
        return self.waiting

    async def flush(self, *, within_s: float) -> bool:
        """Wait until what is queued by now is stored, whatever is queued after it; False after `within_s`."""
        if not self.waiting:
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

    async def _publish_for_ever(self) -> None:
        while True:
            await self._filled.wait()
            if self.waiting < WINDOW:
                await asyncio.sleep(LINGER_S)
            while self._queue and len(self._flight) < WINDOW:
                self._flight.append(self._queue.pop_first())
            outcomes = await self._publish(list(self._flight))
            done = next((at for at, outcome in enumerate(outcomes) if outcome is not _Outcome.STORED), len(outcomes))
            for _ in range(done):
                self._flight.popleft()
            self.stored += done
            if done < len(outcomes):
                await self._judge_first(outcomes[done:])
            self._resolve_flushes()
            if done < len(outcomes):
                await asyncio.sleep(RETRY_AFTER_S)

    async def _judge_first(self, outcomes: Sequence[_Outcome]) -> None:
        """Judge the first: a message that the server will never store must not block those behind it."""
        first = self._flight[0]
        tried = zip(self._flight, outcomes, strict=True)
        beside = {outcome for message, outcome in tried if _is_for_same_stream(message, first)}
        alone = outcomes[0] is _Outcome.REFUSED or _Outcome.STORED in beside
        first.tries = first.tries + 1 if alone else 0
        if first.tries < MAX_TRIES:
            return
        durable = outgoing_of(self._bus.user)
        reason = f"NATS did not store it in {first.tries} tries, and stored others"
        try:
            await store_unpublished(self._bus, first.subject, first.body, durable=durable, reason=reason)
        except (APIError, MaxPayloadError) as error:
            log.error("dead_letter_refused", subject=first.subject, error=type(error).__name__, size=len(first.body))
        except (NatsError, TimeoutError, OSError) as error:
            log.warning("dead_letter_failed", subject=first.subject, error=type(error).__name__)
            return
        self._flight.popleft()
        self.refused += 1

    def _publish_again(self, forgotten: Sequence[Message]) -> None:
        """Before what waits: it is older."""
        for message in forgotten:
            message.since_s = self._clock()
        self._queue.prepend(forgotten)
        self.republished += len(forgotten)
        self._emptied.clear()
        self._filled.set()

    def _put(self, message: Message) -> None:
        self._entered += 1
        message.position, message.since_s = self._entered, self._clock()
        if len(self._queue) >= self._max_queued:
            self._queue.pop_first()
            self._resolve_flushes()
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                log.error("observations_dropped", count=self.dropped)
        self._queue.append(message)
        self._emptied.clear()
        self._filled.set()

    def _resolve_flushes(self) -> None:
        if not self.waiting:
            self._filled.clear()
            self._emptied.set()
        if self._waiting_for:
            oldest = min([self._queue.oldest_position(self._entered + 1), *(one.position for one in self._flight)])
            for position, reached in self._waiting_for:
                if oldest > position and not reached.done():
                    reached.set_result(None)

    async def _publish(self, window: Sequence[Message]) -> list[_Outcome]:
        """Publish each; the caller sends again what follows the first that NATS did not store."""
        # Not a request for each: its task and its timer cost as much as the message.
        answers = [await self._send(message) for message in window]
        if awaited := [answer for answer in answers if isinstance(answer, asyncio.Future)]:
            # A server answers in order. nats-py keeps a refusal to itself: it looks like an answer that never comes.
            await asyncio.wait(awaited[-1:], timeout=STORE_WITHIN_S)
            if others := [answer for answer in awaited if not answer.done()]:
                await asyncio.wait(others, timeout=OTHERS_WITHIN_S)
        outcomes = [self._outcome(message, answer) for message, answer in zip(window, answers, strict=True)]
        if self._kept.has_forgotten:
            self._publish_again(self._kept.take_forgotten())
        return outcomes

    async def _send(self, message: Message) -> asyncio.Future[PubAck] | _Outcome:
        """Send a message: resolves when the server has stored it; an outcome when it could not be sent.

        nats-py keeps room for what it refuses itself, for ever, and has it for 4,000: nothing it would refuse is sent.
        """
        if len(message.body) > self._bus.client.max_payload:
            return _Outcome.REFUSED
        if not self._bus.connected:
            return _Outcome.UNANSWERED
        headers = {"Content-Type": message.content_type}
        if message.message_id is not None:
            headers["Nats-Msg-Id"] = message.message_id
        if message.removes:
            headers["KV-Operation"] = "DEL"
        try:
            if message.live:
                await self._bus.client.publish(message.subject, message.body, headers=headers)
                return _Outcome.STORED
            return await self._bus.js.publish_async(message.subject, message.body, headers=headers)
        except (TimeoutError, NatsError, OSError) as error:
            log.debug("publish_failed", subject=message.subject, error=type(error).__name__)
            return _Outcome.UNANSWERED

    def _outcome(self, message: Message, answer: asyncio.Future[PubAck] | _Outcome) -> _Outcome:
        if isinstance(answer, _Outcome):
            return answer
        if not answer.done():
            # nats-py keeps room for it until it is done.
            answer.cancel()
            log.debug("publish_failed", subject=message.subject, error="TimeoutError")
            return _Outcome.UNANSWERED
        if answer.cancelled():
            return _Outcome.UNANSWERED
        if (error := answer.exception()) is not None:
            log.debug("publish_failed", subject=message.subject, error=type(error).__name__)
            return _Outcome.REFUSED if _is_final(error) else _Outcome.UNANSWERED
        self._kept.keep(message, answer.result())
        return _Outcome.STORED


def _is_for_same_stream(one: Message, other: Message) -> bool:
    """Streams have leaders of their own: what one stores says nothing of another. What is live is stored by none."""
    return not one.live and _stream_part(one.subject) == _stream_part(other.subject)


def _stream_part(subject: str) -> list[str]:
    """Return what of a subject decides its stream: `observation`, or `$KV` and the bucket."""
    parts = subject.split(".")
    return parts[:2] if parts[0] == "$KV" else parts[:1]


def _is_final(error: BaseException) -> bool:
    """Whether the server means this message, and not its own state (no stream, no leader, no room)."""
    if not isinstance(error, APIError) or isinstance(error, NoStreamResponseError):
        return False
    return (error.code or _SERVER_FAULT) < _SERVER_FAULT
