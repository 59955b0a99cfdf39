"""What comes in from the bus: the inventory into mirrors, observations into runs and changes. Nothing goes out.

`Ingest` has the two handlers, `Feed` runs them, with the lag gauge and housekeeping beside them.

A batch is one transaction: inbox rows and effects together, acknowledged after the commit.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.errors import APIError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reporting import metrics
from reporting.domain.instants import duration, millis
from reporting.domain.timeline import CameraState, Observation
from reporting.ingest import ahead, camera_runs, delivery_proofs, inbox, workers
from reporting.ingest import delivery_claims as delivery_changes
from reporting.ingest import register as mirror
from reporting.settings import Settings
from reporting.storage import housekeeping
from reporting.storage.revision import migrations_missing
from vonggac.bus import Bus, EventConsumer, PullConsumer, Received, topology
from vonggac.database import Database
from vonggac.events import Payload
from vonggac.events.forwarder import DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import FocalPointV1, RemovedV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, ProberAliveV1, SiteObservedV1, Verdict
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WAIT_S = 0.5
MEASURE_EVERY_S = 5.0
FOLD_WITHIN = timedelta(hours=2)
FOLD_AFTER = timedelta(minutes=10)
"""Attempts are folded once they are this old: late ones of the same stretch have come by then."""

STATES = {
    Verdict.UP: CameraState.UP,
    Verdict.DOWN: CameraState.DOWN,
    Verdict.UNKNOWN: CameraState.UNKNOWN,
}


class UnexpectedEventError(ValueError):
    """An event that has no business in this stream: retried, then kept as a dead letter."""


def transient(error: Exception) -> bool:
    """Whether PostgreSQL or the network is at fault rather than the event."""
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
        return True
    return bool(getattr(error, "connection_invalidated", False))


class Ingest:
    """The two handlers. `clock` gives aware UTC."""

    def __init__(
        self, database: Database, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock

    def consumers(self, bus: Bus) -> list[EventConsumer]:
        """One per stream, not yet running."""
        return [
            EventConsumer(
                bus,
                stream=stream,
                durable=durable,
                handler=handler,
                transient=transient,
                batch=self._settings.ingest_batch,
            )
            for stream, durable, handler in (
                (topology.INVENTORY, topology.REPORTING_INVENTORY, self.inventory),
                (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS, self.observations),
            )
        ]

    async def inventory(self, batch: Sequence[Received]) -> None:
        """Mirror states and removals. Raises UnexpectedEventError and what PostgreSQL raises."""
        for received in batch:
            data = received.event.data
            if not isinstance(data, RemovedV1 | FocalPointV1) and type(data) not in mirror.MIRRORED:
                raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.INVENTORY}")
        started = time.perf_counter()
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, batch)
            states = [one.event.data for one in new if not isinstance(one.event.data, FocalPointV1)]
            await mirror.apply(session, states)
        _count("inventory", len(batch), len(new))
        metrics.BATCH_SECONDS.labels(topology.REPORTING_INVENTORY).observe(time.perf_counter() - started)

    def _taken(self, batch: Sequence[Received]) -> tuple[list[Received], list[ahead.Correction]]:
        """The facts as they are taken, and those of them that were dated after they were stored."""
        taken, corrections = [], []
        tolerance = timedelta(seconds=self._settings.future_tolerance_s)
        for received in batch:
            stored_at = received.stored_at or self._clock()
            correction = ahead.correct(received, _dated_at(received), stored_at, tolerance=tolerance)
            if correction is not None:
                corrections.append(correction)
            taken.append(received if correction is None else correction.received)
        return taken, corrections

    async def observations(self, batch: Sequence[Received]) -> None:
        """Store what was observed. Raises UnexpectedEventError and what PostgreSQL raises."""
        started = time.perf_counter()
        taken, corrections = self._taken(batch)
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, taken)
            facts = [one.event.data for one in new]
            handled = {id(one) for one in new}
            corrections = [one for one in corrections if id(one.received) in handled]
            await ahead.mark(session, corrections)
            counts = await camera_runs.record(session, by_camera(facts))
            changes = [fact for fact in facts if isinstance(fact, DeliveryObservedV1)]
            await delivery_changes.record(session, changes)
            await delivery_proofs.record(session, delivery_proofs.proofs(facts))
            for kind, last_alive in signs_of_life(facts).items():
                await workers.heard_of(session, kind, last_alive)
        _count("observation", len(batch), len(new))
        for correction in corrections:
            metrics.CORRECTED.labels(_kind_of(correction.received.event.data)).inc()
        for outcome, count in counts.by_outcome.items():
            metrics.OBSERVATIONS.labels(outcome).inc(count)
        metrics.BATCH_SECONDS.labels(topology.REPORTING_OBSERVATIONS).observe(time.perf_counter() - started)


def by_camera(facts: Iterable[Payload]) -> dict[UUID, list[Observation]]:
    """Probes as domain observations, by camera."""
    result: dict[UUID, list[Observation]] = {}
    for fact in facts:
        if isinstance(fact, CameraObservedV1):
            cause = None if fact.cause is None else fact.cause.value
            seen = Observation(millis(fact.observed_at), duration(fact.interval_s), STATES[fact.verdict], cause)
            result.setdefault(fact.camera_id, []).append(seen)
    return result


def signs_of_life(facts: Iterable[Payload]) -> dict[str, dict[str, datetime]]:
    """The newest sign of each worker, by kind: a heartbeat, or something that it observed."""
    result: dict[str, dict[str, datetime]] = {"prober": {}, "forwarder": {}}
    for fact in facts:
        match fact:
            case ProberAliveV1():
                kind, at = "prober", fact.alive_at
            case CameraObservedV1():
                kind, at = "prober", fact.observed_at
            case ForwarderAliveV1():
                kind, at = "forwarder", fact.alive_at
            case DeliveryObservedV1():
                kind, at = "forwarder", fact.observed_at
            case _:
                continue
        known = result[kind].get(fact.worker_id)
        result[kind][fact.worker_id] = at if known is None else max(known, at)
    return result


def _kind_of(fact: Payload) -> str:
    return "forwarder" if isinstance(fact, DeliveryObservedV1 | ForwarderAliveV1) else "prober"


def _dated_at(received: Received) -> datetime:
    """When a fact says that it was. Raises UnexpectedEventError for what is none."""
    data = received.event.data
    match data:
        case CameraObservedV1() | DeliveryObservedV1() | DeliveryVerifiedV1():
            at = data.observed_at
        case ProberAliveV1() | ForwarderAliveV1():
            at = data.alive_at
        case SiteObservedV1():
            at = data.ended_at or data.began_at
        case _:
            raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.OBSERVATIONS}")
    return at


def _count(kind: str, handled: int, new: int) -> None:
    metrics.EVENTS.labels(kind, "new").inc(new)
    if handled > new:
        metrics.EVENTS.labels(kind, "repeated").inc(handled - new)


class Feed:
    """Holds the bus connection; `run` is a task of the service and lives as long as it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self.bus: Bus | None = None
        self.feeding = False

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
            ingest = Ingest(self._database, self._settings)
            self.feeding = True
            log.info("reporting_feeding")
            async with asyncio.TaskGroup() as tasks:
                for consumer in ingest.consumers(bus):
                    tasks.create_task(consumer.run())
                tasks.create_task(self._measure(bus))
                tasks.create_task(self._keep_house())
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
        told = False
        while (reason := await migrations_missing(self._database)) is not None:
            if not told:
                log.info("reporting_waiting_for_tables", reason=reason)
                told = True
            await asyncio.sleep(WAIT_S)

    async def _measure(self, bus: Bus) -> None:
        consumers = (
            PullConsumer(bus, stream=topology.INVENTORY, durable=topology.REPORTING_INVENTORY),
            PullConsumer(bus, stream=topology.OBSERVATIONS, durable=topology.REPORTING_OBSERVATIONS),
        )
        while True:
            await _measure_once(consumers)
            await asyncio.sleep(MEASURE_EVERY_S)

    async def _keep_house(self) -> None:
        while True:
            try:
                await keep_house(self._database, self._settings, datetime.now(UTC))
            except (SQLAlchemyError, OSError) as error:
                log.warning("housekeeping_failed", error=type(error).__name__)
            await asyncio.sleep(self._settings.housekeeping_every_s)


async def keep_house(database: Database, settings: Settings, now: datetime) -> None:
    """One round: forget old inbox rows, fold failing attempts. Raises what PostgreSQL raises."""
    async with database.transaction() as session:
        forgotten = await inbox.forget(session, before=now - timedelta(seconds=settings.inbox_kept_s))
        unmarked = await ahead.forget(session, now=now)
    async with database.transaction() as session:
        folded = await housekeeping.fold_attempts(session, since=now - FOLD_WITHIN, until=now - FOLD_AFTER)
    metrics.HOUSEKEEPING.labels("inbox").inc(forgotten)
    metrics.HOUSEKEEPING.labels("corrected_fact").inc(unmarked)
    metrics.HOUSEKEEPING.labels("delivery_change").inc(folded)


async def _measure_once(consumers: Sequence[PullConsumer]) -> None:
    for consumer in consumers:
        try:
            info = await consumer.info()
        except (NatsError, APIError, TimeoutError) as error:
            log.debug("lag_unknown", durable=consumer.durable, error=type(error).__name__)
            continue
        metrics.PENDING.labels(consumer.durable).set((info.num_pending or 0) + (info.num_ack_pending or 0))
