"""Consuming events: decode, handle in batches, ack after the handler has committed.

A handler must be idempotent by `(source, id)` (an inbox row): a crash between commit and ack redelivers. A batch that
fails is halved until the events are found that make it fail, so that a poisonous one neither holds up nor slows down
the others; it is retried with growing delay, then it becomes a dead letter. An event of a type that a newer release
brought waits in its stream until this consumer is of that release (decision 0030). One that does not belong on its
subject is a dead letter at once: who may publish there may not say that (decision 0117).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import time_ns

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import APIError

from vonggac.bus.connection import Bus
from vonggac.bus.dead_letters import dead_letter_or_retry
from vonggac.bus.pull_consumer import PullConsumer
from vonggac.events import (
    CloudEvent,
    MalformedEventError,
    MisplacedEventError,
    NewerTypeError,
    Payload,
    decode_on,
    subjects,
)
from vonggac.events.envelope import WAITED_HEADER
from vonggac.events.traces import SpanKind, TraceContext, exports_spans, parse_traceparent, record_span
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

DELAYS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
NEWER_DELAYS_S = (5.0, 30.0, 60.0, 120.0)
"""Until an event of a newer type comes again, by deliveries: a rolling upgrade takes minutes."""

MOST_TRACES = 20
"""Logged of a batch."""
PAGE_BYTES = 4 << 20
MOST_DIGITS = 12
"""Of milliseconds: 30 years."""
ANSWER_WITHIN_S = 5.0
_END_OF_PAGE, _NO_MESSAGE, _NO_RESPONDERS = "204", "404", "503"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the stream holds it."""

    sequence: int
    subject: str
    body: bytes
    stored_at: datetime | None = None
    waited: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A decoded event with its place in its stream."""

    event: CloudEvent[Payload]
    subject: str
    stream_sequence: int
    stored_at: datetime | None = None
    """The server's time when it stored the event; None where no server did."""
    waited: timedelta | None = None
    """How long what it says had been on record when it was published, by a steady clock; None: not known."""


type Handler = Callable[[Sequence[Received]], Awaitable[None]]
"""Commits everything in the batch or raises; it is called again with the same events after a failure."""

type Transient = Callable[[Exception], bool]
"""Whether an error comes from outside the event (database away): then wait and retry, never dead-letter."""


class EventConsumer:
    """Runs one durable consumer of events until cancelled."""

    def __init__(
        self,
        bus: Bus,
        *,
        stream: str,
        durable: str,
        handler: Handler,
        transient: Transient,
        batch: int = 500,
        wait_s: float = 5.0,
        delays_s: Sequence[float] = DELAYS_S,
        newer_delays_s: Sequence[float] = NEWER_DELAYS_S,
        on_newer: Callable[[], None] = lambda: None,
        on_misplaced: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_newer` is called for each delivery of an event that only a newer release understands, `on_misplaced` for
        each event on a subject where it does not belong."""
        self._delays_s, self._newer_delays_s = delays_s, newer_delays_s
        self._on_newer, self._on_misplaced = on_newer, on_misplaced
        self._bus, self._handler, self._transient, self._batch, self._wait_s = bus, handler, transient, batch, wait_s
        self._pull = PullConsumer(bus, stream=stream, durable=durable)
        self.stream, self.durable = stream, durable

    async def run(self) -> None:
        """Consume for ever. Cancelling between fetch and ack loses nothing: the events are delivered again."""
        try:
            while True:
                messages = await self._pull.fetch(self._batch, wait_s=self._wait_s)
                if messages:
                    await self._consume(messages)
        finally:
            await self._pull.close()

    async def replay(self, first: int, last: int) -> int:
        """Handle what the stream still holds of these sequences again; returns how many events that were.

        For a handler whose records went back: the consumer is past them. Raises what the handler raises for an error
        from outside the events, NatsError or TimeoutError.
        """
        count = 0
        async for messages in read_stream(self._bus, self.stream, first, last, most=self._batch):
            events = [event for message in messages if (event := _decode_stored(message)) is not None]
            try:
                await self._handler(events)
            except Exception as error:
                if self._transient(error):
                    raise
                for event in events:
                    await self._handle_stored(event)
            count += len(events)
        return count

    async def _handle_stored(self, received: Received) -> None:
        try:
            await self._handler([received])
        except Exception as error:
            if self._transient(error):
                raise
            # It became a dead letter when it came for the first time.
            log.info("event_not_replayed", subject=received.subject, error=type(error).__name__)

    async def _consume(self, messages: list[Msg]) -> None:
        good = [pair for message in messages if (pair := await self._decode(message)) is not None]
        if not good:
            return
        began_ns = time_ns()
        try:
            await self._handler([received for _, received in good])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the event must not be lost
            log.warning("event_batch_failed", durable=self._pull.durable, size=len(good), error=error)
            await self._after_failure(good, error)
            return
        await self._finish(good, began_ns)

    async def _finish(self, pairs: list[tuple[Msg, Received]], began_ns: int) -> None:
        await self._answer([message.ack() for message, _ in pairs])
        note_traces(self._pull.durable, [received for _, received in pairs], began_ns)

    async def _after_failure(self, pairs: list[tuple[Msg, Received]], error: Exception) -> None:
        """Of a batch that failed, find the events that make it fail: the others are handled in a few parts."""
        if self._transient(error):
            await self._postpone(pairs, error)
        elif len(pairs) > 1:
            middle = len(pairs) // 2
            for half in (pairs[:middle], pairs[middle:]):
                await self._consume_part(half)
        elif (message := pairs[0][0]).metadata.num_delivered <= len(self._delays_s):
            await self._postpone(pairs, error)
        else:
            await self._dead_letter(message, f"{type(error).__name__}: {error}")

    async def _consume_part(self, pairs: list[tuple[Msg, Received]]) -> None:
        began_ns = time_ns()
        try:
            await self._handler([received for _, received in pairs])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the event must not be lost
            await self._after_failure(pairs, error)
        else:
            await self._finish(pairs, began_ns)

    async def _postpone(self, pairs: list[tuple[Msg, Received]], error: Exception) -> None:
        log.info("events_postponed", durable=self._pull.durable, size=len(pairs), error=type(error).__name__)
        delays = [self._delays_s[min(message.metadata.num_delivered, len(self._delays_s)) - 1] for message, _ in pairs]
        await self._answer([message.nak(delay=delay) for (message, _), delay in zip(pairs, delays, strict=True)])
        if self._transient(error):
            await asyncio.sleep(self._delays_s[0])

    async def _decode(self, message: Msg) -> tuple[Msg, Received] | None:
        try:
            event = decode_on(message.subject, message.data)
        except NewerTypeError as error:
            await self._wait_for_newer(message, str(error))
            return None
        except MalformedEventError as error:
            if isinstance(error, MisplacedEventError):
                self._on_misplaced()
            await self._dead_letter(message, str(error))
            return None
        metadata = message.metadata
        waited = waited_of(message.headers)
        return message, Received(event, message.subject, metadata.sequence.stream, metadata.timestamp, waited)

    async def _wait_for_newer(self, message: Msg, reason: str) -> None:
        deliveries = message.metadata.num_delivered
        if deliveries == 1:
            log.warning("event_not_understood", subject=message.subject, reason=reason)
        self._on_newer()
        delays = self._newer_delays_s
        await self._answer([message.nak(delay=delays[min(deliveries, len(delays)) - 1])])

    async def _dead_letter(self, message: Msg, reason: str) -> None:
        await dead_letter_or_retry(
            self._bus,
            message,
            stream=self._pull.stream,
            durable=self._pull.durable,
            reason=reason,
            retry_after_s=self._delays_s[-1],
        )

    async def _answer(self, answers: list[Awaitable[None]]) -> None:
        for answer in answers:
            try:
                await answer
            except NatsError as error:
                # The connection is away: the server delivers the event again and the inbox makes that harmless.
                log.info("event_answer_failed", durable=self._pull.durable, error=type(error).__name__)


def note_traces(durable: str, batch: Sequence[Received], began_ns: int) -> None:
    """One line for each trace of which events were handled: an import is one trace, and thousands of events.

    A worker's own traces are no line, but for those whose spans are kept; each event of those is a span.
    """
    counts: Counter[str] = Counter()
    for received in batch:
        trace = parse_traceparent(received.event.traceparent)
        if trace is not None and trace.recorded:
            counts[trace.trace_id] += 1
            record_handling(f"handle {durable}", received.event, trace, began_ns)
    for trace_id, count in counts.most_common(MOST_TRACES):
        log.info("traced_events_handled", durable=durable, trace_id=trace_id, count=count)


def record_handling(name: str, event: CloudEvent[Payload], trace: TraceContext, began_ns: int) -> None:
    """Record a span of what was done with an event of that trace, from `began_ns` until now."""
    if exports_spans():
        attributes = {
            "messaging.system": "nats", "messaging.message.id": event.id, "cloudevents.event_type": event.type
        }  # fmt: skip
        record_span(
            name,
            trace_id=trace.trace_id,
            span_id=trace.new_child().span_id,
            parent_id=trace.span_id,
            kind=SpanKind.CONSUMER,
            began_ns=began_ns,
            attributes=attributes,
        )


def waited_of(headers: Mapping[str, str] | None) -> timedelta | None:
    """Read what a message says of its waiting; None where it says nothing that can be."""
    said = (headers or {}).get(WAITED_HEADER, "")
    return timedelta(milliseconds=int(said)) if said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS else None


def _decode_stored(message: StoredMessage) -> Received | None:
    try:
        event = decode_on(message.subject, message.body)
        return Received(event, message.subject, message.sequence, message.stored_at, message.waited)
    except MalformedEventError as error:
        log.info("event_not_replayed", subject=message.subject, error=type(error).__name__)
        return None


async def read_stream(
    bus: Bus, stream: str, first: int, last: int, *, most: int = 256, pattern: str = ">"
) -> AsyncIterator[list[StoredMessage]]:
    """Read the messages left of [first, last] on subjects of `pattern`, in pages of at most `most`.

    Raises NatsError or TimeoutError.
    """
    sequence = first
    while sequence <= last:
        page, ended = await _read_page(bus, stream, sequence, min(most, last - sequence + 1), pattern)
        wanted = [message for message in page if message.sequence <= last]
        if wanted:
            yield wanted
        if ended or len(wanted) < len(page):
            return
        sequence = page[-1].sequence + 1


async def _read_page(bus: Bus, stream: str, first: int, most: int, pattern: str) -> tuple[list[StoredMessage], bool]:
    """Read a page, and whether there is nothing after it."""
    page: list[StoredMessage] = []
    inbox = bus.client.new_inbox()
    subscription = await bus.client.subscribe(inbox)
    try:
        request = {"seq": first, "next_by_subj": pattern, "batch": most, "max_bytes": PAGE_BYTES}
        await bus.client.publish(subjects.direct_get(stream), json.dumps(request).encode(), reply=inbox)
        while True:
            message = await subscription.next_msg(ANSWER_WITHIN_S)
            headers = message.headers or {}
            status = headers.get("Status")
            if status is None:
                stored_at = datetime.fromisoformat(headers["Nats-Time-Stamp"])
                sequence = int(headers["Nats-Sequence"])
                waited = waited_of(headers)
                page.append(StoredMessage(sequence, headers["Nats-Subject"], message.data, stored_at, waited))
            elif status == _END_OF_PAGE:
                return page, headers.get("Nats-Num-Pending", "0") == "0" or not page
            elif status == _NO_MESSAGE:
                return page, True
            elif status == _NO_RESPONDERS:
                raise NoRespondersError
            else:
                raise APIError.from_msg(message)
    finally:
        # A connection that went took its subscriptions along.
        with suppress(NatsError):
            await subscription.unsubscribe()
