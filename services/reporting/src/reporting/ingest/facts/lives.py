"""Signs of life into intervals per worker, in whatever order they come."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.lives import Life, life_of, union
from reporting.domain.instants import Millis, millis, moment
from vonggac.events import Payload
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.events.prober import CameraObservedV1, ProberAliveV1

# Written out and made once: a statement that is composed anew for every batch leaves its columns to the garbage
# collector.
_LOCK = text(
    "select pg_advisory_xact_lock(key) from (select distinct hashtextextended(id, 7) as key "
    "from unnest(cast(:ids as text[])) as id order by key) as locks"
)
_KNOWN = text(
    "select worker_id, started_at, ended_at from worker_life "
    "where worker_id = any(:ids) and ended_at >= :since for update"
)
_REMOVE = text(
    "delete from worker_life using unnest(cast(:ids as text[]), cast(:started as timestamptz[])) as gone (id, at) "
    "where worker_life.worker_id = gone.id and worker_life.started_at = gone.at"
)
_WRITE = text(
    """
    insert into worker_life (worker_id, started_at, ended_at, kind, clock_stepped_ms)
    select * from unnest(
        cast(:ids as text[]), cast(:started as timestamptz[]), cast(:ended as timestamptz[]), cast(:kinds as text[]),
        cast(:stepped as bigint[])
    )
    on conflict (worker_id, started_at) do update set
        ended_at = greatest(worker_life.ended_at, excluded.ended_at),
        clock_stepped_ms = coalesce(excluded.clock_stepped_ms, worker_life.clock_stepped_ms)
    """
)


class Worker(NamedTuple):
    """`kind`: prober, forwarder, or probing, which is of all probers."""

    kind: str
    id: str


PROBING = Worker("probing", "*")
"""All probers together: when at least one watched. Kept joined, since a life may go on over the end of a worker's."""

type Lives = dict[Worker, list[Life]]


def signs_of_life(facts: Iterable[Payload], allowance: Millis) -> Lives:
    """Collect what heartbeats and probes vouch for. A delivery's change does not: it may be dated back."""
    newest: dict[tuple[Worker, Millis | None], Millis] = {}
    loose: list[tuple[Worker, Life]] = []
    for fact in facts:
        match fact:
            case ProberAliveV1():
                worker, at = Worker("prober", fact.worker_id), millis(fact.alive_at)
            case ForwarderAliveV1():
                worker, at = Worker("forwarder", fact.worker_id), millis(fact.alive_at)
            case CameraObservedV1() if fact.awake_since is not None:
                worker, at = Worker("prober", fact.worker_id), millis(fact.observed_at)
            case _:
                continue
        if fact.awake_since is None:
            loose.append((worker, life_of(at, None, allowance)))
            continue
        key = worker, millis(fact.awake_since)
        if at > newest.get(key, -1):
            newest[key] = at
    found: Lives = {}
    for (worker, since), at in newest.items():
        found.setdefault(worker, []).append(life_of(at, since, allowance))
    for worker, life in loose:
        found.setdefault(worker, []).append(life)
    probing = [life for worker, spans in found.items() if worker.kind == "prober" for life in spans]
    if probing:
        found[PROBING] = probing
    return {worker: union(spans) for worker, spans in found.items()}


type Stepped = dict[Worker, dict[Millis, Millis]]
"""By worker and moment of a heartbeat: by how much the server's clock had been set since that worker started."""


def clock_stepped(facts: Iterable[Payload]) -> Stepped:
    """Collect what heartbeats report of steps of the clock."""
    found: Stepped = {}
    for fact in facts:
        if isinstance(fact, ForwarderAliveV1 | ProberAliveV1) and fact.clock_stepped_s is not None:
            kind = "prober" if isinstance(fact, ProberAliveV1) else "forwarder"
            steps = found.setdefault(Worker(kind, fact.worker_id), {})
            steps[millis(fact.alive_at)] = round(fact.clock_stepped_s * 1000)
    return found


async def record(session: AsyncSession, signs: Lives, stepped: Stepped | None = None) -> Millis | None:
    """Join these lives with those that are stored; returns the first moment of which it was not known that somebody
    watched."""
    if not signs:
        return None
    ids = sorted({worker.id for worker in signs})
    oldest = min(life.start for spans in signs.values() for life in spans)
    await session.execute(_LOCK, {"ids": ids})
    known: dict[str, list[Life]] = {}
    for row in await session.execute(_KNOWN, {"ids": ids, "since": moment(oldest)}):
        known.setdefault(row.worker_id, []).append(Life(millis(row.started_at), millis(row.ended_at)))
    removed: list[tuple[str, Millis]] = []
    written: list[tuple[Worker, Life]] = []
    for worker, spans in signs.items():
        before = known.get(worker.id, [])
        after = union([*before, *spans])
        kept = {life.start for life in after}
        removed += [(worker.id, life.start) for life in before if life.start not in kept]
        written += [(worker, life) for life in after if life not in before]
    if removed:
        gone = {"ids": [one[0] for one in removed], "started": [moment(one[1]) for one in removed]}
        await session.execute(_REMOVE, gone)
    if written:
        columns = {
            "ids": [worker.id for worker, _ in written],
            "started": [moment(life.start) for _, life in written],
            "ended": [moment(life.end) for _, life in written],
            "kinds": [worker.kind for worker, _ in written],
            "stepped": [_stepped_in(life, (stepped or {}).get(worker, {})) for worker, life in written],
        }
        await session.execute(_WRITE, columns)
    return min((_first_new(life, known.get(worker.id, [])) for worker, life in written), default=None)


def _stepped_in(life: Life, stepped: Mapping[Millis, Millis]) -> Millis | None:
    """Find what the last heartbeat of a life reports."""
    last = max((at for at in stepped if life.start <= at <= life.end), default=None)
    return None if last is None else stepped[last]


def _first_new(life: Life, known: Sequence[Life]) -> Millis:
    """Where a life begins to be more than what was known, of which it holds all that it touches."""
    inside = [one for one in known if life.start <= one.start and one.end <= life.end]
    return inside[0].end if inside and inside[0].start == life.start else life.start
