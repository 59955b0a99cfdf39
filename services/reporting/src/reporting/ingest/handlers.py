"""What a batch of events does to the tables: the register becomes the dated plan, observations runs and claims.

A batch is one transaction: inbox rows and effects together.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from reporting import metrics
from reporting.domain.instants import Millis, duration, millis
from reporting.domain.timeline import BY_FORWARDER, CameraState, Observation
from reporting.ingest import announced, bus_clock, future_facts, gaps, inbox, late, lost_streams, records, scope
from reporting.ingest.facts import (
    claims,
    disputes,
    formats,
    lives,
    media,
    proofs,
    read_backs,
    runs,
    security,
    site_faults,
)
from reporting.settings import Settings
from reporting.storage.mandate import links, maintenance
from reporting.storage.upkeep import self_checks
from reporting.storage.upkeep.announcements import announce
from vonggac.bus import Received
from vonggac.bus.declared import topology
from vonggac.database import Database, is_away
from vonggac.events import Payload
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.inventory import MaintenanceWindowV1, RemovedV1, State
from vonggac.events.prober import (
    CameraObservedV1,
    DeliveryVerifiedV1,
    ProbeKind,
    ProberAliveV1,
    SiteObservedV1,
    Verdict,
)
from vonggac.events.setup import StreamLostV1

FUTURE_TOLERANCE = timedelta(seconds=2)
"""So long after NATS stored it a fact may be dated; a later one is taken at the time it was stored."""
REVISION_ALLOWANCE = timedelta(seconds=10)
"""Inventory tries to store a message for five seconds, and knows the clock to one."""
STATES = {
    Verdict.UP: CameraState.UP,
    Verdict.DOWN: CameraState.DOWN,
    Verdict.UNKNOWN: CameraState.UNKNOWN,
}


class UnexpectedEventError(ValueError):
    """An event that has no business in this stream: retried, then kept as a dead letter."""


class Ingest:
    """The handlers of the two streams. `clock` gives aware UTC."""

    def __init__(
        self, database: Database, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database, self._settings, self._clock = database, settings, clock

    def is_transient(self, error: Exception) -> bool:
        """Whether PostgreSQL or the network is at fault rather than the event."""
        return is_away(error)

    async def inventory(self, batch: Sequence[Received]) -> None:
        """Keep states and removals; what reporting has no use for passes by.

        Raises UnexpectedEventError for what is no state of the register, and what PostgreSQL raises.
        """
        for received in batch:
            if not isinstance(received.event.data, State | RemovedV1):
                raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.INVENTORY}")
        started = time.perf_counter()
        found = [(one, future_facts.correct_revision(one, allowance=REVISION_ALLOWANCE)) for one in batch]
        batch = [one if correction is None else correction.received for one, correction in found]
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, batch)
            handled = {id(one) for one in new}
            corrections = [one for _, one in found if one is not None and id(one.received) in handled]
            await future_facts.mark(session, corrections)
            touched = await late.begun(session)
            states = [state for one in new if isinstance(state := one.event.data, State | RemovedV1)]
            news = await scope.apply(session, states)
            await links.keep(session, states, self._clock())
            news |= await maintenance.keep(session, [one for one in states if isinstance(one, MaintenanceWindowV1)])
            # All of the batch: what an earlier release has handled, and passed by, is among what the inbox knows.
            added = await records.keep(session, [one.event.data for one in batch])
            # A register that is published again says nothing new: no report is flagged, no day written anew.
            changed = [one for one in states if (one.id, one.revision) in news]
            await late.note_register(session, touched, changed)
            await late.note_records(session, touched, added)
            await late.keep(session, touched)
            await announce(session, announced.of_register(states, news, self._clock()))
        _count("inventory", len(batch), len(new))
        metrics.CORRECTED.labels("inventory").inc(len(corrections))
        metrics.BATCH_SECONDS.labels(topology.REPORTING_INVENTORY).observe(time.perf_counter() - started)

    def _correct_dates(self, batch: Sequence[Received]) -> tuple[list[Received], list[future_facts.Correction]]:
        """Return the facts as they are taken, and the corrections of those that were dated after they were stored."""
        taken, corrections = [], []
        for received in batch:
            stored_at = received.stored_at or self._clock()
            correction = future_facts.correct(received, _dated_at(received), stored_at, tolerance=FUTURE_TOLERANCE)
            if correction is not None:
                corrections.append(correction)
            taken.append(received if correction is None else correction.received)
        return taken, corrections

    async def observations(self, batch: Sequence[Received]) -> None:
        """Store what was observed. Raises UnexpectedEventError and what PostgreSQL raises."""
        started = time.perf_counter()
        taken, corrections = self._correct_dates(batch)
        async with self._database.transaction() as session:
            new = await inbox.unseen(session, taken)
            touched = await late.begun(session)
            clock = await bus_clock.note(session, batch, now=self._clock(), tolerance=FUTURE_TOLERANCE)
            ahead = {id(one.received): one.dated_at - one.taken_at for one in corrections}
            admitted, refused, carried = await bus_clock.admit(
                session,
                clock.twice,
                [bus_clock.Dated(one, _dated_at(one), ahead.get(id(one), timedelta())) for one in new],
            )
            facts = [one.event.data for one in admitted]
            handled = {id(one) for one in new}
            corrections = [one for one in corrections if id(one.received) in handled]
            await future_facts.mark(session, corrections)
            causes = await late.down_by_cause(session, touched, facts)
            counts = await runs.record(session, runs.CAMERAS, probes(facts))
            changes = [fact for fact in facts if isinstance(fact, DeliveryObservedV1)]
            await claims.record(session, changes)
            clock_set_at = [one.end for one in clock.twice]
            entries = read_backs.entries_of(facts)
            read_backs.add_carried(entries, carried)
            proven_since = await read_backs.record(session, entries, clock_set_at)
            await media.record(session, facts)
            ruled = await disputes.record(session, facts)
            await proofs.record(session, proofs.proofs(facts))
            await formats.record(session, formats.formats(facts))
            await security.record(session, security.signs(facts))
            await site_faults.record(session, facts)
            await self_checks.record(session, facts)
            lost = await lost_streams.record(session, facts)
            closed_gaps = await gaps.record(session, new, self._clock())
            signs = lives.signs_of_life(facts, duration(self._settings.presumed_alive_s))
            watched = await lives.record(session, signs, lives.clock_stepped(facts))
            await late.note_observations(session, touched, facts, causes, proven_since)
            late.note_disputes(touched, ruled)
            noted = {"sign_of_life": watched, "gap": closed_gaps, "clock_step": clock.since}
            await late.note_lives(session, touched, noted)
            await late.keep(session, touched)
            dated = [(one.event.data, _dated_at(one)) for one in admitted]
            anyone = closed_gaps is not None or clock.new > 0
            await announce(session, announced.of_facts(dated, ruled, self._clock(), everything=anyone))
        _count("observation", len(batch), len(new))
        metrics.CLOCK_STEPS.inc(clock.new)
        for loss in lost:
            metrics.STREAMS_LOST.labels(loss.stream).inc()
            metrics.STREAM_LOST_AT.labels(loss.stream).set(loss.lost_until.timestamp())
        metrics.REFUSED.labels("clock").inc(len(refused))
        for correction in corrections:
            metrics.CORRECTED.labels(_kind_of(correction.received.event.data)).inc()
        for outcome, count in counts.by_outcome.items():
            metrics.OBSERVATIONS.labels(outcome).inc(count)
        metrics.BATCH_SECONDS.labels(topology.REPORTING_OBSERVATIONS).observe(time.perf_counter() - started)

    async def live_read_backs(self, read_backs: Sequence[DeliveryVerifiedV1]) -> None:
        """Note when deliveries were proven last. Raises what PostgreSQL raises."""
        # One of the future would stand for a newer one until then.
        latest = self._clock() + FUTURE_TOLERANCE
        newest = proofs.proofs(one for one in read_backs if one.observed_at <= latest)
        if newest:
            async with self._database.transaction() as session:
                await proofs.record(session, newest)


def probes(facts: Iterable[Payload]) -> dict[UUID, list[Observation]]:
    """Probes as domain observations, by camera."""
    result: dict[UUID, list[Observation]] = {}
    for fact in facts:
        if isinstance(fact, CameraObservedV1):
            cause = None if fact.cause is None else fact.cause.value
            if fact.verdict is Verdict.UP:
                cause = BY_FORWARDER if _by_forwarder(fact) else None
            result.setdefault(fact.camera_id, []).append(_observation(fact, STATES[fact.verdict], cause))
    return result


def _by_forwarder(fact: CameraObservedV1) -> bool:
    """Whether it was probed by a keyframe that its forwarder gave."""
    if fact.kind is ProbeKind.FORWARDER_KEYFRAME:
        return True
    return fact.kind is ProbeKind.LIGHT and any(step.name == BY_FORWARDER for step in fact.steps)


def _observation(fact: CameraObservedV1, state: CameraState, cause: str | None) -> Observation:
    """Build an observation; a failure is dated to the beginning of its attempt (design 6), or to its older picture."""
    at = millis(fact.observed_at)
    awake_since = 0 if fact.awake_since is None else millis(fact.awake_since)
    if state is CameraState.DOWN:
        at = max(millis(fact.began_at), awake_since)
    knows_since = max(awake_since, _found_since(fact, state, at))
    return Observation(at, duration(fact.interval_s), state, None if cause is None else str(cause), knows_since)


def _found_since(fact: CameraObservedV1, state: CameraState, at: Millis) -> Millis:
    """Since when, at the earliest, it is as this probe found it, by the probes that its prober knew.

    The one before may be lost. If it had found something else, as one on demand, this one is the first of its verdict.
    """
    known = 0
    if fact.still_since is not None:
        # A picture that stands still again after it moved is no longer the freeze that the probe before found.
        known = millis(fact.still_since)
    # A failure is dated to its beginning here, and its verdict to the end.
    if fact.since is not None and (state is not CameraState.DOWN or fact.since >= fact.observed_at):
        known = max(known, min(millis(fact.since), at))
    return known


def _kind_of(fact: Payload) -> str:
    return "forwarder" if isinstance(fact, CameraMediaObservedV1 | DeliveryObservedV1 | ForwarderAliveV1) else "prober"


def _dated_at(received: Received) -> datetime:
    """When a fact says that it was. Raises UnexpectedEventError for what is none."""
    data = received.event.data
    match data:
        case CameraObservedV1() | CameraMediaObservedV1() | DeliveryObservedV1() | DeliveryVerifiedV1():
            at = data.observed_at
        case ProberAliveV1() | ForwarderAliveV1():
            at = data.alive_at
        case SiteObservedV1():
            at = data.ended_at or data.began_at
        case StreamLostV1():
            at = data.lost_until
        case _:
            raise UnexpectedEventError(f"{received.event.type} does not belong in {topology.OBSERVATIONS}")
    return at


def _count(kind: str, handled: int, new: int) -> None:
    metrics.EVENTS.labels(kind, "new").inc(new)
    if handled > new:
        metrics.EVENTS.labels(kind, "repeated").inc(handled - new)
