"""Work queues: one message per camera, which is postponed, kept in progress, released or completed.

Only `nak(delay)` is used, never a bare nak (instant redelivery).

A job that this release cannot read stands for a camera all the same, as one of a newer release does in a rolling
upgrade: it goes back to the queue, for as long as its camera stands (decision 0030).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from time import time_ns

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vonggac.bus.connection import Bus
from vonggac.bus.dead_letters import dead_letter_or_retry
from vonggac.bus.events import record_handling
from vonggac.bus.pull_consumer import RELEASE_DELAY_S, PullConsumer
from vonggac.events import CloudEvent, MalformedEventError, NotUnderstoodError, Payload, decode_on
from vonggac.events.traces import parse_traceparent
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

DEAD_LETTER_RETRY_S = 5.0
NOT_UNDERSTOOD_DELAYS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Until a job that was not understood comes again, by deliveries: soon at first, since a newer worker may have room."""
NOT_UNDERSTOOD, DEAD_LETTERED = "not_understood", "dead_lettered"

type OnUnreadable = Callable[[str], None]
"""Called with NOT_UNDERSTOOD or DEAD_LETTERED for each message that became no job."""

_decode = lru_cache(maxsize=1024)(decode_on)
"""A job is delivered with the same bytes again and again."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fetched job: the event that made it, and the message to answer."""

    event: CloudEvent[Payload]
    message: Msg
    deliveries: int
    stream_sequence: int

    def is_older_than(self, other: "Job") -> bool:
        """Of two jobs of one camera. In a stream that was put back, or made anew, a newer one has a smaller number."""
        sooner = self.message.metadata.timestamp < other.message.metadata.timestamp
        return sooner and self.stream_sequence < other.stream_sequence

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

    def __init__(
        self,
        bus: Bus,
        *,
        stream: str,
        durable: str,
        keep_open: bool = False,
        on_unreadable: OnUnreadable = lambda _outcome: None,
    ) -> None:
        """`keep_open`: one request stays open between fetches; see `PullConsumer`."""
        self._bus, self._on_unreadable = bus, on_unreadable
        self._pull = PullConsumer(bus, stream=stream, durable=durable, keep_open=keep_open)

    async def fetch(self, most: int, *, wait_s: float = 5.0) -> list[Job]:
        """Up to `most` jobs; empty when there is nothing to do.

        A message that is no event becomes a dead letter; an event that is not understood here goes back to the queue.
        """
        jobs = []
        for message in await self._pull.fetch(most, wait_s=wait_s):
            try:
                event = _decode(message.subject, message.data)
            except NotUnderstoodError as error:
                await self._put_back(message, str(error))
            except MalformedEventError as error:
                await self._dead_letter(message, str(error))
            else:
                metadata = message.metadata
                trace = parse_traceparent(event.traceparent) if metadata.num_delivered == 1 else None
                if trace is not None and trace.recorded:
                    record_handling(f"fetch {self._pull.durable}", event, trace, time_ns())
                    log.info("traced_job_fetched", subject=message.subject, trace_id=trace.trace_id)
                jobs.append(Job(event, message, metadata.num_delivered, metadata.sequence.stream))
        return jobs

    async def dead_letter(self, job: Job, reason: str) -> None:
        """Copy a job to DEAD_LETTERS and take it off the queue, or have it again later."""
        await self._dead_letter(job.message, reason)

    async def close(self) -> None:
        """Fetch no more, and release what arrived and was not fetched: others get it at once."""
        await self._pull.close()

    async def _dead_letter(self, message: Msg, reason: str) -> None:
        self._on_unreadable(DEAD_LETTERED)
        await dead_letter_or_retry(
            self._bus,
            message,
            stream=self._pull.stream,
            durable=self._pull.durable,
            reason=reason,
            retry_after_s=DEAD_LETTER_RETRY_S,
        )

    async def _put_back(self, message: Msg, reason: str) -> None:
        deliveries = message.metadata.num_delivered
        if deliveries == 1:
            log.warning("job_not_understood", subject=message.subject, reason=reason)
        self._on_unreadable(NOT_UNDERSTOOD)
        delays = NOT_UNDERSTOOD_DELAYS_S
        try:
            await message.nak(delay=delays[min(deliveries, len(delays)) - 1])
        except NatsError as error:
            # The server delivers it again after the ack wait.
            log.debug("release_failed", subject=message.subject, error=type(error).__name__)
