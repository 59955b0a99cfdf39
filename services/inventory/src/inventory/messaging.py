"""Publishes the outbox in order; consumes nothing.

Delivery is at least once: a row is deleted after NATS has stored its message, and `Nats-Msg-Id` lets the server drop a
repetition. Two rows of one subject are never published at the same time, so a retry cannot overtake a newer state.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from inventory.metrics import Metrics
from inventory.storage import outbox
from inventory.storage.conflicts import is_transient
from inventory.storage.tables import THINGS, OutboxRow
from vonggac.bus import Bus, ServerClock, topology
from vonggac.bus.connection import BusSettings
from vonggac.database import Database
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WINDOW = 256
STORE_WITHIN_S = 5.0
RETRY_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Relay:
    """Publishes the outbox until cancelled, through outages of NATS and PostgreSQL. Row locks order replicas."""

    def __init__(self, database: Database, bus: Bus, metrics: Metrics, *, poll_s: float) -> None:
        self._database, self._bus, self._metrics, self._poll_s = database, bus, metrics, poll_s
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
            except _UnstoredError as reason:
                failures = await self._pause(failures, str(reason))
            except DBAPIError as error:
                if not is_transient(error):
                    raise
                failures = await self._pause(failures, f"database {type(error.orig).__name__}")
            except (PoolTimeoutError, OSError) as error:
                failures = await self._pause(failures, f"database {type(error).__name__}")
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
        async with self._database.transaction() as session:
            rows = window(await outbox.next_rows(session, WINDOW))
            if not rows:
                return False
            results = await asyncio.gather(*(self._store(row) for row in rows))
            stored = [row.id for row, failure in zip(rows, results, strict=True) if failure is None]
            await outbox.delete_rows(session, stored)
        self._metrics.published.inc(len(stored))
        if len(stored) < len(rows):
            raise _UnstoredError(next(failure for failure in results if failure is not None))
        return True

    async def _store(self, row: OutboxRow) -> str | None:
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


def window(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    """The rows up to the first whose subject is among the rows before it."""
    subjects: set[str] = set()
    taken = []
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

    def __init__(self, database: Database, metrics: Metrics, *, poll_s: float) -> None:
        self._database, self._metrics, self._poll_s = database, metrics, poll_s
        self._relay: Relay | None = None
        self.bus: Bus | None = None

    def __call__(self, bus: Bus) -> Relay:
        self.bus = bus
        self._relay = Relay(self._database, bus, self._metrics, poll_s=self._poll_s)
        return self._relay

    def wake(self) -> None:
        if self._relay is not None:
            self._relay.wake()


async def measure(database: Database, metrics: Metrics, relay: RelayReady, *, every_s: float) -> None:
    """Keep the gauges current until cancelled."""
    while True:
        metrics.bus_connected.set(1 if relay.bus is not None and relay.bus.connected else 0)
        try:
            async with database.transaction() as session:
                count, age_s = await outbox.backlog(session, datetime.now(UTC))
                numbers = {kind.noun: await session.scalar(select(func.count()).select_from(kind)) for kind in THINGS}
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            log.debug("metrics_not_measured", error=type(error).__name__)
        else:
            metrics.outbox_backlog.set(count)
            metrics.outbox_age.set(age_s)
            for noun, number in numbers.items():
                metrics.things.labels(noun).set(number or 0)
        await asyncio.sleep(every_s)
