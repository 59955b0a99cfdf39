"""Observations into runs: one locked read of the batch's things, then one write of each kind of row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.timeline import CameraState, Change, Observation, Run, Tail, continues, fill, observe, prolonged
from reporting.ingest.facts import tail as codec

_LOCK = """
    select {key} as id, started_at, ends_at, state, cause, last_observed_at, anchor_at, tail from {state}
    where {key} = any(:ids) order by {key} for update
"""

# An advisory lock for things that have no row to lock yet: without it two replicas could both begin one.
_LOCK_NEW = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id::text, 2021) as key "
    "from unnest(cast(:ids as uuid[])) as id order by key) as locks"
)

_WRITE_STATES = """
    insert into {state} as state
        ({key}, started_at, ends_at, state, cause, last_observed_at, anchor_at, tail)
    select * from unnest(
        cast(:ids as uuid[]), cast(:started as timestamptz[]), cast(:ends as timestamptz[]), cast(:states as text[]),
        cast(:causes as text[]), cast(:observed as timestamptz[]), cast(:anchors as timestamptz[]),
        cast(:tails as bytea[])
    )
    on conflict ({key}) do update set
        started_at = excluded.started_at, ends_at = excluded.ends_at, state = excluded.state, cause = excluded.cause,
        last_observed_at = excluded.last_observed_at, anchor_at = excluded.anchor_at, tail = excluded.tail
"""

_REMOVE_RUNS = """
    delete from {run} using unnest(
        cast(:ids as uuid[]), cast(:starts as timestamptz[]), cast(:ends as timestamptz[])
    ) as gone (id, starts, ends)
    where {run}.{key} = gone.id and {run}.started_at >= gone.starts and {run}.started_at < gone.ends
"""

_ADD_RUNS = """
    insert into {run} ({key}, started_at, ends_at, state, cause, last_observed_at)
    select * from unnest(
        cast(:ids as uuid[]), cast(:started as timestamptz[]), cast(:ends as timestamptz[]), cast(:states as text[]),
        cast(:causes as text[]), cast(:observed as timestamptz[])
    )
"""

_NEIGHBOURS = """
    select before.started_at, before.ends_at, before.state, before.cause, before.last_observed_at,
           (select min(started_at) from {run} where {key} = :id and started_at > :at) as next_start
    from (select 1) as one left join lateral (
        select * from {run} where {key} = :id and started_at <= :at order by started_at desc limit 1
    ) as before on true
"""

_CUT = "update {run} set ends_at = :at where {key} = :id and started_at = :started and ends_at > :at"


class Runs:
    """Where the observations of one kind of thing are stored: the open run and tail of each, and its closed runs."""

    def __init__(self, kind: str, thing: str) -> None:
        names = {"state": f"{kind}_state", "run": f"{kind}_run", "key": f"{thing}_id"}
        self.lock, self.lock_new = text(_LOCK.format(**names)), _LOCK_NEW
        self.write_states, self.neighbours = text(_WRITE_STATES.format(**names)), text(_NEIGHBOURS.format(**names))
        self.cut = text(_CUT.format(**names))
        self.remove_runs, self.add_runs = text(_REMOVE_RUNS.format(**names)), text(_ADD_RUNS.format(**names))


CAMERAS = Runs("camera", "camera")
"""Probes."""


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
    removed: list[tuple[UUID, Millis, Millis]] = field(default_factory=list)
    """What begins between the two. Where a release that read facts otherwise stored other runs, they are among it."""
    added: list[tuple[UUID, Run]] = field(default_factory=list)
    beyond: list[tuple[UUID, Observation, Millis | None]] = field(default_factory=list)
    """Each holds no longer than until the next one of its thing that came with it."""


async def record(session: AsyncSession, runs: Runs, seen: Mapping[UUID, Sequence[Observation]]) -> Counts:
    """Put the observations of each thing in their places."""
    counts, writes = Counts(), _Writes()
    if not seen:
        return counts
    known = await _locked(session, runs, list(seen))
    for thing_id, observations in seen.items():
        _place(thing_id, known.get(thing_id), observations, writes, counts)
    await _write(session, runs, writes)
    for thing_id, observation, until in writes.beyond:
        await _fill(session, runs, thing_id, observation, until)
    return counts


async def lock(session: AsyncSession, runs: Runs, ids: Iterable[UUID]) -> None:
    """Until the transaction ends nobody else stores what is seen of these; `record` of the same ones waits no more."""
    await _locked(session, runs, list(ids))


async def _locked(session: AsyncSession, runs: Runs, ids: list[UUID]) -> dict[UUID, Any]:
    known = {row.id: row for row in await session.execute(runs.lock, {"ids": ids})}
    if new := [one for one in ids if one not in known]:
        await session.execute(runs.lock_new, {"ids": new})
        known |= {row.id: row for row in await session.execute(runs.lock, {"ids": new})}
    return known


def _place(thing_id: UUID, row: Any, observations: Sequence[Observation], writes: _Writes, counts: Counts) -> None:
    open_run = _run(row) if row is not None else None
    if open_run is not None and len(observations) == 1 and continues(open_run, observations[0]):
        tail = codec.appended(row.tail, observations[0], open_run.started_at)
        if tail is not None:
            trimmed = len(row.tail) >= codec.FULL
            anchor = open_run.started_at if trimmed else _millis(row.anchor_at)
            writes.states.append((thing_id, prolonged(open_run, observations[0]), anchor, tail))
            counts.placed += 1
            return
    before = Tail() if row is None else Tail(codec.unpack_all(row.tail), _millis(row.anchor_at))
    change = observe(before, observations, open_since=None if open_run is None else open_run.started_at)
    assert change is not None, "there is at least one observation"
    _collect(thing_id, open_run, change, writes)
    counts.late += change.late
    counts.repeated += change.repeated
    counts.beyond_window += len(change.beyond)
    counts.placed += len(observations) - change.repeated - len(change.beyond)


def _collect(thing_id: UUID, open_run: Run | None, change: Change, writes: _Writes) -> None:
    writes.states.append((thing_id, change.open_run, change.tail.anchor, codec.pack_all(change.tail.observations)))
    writes.removed += [(thing_id, started_at, started_at + 1) for started_at in change.removed]
    writes.removed += [(thing_id, run.started_at, run.ends_at) for run in change.added]
    if open_run is not None and change.open_run.started_at < open_run.started_at:
        writes.removed.append((thing_id, change.open_run.started_at, open_run.started_at))
    writes.added += [(thing_id, run) for run in change.added]
    following = [*(one.at for one in change.beyond[1:]), None]
    writes.beyond += [(thing_id, one, until) for one, until in zip(change.beyond, following, strict=False)]


async def _write(session: AsyncSession, runs: Runs, writes: _Writes) -> None:
    if writes.removed:
        ids, starts, ends = zip(*writes.removed, strict=True)
        gone = {"ids": [*ids], "starts": [*map(moment, starts)], "ends": [*map(moment, ends)]}
        await session.execute(runs.remove_runs, gone)
    if writes.added:
        await session.execute(runs.add_runs, _run_columns(writes.added))
    columns = _run_columns([(thing_id, run) for thing_id, run, _, _ in writes.states])
    columns["anchors"] = [None if state[2] is None else moment(state[2]) for state in writes.states]
    columns["tails"] = [state[3] for state in writes.states]
    await session.execute(runs.write_states, columns)


def _run_columns(rows: Sequence[tuple[UUID, Run]]) -> dict[str, list[Any]]:
    return {
        "ids": [thing_id for thing_id, _ in rows],
        "started": [moment(run.started_at) for _, run in rows],
        "ends": [moment(run.ends_at) for _, run in rows],
        "states": [run.state.value for _, run in rows],
        "causes": [run.cause for _, run in rows],
        "observed": [moment(run.last_observed_at) for _, run in rows],
    }


async def _fill(session: AsyncSession, runs: Runs, thing_id: UUID, seen: Observation, until: Millis | None) -> None:
    """Store an observation older than the tail: it ends the claim of the one before, gets the time until the next."""
    given = {"id": thing_id, "at": moment(seen.at)}
    near = (await session.execute(runs.neighbours, given)).one()
    open_run = _run((await session.execute(runs.lock, {"ids": [thing_id]})).one())
    if open_run.started_at <= seen.at:
        # Its last observation is in the tail, and so later.
        return
    starts = [at for at in (_millis(near.next_start), open_run.started_at, until) if at is not None]
    previous = None if near.started_at is None else _run(near)
    run = fill(seen, previous, min(starts))
    if run is None:
        return
    if previous is not None:
        await session.execute(runs.cut, {**given, "started": moment(previous.started_at)})
    await session.execute(runs.add_runs, _run_columns([(thing_id, run)]))


def _run(row: Any) -> Run:
    return Run(
        millis(row.started_at), millis(row.ends_at), CameraState(row.state), row.cause, millis(row.last_observed_at)
    )


def _millis(at: Any) -> Millis | None:
    return None if at is None else millis(at)
