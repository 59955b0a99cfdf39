"""What comes in from the bus: the register into the plan, observations into runs and claims. Nothing goes out.

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
from reporting.ingest import claims, inbox, lives, proofs, runs, scope, site_faults
from reporting.settings import Settings
from reporting.storage import housekeeping
from reporting.storage.revision import migrations_missing
from vonggac.bus import Bus, EventConsumer, PullConsumer, Received, topology
from vonggac.database import Database
from vonggac.events import Cause, Payload
from vonggac.events.forwarder import DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import FocalPointV1, RemovedV1
from vonggac.events.prober import (
    CameraObservedV1,
    DeliveryVerifiedV1,
    ProberAliveV1,
    SiteObservedV1,
    Verdict,
    VerificationVerdict,
)
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


READ_BACK_STATES = {
    VerificationVerdict.VERIFIED: CameraState.UP,
    VerificationVerdict.MISMATCH: CameraState.DOWN,
    VerificationVerdict.UNREACHABLE: CameraState.DOWN,
    VerificationVerdict.NOT_CHECKABLE: CameraState.UNKNOWN,
}


class UnexpectedEventError(ValueError):
    """An event that has no business in this stream, or that lies in the future: retried, then kept as a dead letter."""


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
        """Store states and removals. Raises UnexpectedEventError and what PostgreSQL raises."""
        for received in batch:
            data = received.event.data
            if not isinstance(data, RemovedV1 | FocalPointV1) and type(data) not in scope.KEPT:
                raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.INVENTORY}")
        started = time.perf_counter()
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, batch)
            states = [one.event.data for one in new if not isinstance(one.event.data, FocalPointV1)]
            await scope.apply(session, states)
        _count("inventory", len(batch), len(new))
        metrics.BATCH_SECONDS.labels(topology.REPORTING_INVENTORY).observe(time.perf_counter() - started)

    async def observations(self, batch: Sequence[Received]) -> None:
        """Store what was observed. Raises UnexpectedEventError and what PostgreSQL raises."""
        started = time.perf_counter()
        latest = self._clock() + timedelta(seconds=self._settings.future_tolerance_s)
        for received in batch:
            _check(received, latest)
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, batch)
            facts = [one.event.data for one in new]
            counts = await runs.record(session, runs.CAMERAS, probes(facts))
            await runs.record(session, runs.READ_BACKS, read_backs(facts))
            changes = [fact for fact in facts if isinstance(fact, DeliveryObservedV1)]
            await claims.record(session, changes)
            await proofs.record(session, proofs.proofs(facts))
            await site_faults.record(session, facts)
            await lives.record(session, lives.signs_of_life(facts, duration(self._settings.presumed_alive_s)))
        _count("observation", len(batch), len(new))
        for outcome, count in counts.by_outcome.items():
            metrics.OBSERVATIONS.labels(outcome).inc(count)
        metrics.BATCH_SECONDS.labels(topology.REPORTING_OBSERVATIONS).observe(time.perf_counter() - started)


def probes(facts: Iterable[Payload]) -> dict[UUID, list[Observation]]:
    """Probes as domain observations, by camera."""
    result: dict[UUID, list[Observation]] = {}
    for fact in facts:
        if isinstance(fact, CameraObservedV1):
            cause = None if fact.cause is None else fact.cause.value
            result.setdefault(fact.camera_id, []).append(_observation(fact, STATES[fact.verdict], cause))
    return result


def read_backs(facts: Iterable[Payload]) -> dict[UUID, list[Observation]]:
    """Read-backs as domain observations, by delivery: `down` was tried and failed, `unknown` could not be tried."""
    result: dict[UUID, list[Observation]] = {}
    for fact in facts:
        if isinstance(fact, DeliveryVerifiedV1):
            state = READ_BACK_STATES[fact.verdict]
            mismatch = Cause.MISMATCH if fact.verdict is VerificationVerdict.MISMATCH else None
            cause = (fact.cause or mismatch) if state is CameraState.DOWN else None
            result.setdefault(fact.delivery_id, []).append(_observation(fact, state, cause))
    return result


def _observation(fact: CameraObservedV1 | DeliveryVerifiedV1, state: CameraState, cause: str | None) -> Observation:
    """A failure is dated to the beginning of the attempt that failed (design 6)."""
    at = millis(fact.observed_at)
    awake_since = 0 if fact.awake_since is None else millis(fact.awake_since)
    if state is CameraState.DOWN:
        at = max(at - round(fact.duration_ms), awake_since)
    return Observation(at, duration(fact.interval_s), state, None if cause is None else str(cause), awake_since)


def _check(received: Received, latest: datetime) -> None:
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
    if at > latest:
        raise UnexpectedEventError(f"{received.event.type} says {at.isoformat()}, which lies in the future here")


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
        warned = False
        while (reason := await migrations_missing(self._database)) is not None:
            if not warned:
                log.info("reporting_waiting_for_tables", reason=reason)
                warned = True
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
    async with database.transaction() as session:
        folded = await housekeeping.fold_attempts(session, since=now - FOLD_WITHIN, until=now - FOLD_AFTER)
    metrics.HOUSEKEEPING.labels("inbox").inc(forgotten)
    metrics.HOUSEKEEPING.labels("delivery_change").inc(folded)


async def _measure_once(consumers: Sequence[PullConsumer]) -> None:
    for consumer in consumers:
        try:
            info = await consumer.info()
        except (NatsError, APIError, TimeoutError) as error:
            log.debug("lag_unknown", durable=consumer.durable, error=type(error).__name__)
            continue
        metrics.PENDING.labels(consumer.durable).set((info.num_pending or 0) + (info.num_ack_pending or 0))
