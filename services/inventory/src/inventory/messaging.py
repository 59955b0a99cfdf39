"""Publishes the outbox in order; consumes nothing.

Delivery is at least once: a row is deleted after NATS has stored its message, and `Nats-Msg-Id` lets the server drop a
repetition. Two rows of one subject are never published at the same time, so a retry cannot overtake a newer state.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from inventory.metrics import Metrics
from vonggac.bus import Bus, ServerClock, topology
from vonggac.bus.connection import BusSettings
from vonggac.events import subjects
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WINDOW = 256
STORE_WITHIN_S = 5.0
RETRY_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class OutboxAwayError(Exception):
    """The outbox cannot be read or written now; the text says why."""


class Row(Protocol):
    """A message of the outbox."""

    @property
    def id(self) -> int: ...
    @property
    def event_id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class Batch[R: Row](Protocol):
    """The oldest messages of the outbox; those named in `stored` are deleted when the batch is closed."""

    @property
    def rows(self) -> Sequence[R]: ...
    @property
    def stored(self) -> list[int]: ...


class Outbox(Protocol):
    """Where committed messages wait."""

    def open_batch(self, most: int) -> AbstractAsyncContextManager[Batch[Row]]:
        """At most `most` messages, which no other replica gets meanwhile. Raises OutboxAwayError, also at the end."""


def subject_of(noun: str, thing_id: UUID) -> str:
    """Where the state of a thing is published."""
    return subjects.inventory(noun, thing_id)


class Relay:
    """Publishes the outbox until cancelled, through outages of NATS and PostgreSQL. Row locks order replicas."""

    def __init__(self, outbox: Outbox, bus: Bus, metrics: Metrics, *, poll_s: float) -> None:
        self._outbox, self._bus, self._metrics, self._poll_s = outbox, bus, metrics, poll_s
        self._woken = asyncio.Event()
        bus.on_reconnect(self.wake)

    def wake(self) -> None:
        """Check the outbox now."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled; raises only bugs."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                while await self._publish_window():
                    failures = 0
            except (_UnstoredError, OutboxAwayError) as reason:
                failures = await self._pause(failures, str(reason))
            else:
                failures = 0
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._poll_s)

    async def _pause(self, failures: int, reason: str) -> int:
        self._metrics.publish_failures.inc()
        if failures == 0:
            log.warning("outbox_not_published", reason=reason)
        delay_s = RETRY_AFTER_S[min(failures, len(RETRY_AFTER_S) - 1)]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), delay_s)
        self._woken.clear()
        return failures + 1

    async def _publish_window(self) -> bool:
        """Publish some rows; False when there are none. Raises _UnstoredError after keeping what was stored."""
        if not self._bus.connected:
            # Not tried: a message buffered by the client would hold a transaction open until its timeout.
            raise _UnstoredError("NATS is not connected")
        async with self._outbox.open_batch(WINDOW) as batch:
            rows = window(batch.rows)
            if not rows:
                return False
            results = await asyncio.gather(*(self._store(row) for row in rows))
            batch.stored.extend(row.id for row, failure in zip(rows, results, strict=True) if failure is None)
        self._metrics.published.inc(len(batch.stored))
        if len(batch.stored) < len(rows):
            raise _UnstoredError(next(failure for failure in results if failure is not None))
        return True

    async def _store(self, row: Row) -> str | None:
        """None when NATS has stored the message, otherwise the reason."""
        try:
            await self._bus.js.publish(
                row.subject,
                row.body,
                timeout=STORE_WITHIN_S,
                stream=topology.INVENTORY,
                headers={"Nats-Msg-Id": row.event_id, "Content-Type": CONTENT_TYPE},
            )
        except (TimeoutError, NatsError, JetStreamError, OSError) as error:
            return f"NATS {type(error).__name__}"
        return None


class _UnstoredError(Exception):
    """NATS did not store a message; the text is the reason."""


def window[R: Row](rows: Sequence[R]) -> list[R]:
    """The rows up to the first whose subject is among the rows before it."""
    subjects: set[str] = set()
    taken: list[R] = []
    for row in rows:
        if row.subject in subjects:
            break
        subjects.add(row.subject)
        taken.append(row)
    return taken


async def connect_and_relay(settings: BusSettings, relay_ready: "RelayReady", clock: ServerClock) -> None:
    """Connect to NATS, publish the outbox and measure `clock` until cancelled, then close the connection."""
    bus = await Bus.connect(settings, name="inventory", clock=clock)
    measuring = asyncio.create_task(clock.run(bus), name="clock")
    try:
        await relay_ready(bus).run()
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
        await bus.close()


class RelayReady:
    """Creates the relay when NATS is connected, and wakes it from then on."""

    def __init__(self, outbox: Outbox, metrics: Metrics, *, poll_s: float) -> None:
        self._outbox, self._metrics, self._poll_s = outbox, metrics, poll_s
        self._relay: Relay | None = None
        self.bus: Bus | None = None

    def __call__(self, bus: Bus) -> Relay:
        self.bus = bus
        self._relay = Relay(self._outbox, bus, self._metrics, poll_s=self._poll_s)
        return self._relay

    @property
    def connected(self) -> bool:
        return self.bus is not None and self.bus.connected

    async def check(self) -> str | None:
        """Readiness: None when JetStream stores changes, otherwise one line; they wait in the outbox meanwhile."""
        return "NATS is not connected" if self.bus is None else await self.bus.check()

    def wake(self) -> None:
        if self._relay is not None:
            self._relay.wake()
