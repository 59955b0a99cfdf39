"""Work queues: one message per camera, which is postponed, kept in progress, released or completed.

Only `nak(delay)` is used, never a bare nak (instant redelivery).
"""

from dataclasses import dataclass
from functools import lru_cache

from nats.aio.msg import Msg

from vonggac.bus.connection import Bus
from vonggac.bus.dead_letters import dead_letter_or_retry
from vonggac.bus.pull_consumer import RELEASE_DELAY_S, PullConsumer
from vonggac.events import CloudEvent, MalformedEventError, Payload, decode
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

DEAD_LETTER_RETRY_S = 5.0

_decode = lru_cache(maxsize=1024)(decode)
"""A job is delivered with the same bytes again and again."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fetched job: the event that made it, and the message to answer."""

    event: CloudEvent[Payload]
    message: Msg
    deliveries: int
    stream_sequence: int

    async def postpone(self, delay_s: float) -> None:
        """Put the job back into the queue, due in `delay_s`. Raises NatsError."""
        await self.message.nak(delay=max(delay_s, RELEASE_DELAY_S))

    async def keep_in_progress(self) -> None:
        """Renew the ack wait; call at a third of it. Raises NatsError."""
        await self.message.in_progress()

    async def release(self) -> None:
        """Put the job back into the queue, due at once. Raises NatsError."""
        await self.message.nak(delay=RELEASE_DELAY_S)

    async def complete(self) -> None:
        """Remove the job from the queue (its camera is gone or has nothing to do). Raises NatsError."""
        await self.message.ack()


class JobQueue:
    """The jobs of one work-queue stream."""

    def __init__(self, bus: Bus, *, stream: str, durable: str, keep_open: bool = False) -> None:
        """`keep_open`: one request stays open between fetches; see `PullConsumer`."""
        self._bus = bus
        self._pull = PullConsumer(bus, stream=stream, durable=durable, keep_open=keep_open)

    async def fetch(self, most: int, *, wait_s: float = 5.0) -> list[Job]:
        """Up to `most` jobs; a message that is no event becomes a dead letter. Empty when there is nothing to do."""
        jobs = []
        for message in await self._pull.fetch(most, wait_s=wait_s):
            try:
                event = _decode(message.data)
            except MalformedEventError as error:
                await dead_letter_or_retry(
                    self._bus,
                    message,
                    stream=self._pull.stream,
                    durable=self._pull.durable,
                    reason=str(error),
                    retry_after_s=DEAD_LETTER_RETRY_S,
                )
                continue
            metadata = message.metadata
            jobs.append(Job(event, message, metadata.num_delivered, metadata.sequence.stream))
        return jobs

    async def close(self) -> None:
        """Fetch no more, and release what arrived and was not fetched: others get it at once."""
        await self._pull.close()
