"""Read-backs and changes of deliveries into stretches: what was proven, session by session, in any order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.claims import ACKNOWLEDGED
from reporting.domain.evidence.read_backs import (
    Claimed,
    Entry,
    Kind,
    ReadBack,
    Session,
    Stretch,
    Tail,
    contradicts,
    cut_at,
    digest_of,
    observe,
)
from reporting.domain.instants import Millis, duration, millis, moment
from reporting.ingest.facts.session_codec import pack_entries, pack_session, unpack_entries, unpack_session
from vonggac.events import Cause, Payload
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.events.prober import AgreeingReadBacks, DeliveryVerifiedV1, VerificationVerdict

_FAILURES: Mapping[VerificationVerdict, Kind] = {
    VerificationVerdict.MISMATCH: Kind.DIFFERS,
    VerificationVerdict.UNREACHABLE: Kind.UNREACHABLE,
}

LONG_PAUSE: Millis = 20_000
"""A destination that gave nothing of the camera's for so long before a match had failed: as long as a read-back waits
for a first keyframe."""

_LOCK = text(
    "select delivery_id as id, session, before, tail from delivery_session "
    "where delivery_id = any(:ids) order by delivery_id for update"
)
# An advisory lock for deliveries that have no row to lock yet: without it two replicas could both begin one.
_LOCK_NEW = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 2029) as key "
    "from unnest(cast(:ids as uuid[])) as id order by key) as locks"
)
# What a delivery of which nothing is kept here yet was in, as far as an earlier release had it.
_OPEN = text(
    "select delivery_id, worker_id, sequence, held_since, observed_at, state from delivery_change "
    "where delivery_id = any(:ids) and ends_at is null"
)
_WRITE = text(
    """
    insert into delivery_session
        (delivery_id, begins_at, ends_at, kind, cause, losses_from, firm_at, widest_ms, worker, session, before, tail)
    select * from unnest(
        cast(:ids as uuid[]), cast(:begins as timestamptz[]), cast(:ends as timestamptz[]), cast(:kinds as smallint[]),
        cast(:causes as text[]), cast(:losses_from as timestamptz[]), cast(:firm as timestamptz[]),
        cast(:widest as bigint[]), cast(:workers as bigint[]), cast(:sessions as bytea[]),
        cast(:before as bytea[]), cast(:tails as bytea[])
    )
    on conflict (delivery_id) do update set
        begins_at = excluded.begins_at, ends_at = excluded.ends_at, kind = excluded.kind, cause = excluded.cause,
        losses_from = excluded.losses_from, firm_at = excluded.firm_at, widest_ms = excluded.widest_ms,
        worker = excluded.worker, session = excluded.session, before = excluded.before, tail = excluded.tail
    """
)
_REMOVE = text(
    "delete from read_back_stretch using unnest(cast(:ids as uuid[]), cast(:begins as timestamptz[])) as gone (id, at) "
    "where read_back_stretch.delivery_id = gone.id and read_back_stretch.begins_at = gone.at"
)
_ADD = text(
    """
    insert into read_back_stretch
        (delivery_id, begins_at, ends_at, kind, cause, losses_from, firm_at, widest_ms, worker)
    select * from unnest(
        cast(:ids as uuid[]), cast(:begins as timestamptz[]), cast(:ends as timestamptz[]), cast(:kinds as smallint[]),
        cast(:causes as text[]), cast(:losses_from as timestamptz[]), cast(:firm as timestamptz[]),
        cast(:widest as bigint[]), cast(:workers as bigint[])
    )
    """
)
_CONTRADICTED = text(
    "select begins_at, ends_at, kind, cause, losses_from, firm_at, widest_ms, worker from read_back_stretch "
    "where delivery_id = :id and kind = :matches and begins_at < :at and ends_at > :at"
)


@dataclass(slots=True)
class _Writes:
    sessions: list[tuple[UUID, Session, Tail]] = field(default_factory=list)
    removed: list[tuple[UUID, Millis]] = field(default_factory=list)
    added: list[tuple[UUID, Stretch]] = field(default_factory=list)
    beyond: list[tuple[UUID, Entry]] = field(default_factory=list)


def entries_of(facts: Iterable[Payload]) -> dict[UUID, list[Entry]]:
    """Collect what facts report of deliveries, by delivery: also of the read-backs before them that are no facts.

    A read-back in which nobody could compare says nothing, but for one whose prober lagged: it may have missed a
    failure.
    """
    found: dict[UUID, list[Entry]] = {}
    for fact in facts:
        said: list[Entry]
        match fact:
            case DeliveryVerifiedV1():
                said = [*_agreed(fact.agreed), *_read_backs(fact)]
            case DeliveryObservedV1():
                said = [*_agreed(fact.agreed), *_claimed(fact)]
            case _:
                continue
        if said:
            found.setdefault(fact.delivery_id, []).extend(said)
    return found


def add_carried(found: dict[UUID, list[Entry]], carried: Iterable[tuple[UUID, AgreeingReadBacks]]) -> None:
    """Add what facts carried that say nothing themselves."""
    for delivery_id, agreed in carried:
        found.setdefault(delivery_id, []).extend(_agreed(agreed))


def _claim(worker_id: str, sequence: int, held_since: Millis, at: Millis, state: str) -> Claimed:
    # While it sends, media is on its way in a session that is being opened: pictures since then may have come by it.
    others = {DeliveryState.SENDING.value: Kind.LEFT, DeliveryState.STALLED.value: Kind.STALLED}
    kind = Kind.ACKNOWLEDGED if state in ACKNOWLEDGED else others.get(state, Kind.INTERRUPTED)
    return Claimed(at, kind, digest_of(worker_id), held_since, sequence)


def _read_backs(fact: DeliveryVerifiedV1) -> Iterable[ReadBack]:
    found_at, interval = millis(fact.observed_at), duration(fact.interval_s)
    if fact.verdict is VerificationVerdict.VERIFIED:
        if fact.paused_since is not None:
            paused_at = min(millis(fact.paused_since), found_at)
            yield ReadBack(paused_at, Kind.PAUSED, found_at, interval)
            if found_at - paused_at >= LONG_PAUSE:
                yield ReadBack(paused_at, Kind.UNREACHABLE, found_at, interval, Cause.NO_KEYFRAME.value)
        if fact.captured_at is not None:
            yield ReadBack(min(millis(fact.captured_at), found_at), Kind.MATCHES, found_at, interval)
        return
    kind = _FAILURES.get(fact.verdict)
    if kind is None:
        if fact.cause is not Cause.WORKER_LAGGED:
            return
        kind = Kind.PAUSED
    # A failure is dated to the beginning of the attempt that failed (design 6); its prober may have slept before.
    awake_since = 0 if fact.awake_since is None else millis(fact.awake_since)
    began_at = max(found_at - round(fact.duration_ms), min(awake_since, found_at))
    cause = fact.cause or (Cause.MISMATCH if kind is Kind.DIFFERS else None)
    yield ReadBack(began_at, kind, found_at, interval, None if cause is None else cause.value)


def _agreed(before: AgreeingReadBacks | None) -> Iterable[ReadBack]:
    """List the read-backs before a fact that it carries, each in its own place."""
    if before is None or before.verdict is VerificationVerdict.NOT_CHECKABLE:
        return
    kind, cause = _FAILURES.get(before.verdict, Kind.MATCHES), None
    if kind is not Kind.MATCHES:
        cause = before.cause or (Cause.MISMATCH if kind is Kind.DIFFERS else None)
    for one in before.read_backs:
        found_at, why = millis(one.observed_at), None if cause is None else cause.value
        yield ReadBack(min(millis(one.at), found_at), kind, found_at, duration(one.interval_s), why)


def _claimed(fact: DeliveryObservedV1) -> Iterable[Claimed]:
    at = millis(fact.observed_at)
    claim = _claim(fact.worker_id, fact.sequence, min(millis(fact.held_since), at), at, fact.state.value)
    if fact.changes > 1 and fact.first_changed_at is not None:
        yield claim._replace(at=min(millis(fact.first_changed_at), at), kind=Kind.LEFT)
    yield claim


async def record(
    session: AsyncSession, entries: Mapping[UUID, Sequence[Entry]], clock_set_at: Sequence[Millis] = ()
) -> dict[UUID, Millis]:
    """Put the entries of each delivery in their places; returns since when each account may change.

    `clock_set_at`: the ends of times that the bus's clock showed twice.
    """
    if not entries:
        return {}
    writes, since = _Writes(), dict[UUID, Millis]()
    known, claimed = await _locked(session, list(entries))
    for delivery_id, new in entries.items():
        row = known.get(delivery_id)
        before = None if row is None or row.before is None else unpack_session(row.before)
        tail = Tail() if row is None else Tail(unpack_entries(row.tail), before)
        new = [*new, *claimed.get(delivery_id, ())]
        was = Session() if row is None else unpack_session(row.session)
        change = observe(tail, was, new, clock_set_at=clock_set_at)
        if change is None:
            continue
        since[delivery_id] = change.since
        writes.sessions.append((delivery_id, change.session, change.tail))
        writes.removed += [(delivery_id, begins) for begins in change.removed]
        writes.added += [(delivery_id, stretch) for stretch in change.added]
        writes.beyond += [(delivery_id, entry) for entry in change.beyond if entry.kind is not Kind.MATCHES]
    await _write(session, writes)
    for delivery_id, entry in writes.beyond:
        await _cut(session, delivery_id, entry)
    return since


async def _locked(session: AsyncSession, ids: list[UUID]) -> tuple[dict[UUID, Any], dict[UUID, list[Entry]]]:
    """Lock the rows of deliveries; return them, and what is claimed of those without one."""
    known = {row.id: row for row in await session.execute(_LOCK, {"ids": ids})}
    claimed: dict[UUID, list[Entry]] = {}
    if new := [one for one in ids if one not in known]:
        await session.execute(_LOCK_NEW, {"ids": new})
        known |= {row.id: row for row in await session.execute(_LOCK, {"ids": new})}
        for row in await session.execute(_OPEN, {"ids": [one for one in new if one not in known]}):
            held_since, at = millis(row.held_since), millis(row.observed_at)
            claim = _claim(row.worker_id, row.sequence, held_since, at, row.state)
            claimed.setdefault(row.delivery_id, []).append(claim)
    return known, claimed


async def _write(session: AsyncSession, writes: _Writes) -> None:
    if writes.removed:
        gone = {"ids": [one for one, _ in writes.removed], "begins": [moment(begins) for _, begins in writes.removed]}
        await session.execute(_REMOVE, gone)
    if writes.added:
        await session.execute(_ADD, _columns(writes.added))
    if writes.sessions:
        columns = _columns([(delivery_id, found.stretch) for delivery_id, found, _ in writes.sessions])
        columns["sessions"] = [pack_session(found) for _, found, _ in writes.sessions]
        columns["before"] = [None if tail.before is None else pack_session(tail.before) for *_, tail in writes.sessions]
        columns["tails"] = [pack_entries(tail.entries) for *_, tail in writes.sessions]
        await session.execute(_WRITE, columns)


async def _cut(session: AsyncSession, delivery_id: UUID, entry: Entry) -> None:
    """Make unknown what a very late entry contradicts: which matches were next to it is no longer kept."""
    given = {"id": delivery_id, "matches": Kind.MATCHES, "at": moment(entry.at)}
    row = (await session.execute(_CONTRADICTED, given)).one_or_none()
    if row is None:
        return
    stretch = Stretch(
        millis(row.begins_at),
        millis(row.ends_at),
        Kind(row.kind),
        row.cause,
        millis(row.losses_from),
        millis(row.firm_at),
        row.widest_ms,
        row.worker,
    )
    if not contradicts(stretch, entry):
        return
    await session.execute(_REMOVE, {"ids": [delivery_id], "begins": [row.begins_at]})
    if left := cut_at(stretch, entry.at, entry.at):
        await session.execute(_ADD, _columns([(delivery_id, part) for part in left]))


def _columns(rows: Sequence[tuple[UUID, Stretch | None]]) -> dict[str, list[Any]]:
    found = [stretch for _, stretch in rows]
    return {
        "ids": [delivery_id for delivery_id, _ in rows],
        "begins": [None if one is None else moment(one.begins) for one in found],
        "ends": [None if one is None else moment(one.ends) for one in found],
        "kinds": [None if one is None else int(one.kind) for one in found],
        "causes": [None if one is None else one.cause for one in found],
        "losses_from": [None if one is None else moment(one.losses_from) for one in found],
        "firm": [None if one is None else moment(one.firm_at) for one in found],
        "widest": [None if one is None else one.widest for one in found],
        "workers": [None if one is None else one.worker for one in found],
    }
