"""What comes in from the bus: events of the inventory and observations, in batches. Nothing goes out.

`Feed` runs a consumer for each stream and keeps the lag gauge current; the handlers are given to it. Events are
acknowledged after their handler has committed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from nats.errors import Error as NatsError
from nats.js.errors import APIError

from reporting import metrics
from reporting.settings import Settings
from vonggac.bus import Bus, EventConsumer, PullConsumer, Received, topology
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WAIT_S = 0.5
MEASURE_EVERY_S = 5.0


class Handlers(Protocol):
    """What handles the batches. Each commits all of a batch or raises."""

    async def inventory(self, batch: Sequence[Received]) -> None: ...
    async def observations(self, batch: Sequence[Received]) -> None: ...
    def is_transient(self, error: Exception) -> bool:
        """Whether PostgreSQL or the network is at fault rather than the event."""


def new_consumers(bus: Bus, handlers: Handlers, *, batch: int) -> list[EventConsumer]:
    """One per stream, not yet running."""
    return [
        EventConsumer(
            bus, stream=stream, durable=durable, handler=handler, transient=handlers.is_transient, batch=batch
        )
        for stream, durable, handler in (
            (topology.INVENTORY, topology.REPORTING_INVENTORY, handlers.inventory),
            (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS, handlers.observations),
        )
    ]


class Feed:
    """Holds the bus connection; `run` is a task of the service and lives as long as it."""

    def __init__(
        self, settings: Settings, handlers: Handlers, tables_missing: Callable[[], Awaitable[str | None]]
    ) -> None:
        """`tables_missing`: None when the tables are there, otherwise one line."""
        self._settings, self._handlers, self._tables_missing = settings, handlers, tables_missing
        self.bus: Bus | None = None
        self.feeding = False
        self.begun = asyncio.Event()
        """Set when the tables are there and events are consumed for the first time."""

    async def check(self) -> str | None:
        """Readiness: None when connected and consuming."""
        if self.bus is None:
            return "NATS is not connected"
        return await self.bus.check() if self.feeding else "waiting for the tables and the streams"

    async def run(self) -> None:
        """Connect, wait until streams and tables stand, then consume until cancelled."""
        bus = await self._connected()
        try:
            await bus.wait_for_topology()
            await self._wait_for_tables()
            self.feeding = True
            self.begun.set()
            log.info("reporting_feeding")
            async with asyncio.TaskGroup() as tasks:
                for consumer in new_consumers(bus, self._handlers, batch=self._settings.ingest_batch):
                    tasks.create_task(consumer.run())
                tasks.create_task(self._measure(bus))
        finally:
            self.feeding = False
            await bus.close()

    async def _connected(self) -> Bus:
        while self.bus is None:
            try:
                self.bus = await Bus.connect(self._settings, name="reporting")
            except (NatsError, OSError) as error:
                log.warning("bus_connect_failed", error=type(error).__name__)
                await asyncio.sleep(WAIT_S)
        return self.bus

    async def _wait_for_tables(self) -> None:
        logged = False
        while (reason := await self._tables_missing()) is not None:
            if not logged:
                log.info("reporting_waiting_for_tables", reason=reason)
                logged = True
            await asyncio.sleep(WAIT_S)

    async def _measure(self, bus: Bus) -> None:
        consumers = (
            PullConsumer(bus, stream=topology.INVENTORY, durable=topology.REPORTING_INVENTORY),
            PullConsumer(bus, stream=topology.OBSERVATIONS, durable=topology.REPORTING_OBSERVATIONS),
        )
        while True:
            await _measure_once(consumers)
            await asyncio.sleep(MEASURE_EVERY_S)


async def _measure_once(consumers: Sequence[PullConsumer]) -> None:
    for consumer in consumers:
        try:
            info = await consumer.info()
        except (NatsError, APIError, TimeoutError) as error:
            log.debug("lag_unknown", durable=consumer.durable, error=type(error).__name__)
            continue
        metrics.PENDING.labels(consumer.durable).set((info.num_pending or 0) + (info.num_ack_pending or 0))
