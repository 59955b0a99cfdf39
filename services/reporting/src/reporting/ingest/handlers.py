"""What a batch of events does to the tables: the inventory becomes the register, observations become runs and claims.

A batch is one transaction: inbox rows and effects together.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reporting import metrics
from reporting.domain.instants import duration, millis
from reporting.domain.timeline import CameraState, Observation
from reporting.ingest import camera_runs, delivery_claims, delivery_proofs, inbox, register, workers
from reporting.settings import Settings
from vonggac.bus import Received, topology
from vonggac.database import Database
from vonggac.events import Payload
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import FocalPointV1, RemovedV1
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, ProberAliveV1, SiteObservedV1, Verdict

STATES = {
    Verdict.UP: CameraState.UP,
    Verdict.DOWN: CameraState.DOWN,
    Verdict.UNKNOWN: CameraState.UNKNOWN,
}


class UnexpectedEventError(ValueError):
    """An event that has no business in this stream, or that lies in the future: retried, then kept as a dead letter."""


class Ingest:
    """The handlers of the two streams. `clock` gives aware UTC."""

    def __init__(
        self, database: Database, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock

    def is_transient(self, error: Exception) -> bool:
        """Whether PostgreSQL or the network is at fault rather than the event."""
        if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError | OSError):
            return True
        return bool(getattr(error, "connection_invalidated", False))

    async def inventory(self, batch: Sequence[Received]) -> None:
        """Apply states and removals to the register. Raises UnexpectedEventError and what PostgreSQL raises."""
        for received in batch:
            data = received.event.data
            if not isinstance(data, RemovedV1 | FocalPointV1) and type(data) not in register.MIRRORED:
                raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.INVENTORY}")
        started = time.perf_counter()
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, batch)
            states = [one.event.data for one in new if not isinstance(one.event.data, FocalPointV1)]
            await register.apply(session, states)
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
            counts = await camera_runs.record(session, by_camera(facts))
            changes = [fact for fact in facts if isinstance(fact, DeliveryObservedV1)]
            await delivery_claims.record(session, changes)
            await delivery_proofs.record(session, delivery_proofs.proofs(facts))
            for kind, last_alive in signs_of_life(facts).items():
                await workers.heard_of(session, kind, last_alive)
        _count("observation", len(batch), len(new))
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


def _check(received: Received, latest: datetime) -> None:
    data = received.event.data
    match data:
        case CameraObservedV1() | CameraMediaObservedV1() | DeliveryObservedV1() | DeliveryVerifiedV1():
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
