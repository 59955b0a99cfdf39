"""Observations of cameras into runs: one locked read of the batch's cameras, then one write of each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.timeline import CameraState, Change, Observation, Run, Tail, continues, fill, observe, prolonged
from reporting.ingest import tail as codec

_LOCK = text(
    "select camera_id, started_at, ends_at, state, cause, last_observed_at, anchor_at, tail from camera_state "
    "where camera_id = any(:ids) order by camera_id for update"
)

_WRITE_STATES = text(
    """
    insert into camera_state as state
        (camera_id, started_at, ends_at, state, cause, last_observed_at, anchor_at, tail)
    select * from unnest(
        cast(:ids as uuid[]), cast(:started as timestamptz[]), cast(:ends as timestamptz[]), cast(:states as text[]),
        cast(:causes as text[]), cast(:observed as timestamptz[]), cast(:anchors as timestamptz[]),
        cast(:tails as bytea[])
    )
    on conflict (camera_id) do update set
        started_at = excluded.started_at, ends_at = excluded.ends_at, state = excluded.state, cause = excluded.cause,
        last_observed_at = excluded.last_observed_at, anchor_at = excluded.anchor_at, tail = excluded.tail
    """
)

# An advisory lock for cameras that have no row to lock yet: without it two replicas could both begin one.
_LOCK_NEW = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 2021) as key "
    "from unnest(cast(:ids as uuid[])) as id order by key) as locks"
)

_REMOVE_RUNS = text(
    "delete from camera_run using unnest(cast(:ids as uuid[]), cast(:started as timestamptz[])) as gone (id, at) "
    "where camera_run.camera_id = gone.id and camera_run.started_at = gone.at"
)

_ADD_RUNS = text(
    """
    insert into camera_run (camera_id, started_at, ends_at, state, cause, last_observed_at)
    select * from unnest(
        cast(:ids as uuid[]), cast(:started as timestamptz[]), cast(:ends as timestamptz[]), cast(:states as text[]),
        cast(:causes as text[]), cast(:observed as timestamptz[])
    )
    """
)

_NEIGHBOURS = text(
    """
    select
        (select max(ends_at) from camera_run where camera_id = :id and started_at <= :at) as covered_until,
        (select min(started_at) from camera_run where camera_id = :id and started_at > :at) as next_start
    """
)


@dataclass(slots=True)
class Counts:
    """What became of a batch's observations."""

    placed: int = 0
    late: int = 0
    repeated: int = 0
    beyond_window: int = 0

    @property
    def by_outcome(self) -> dict[str, int]:
        return {"placed": self.placed, "late": self.late, "repeated": self.repeated, "beyond": self.beyond_window}


@dataclass(slots=True)
class _Writes:
    states: list[tuple[UUID, Run, Millis | None, bytes]] = field(default_factory=list)
    removed: list[tuple[UUID, Millis]] = field(default_factory=list)
    added: list[tuple[UUID, Run]] = field(default_factory=list)
    beyond: list[tuple[UUID, Observation]] = field(default_factory=list)


async def record(session: AsyncSession, seen: Mapping[UUID, Sequence[Observation]]) -> Counts:
    """Put the observations of each camera in their places."""
    counts, writes = Counts(), _Writes()
    if not seen:
        return counts
    known = await _locked(session, list(seen))
    for camera_id, observations in seen.items():
        _place(camera_id, known.get(camera_id), observations, writes, counts)
    await _write(session, writes)
    for camera_id, observation in writes.beyond:
        await _fill(session, camera_id, observation)
    return counts


async def _locked(session: AsyncSession, ids: list[UUID]) -> dict[UUID, Any]:
    known = {row.camera_id: row for row in await session.execute(_LOCK, {"ids": ids})}
    if new := [one for one in ids if one not in known]:
        await session.execute(_LOCK_NEW, {"ids": new})
        known |= {row.camera_id: row for row in await session.execute(_LOCK, {"ids": new})}
    return known


def _place(camera_id: UUID, row: Any, observations: Sequence[Observation], writes: _Writes, counts: Counts) -> None:
    open_run = _open_run(row) if row is not None else None
    if open_run is not None and len(observations) == 1 and continues(open_run, observations[0]):
        tail = codec.appended(row.tail, observations[0], open_run.started_at)
        if tail is not None:
            trimmed = len(row.tail) >= codec.FULL
            anchor = open_run.started_at if trimmed else _millis(row.anchor_at)
            writes.states.append((camera_id, prolonged(open_run, observations[0]), anchor, tail))
            counts.placed += 1
            return
    before = Tail() if row is None else Tail(codec.unpack_all(row.tail), _millis(row.anchor_at))
    change = observe(before, observations)
    assert change is not None, "there is at least one observation"
    _collect(camera_id, change, writes)
    counts.late += change.late
    counts.repeated += change.repeated
    counts.beyond_window += len(change.beyond)
    counts.placed += len(observations) - change.repeated - len(change.beyond)


def _collect(camera_id: UUID, change: Change, writes: _Writes) -> None:
    writes.states.append((camera_id, change.open_run, change.tail.anchor, codec.pack_all(change.tail.observations)))
    writes.removed += [(camera_id, started_at) for started_at in change.removed]
    writes.added += [(camera_id, run) for run in change.added]
    writes.beyond += [(camera_id, observation) for observation in change.beyond]


async def _write(session: AsyncSession, writes: _Writes) -> None:
    if writes.removed:
        gone = {"ids": [one[0] for one in writes.removed], "started": [moment(one[1]) for one in writes.removed]}
        await session.execute(_REMOVE_RUNS, gone)
    if writes.added:
        await session.execute(_ADD_RUNS, _run_columns(writes.added))
    columns = _run_columns([(camera_id, run) for camera_id, run, _, _ in writes.states])
    columns["anchors"] = [None if state[2] is None else moment(state[2]) for state in writes.states]
    columns["tails"] = [state[3] for state in writes.states]
    await session.execute(_WRITE_STATES, columns)


def _run_columns(rows: Sequence[tuple[UUID, Run]]) -> dict[str, list[Any]]:
    return {
        "ids": [camera_id for camera_id, _ in rows],
        "started": [moment(run.started_at) for _, run in rows],
        "ends": [moment(run.ends_at) for _, run in rows],
        "states": [run.state.value for _, run in rows],
        "causes": [run.cause for _, run in rows],
        "observed": [moment(run.last_observed_at) for _, run in rows],
    }


async def _fill(session: AsyncSession, camera_id: UUID, seen: Observation) -> None:
    """An observation older than the tail: it gets only time that no run covers."""
    given = {"id": camera_id, "at": moment(seen.at)}
    near = (await session.execute(_NEIGHBOURS, given)).one()
    state = (await session.execute(_LOCK, {"ids": [camera_id]})).one()
    starts = [at for at in (_millis(near.next_start), _millis(state.started_at)) if at is not None and at > seen.at]
    covered = max(_millis(near.covered_until) or 0, state_covers(state, seen.at))
    previous = Run(0, covered, seen.state, seen.cause, 0)
    run = fill(seen, previous, min(starts, default=seen.at))
    if run is not None:
        await session.execute(_ADD_RUNS, _run_columns([(camera_id, run)]))


def state_covers(state: Any, at: Millis) -> Millis:
    """The end of the open run when it has begun by `at`, else 0."""
    run = _open_run(state)
    return run.ends_at if run.started_at <= at else 0


def _open_run(row: Any) -> Run:
    return Run(
        millis(row.started_at), millis(row.ends_at), CameraState(row.state), row.cause, millis(row.last_observed_at)
    )


def _millis(at: Any) -> Millis | None:
    return None if at is None else millis(at)
