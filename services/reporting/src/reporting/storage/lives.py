"""When workers watched, as stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.bus_clock import Era, common_spans, find_returns, shown_twice
from reporting.domain.evidence.disputes import Dispute, Ruling, rulings_of
from reporting.domain.evidence.lives import Life, gaps_of, presumed, union, without_gaps
from reporting.domain.evidence.media import MEMORY
from reporting.domain.evidence.proven import Losses
from reporting.domain.evidence.read_backs import Kind, digest_of
from reporting.domain.instants import Millis, millis, moment
from reporting.domain.segments import Period, Segment

_LIVES = text(
    "select worker_id, kind, started_at, ended_at from worker_life where ended_at >= :since and started_at <= :until "
    "order by worker_id, started_at"
)
# What a forwarder said holds as long as its life goes on, however long ago it was: so does what ended it before.
_GAPS = text(
    "select publisher_id, began_at, ended_at, exists (select from worker_life as life where life.kind = 'prober' "
    "and life.worker_id = gap.publisher_id) as of_prober from publisher_gap as gap "
    "where lost_at is not null and began_at <= :until and (ended_at >= :since or exists ("
    "select from worker_life as life where life.kind = 'forwarder' and life.worker_id = gap.publisher_id "
    "and life.started_at <= gap.ended_at and life.ended_at >= :since)) order by began_at"
)
# All of them: a later one ends the one before it, however long ago that was.
_DISPUTES = text(
    "select camera_id, disputed_at, decided_at, confirmed, ended_at from repetition_dispute where disputed_at <= :until"
)

# All of them: whose life goes on, as its worker says, had it end there, however long ago that was.
_CLOCK_STEPS = text("select started_at, ended_at from clock_step where started_at <= :until")
_CLOCK_WITNESSES = text(
    "select worker_id, started_at, ended_at, clock_stepped_ms from worker_life where clock_stepped_ms is not null "
    "and started_at <= :until and (worker_id in (select worker_id from worker_life where clock_stepped_ms <> 0) "
    "or ended_at >= (select min(started_at) from clock_step) - interval '1 minute') "
    "order by worker_id, started_at"
)


class Watch(NamedTuple):
    """Who watched when. Forwarders speak each for itself; the prober's schedule goes on while one of them lives."""

    forwarders: dict[str, list[Life]]
    probers: dict[str, list[Life]]
    probing: list[Life]
    """When at least one prober watched."""
    lost: Sequence[Life] = ()
    """When facts of some prober were lost: any camera's probe, and any read-back, may be among them."""
    lost_by_forwarder: Mapping[int, Sequence[Life]] = MappingProxyType({})
    """When facts of a forwarder were lost, by the digest of its name: any change of a delivery may be among them."""
    rulings: Mapping[str, Sequence[Segment[Ruling]]] = MappingProxyType({})
    """What people said of cameras that repeat, by their ids: few ever."""

    def alive(self, now: Millis) -> tuple[int, int]:
        """How many probers and forwarders are presumed alive at `now`."""
        probers, forwarders = (
            sum(lives[-1].end > now for lives in kind.values()) for kind in (self.probers, self.forwarders)
        )
        return probers, forwarders


async def watch(session: AsyncSession, start: Millis, now: Millis, grace: Millis) -> Watch:
    """Lives that touch [start, now], and those before in which something was said that may still matter."""
    found: dict[str, dict[str, list[Life]]] = {"forwarder": {}, "prober": {}, "probing": {}}
    asked = {"since": moment(start - max(grace, MEMORY)), "until": moment(now)}
    rows = await session.execute(_LIVES, asked)
    for row in rows:
        spans = found[row.kind].setdefault(row.worker_id, [])
        spans.append(Life(millis(row.started_at), millis(row.ended_at)))
    gaps: dict[str, list[Life]] = {}
    lost: list[Life] = []
    lost_by_forwarder: dict[int, list[Life]] = {}
    for row in await session.execute(_GAPS, asked):
        gap = Life(millis(row.began_at), millis(row.ended_at))
        gaps.setdefault(row.publisher_id, []).append(gap)
        if row.of_prober:
            lost.append(gap)
        else:
            # Also of a forwarder whose every sign of life is lost: what it said of its sessions is counted too.
            lost_by_forwarder.setdefault(digest_of(row.publisher_id), []).append(gap)
    wrong = await _wrong_clock(session, asked)
    for which, kind in found.items():
        lived = {
            name: without_gaps(
                presumed(union(spans), now, grace),
                [*gaps.get(name, ()), *wrong.spans, *wrong.of_worker.get(name, ())],
            )
            for name, spans in kind.items()
        }
        # Whose whole life lies within a loss is as if nobody had heard of it.
        found[which] = {name: lives for name, lives in lived.items() if lives}
    probing = [life for spans in found["probing"].values() for life in spans]
    of_forwarders = {digest: gaps_of(spans) for digest, spans in lost_by_forwarder.items()}
    rulings = await _load_rulings(session, asked)
    return Watch(found["forwarder"], found["prober"], probing, gaps_of(lost), of_forwarders, rulings)


async def _load_rulings(session: AsyncSession, asked: Mapping[str, datetime]) -> dict[str, list[Segment[Ruling]]]:
    disputes: dict[str, list[Dispute]] = {}
    for row in await session.execute(_DISPUTES, asked):
        decided_at, ended_at = (None if at is None else millis(at) for at in (row.decided_at, row.ended_at))
        said = Dispute(millis(row.disputed_at), decided_at, row.confirmed, ended_at)
        disputes.setdefault(str(row.camera_id), []).append(said)
    return {camera_id: rulings_of(said) for camera_id, said in disputes.items()}


class _WrongClock(NamedTuple):
    """When the server's clock showed what was not so: to everybody, and by the measurements of each worker."""

    spans: list[Life]
    of_worker: Mapping[str, Sequence[Life]]


async def _wrong_clock(session: AsyncSession, asked: Mapping[str, datetime]) -> _WrongClock:
    """Up to the end of what is asked for."""
    steps = [Life(millis(row.started_at), millis(row.ended_at)) for row in await session.execute(_CLOCK_STEPS, asked)]
    eras: dict[str, list[Era]] = {}
    for row in await session.execute(_CLOCK_WITNESSES, asked):
        life = Life(millis(row.started_at), millis(row.ended_at))
        eras.setdefault(row.worker_id, []).append(Era(life, row.clock_stepped_ms))
    returns = {worker: find_returns(of_worker) for worker, of_worker in eras.items()}
    excursions = {worker: found.excursions for worker, found in returns.items()}
    common = common_spans(span for spans in excursions.values() for span in spans)
    return _WrongClock([*shown_twice(steps, returns.values()), *common], excursions)


# A session may go on for longer without a match than who watched is read before a period, and a loss takes back all of
# the time between the two: wherever a period is cut, each part of it knows of the same losses.
_LOST_GAPS = text(
    "select publisher_id, began_at, ended_at, exists (select from worker_life as life where life.kind = 'prober' "
    "and life.worker_id = gap.publisher_id) as of_prober from publisher_gap as gap "
    "where lost_at is not null and began_at <= :to and ended_at >= :from"
)


class Lost(NamedTuple):
    """When facts were lost: of some prober, and of a forwarder by the digest of its name."""

    of_probers: Sequence[Life] = ()
    of_forwarders: Mapping[int, Sequence[Life]] = MappingProxyType({})


NOTHING_LOST = Lost()


async def load_lost_between_matches(
    session: AsyncSession, stretches: Sequence[Sequence[Any]], start: Millis, end: Millis
) -> Lost:
    """Load what was lost long before or after [start, end), and may take back what these stretches prove in it.

    `stretches`: columns as they are read, the delivery's id first.
    """
    if not stretches:
        return NOTHING_LOST
    _, begins, ends, kinds, _, losses_from, firm_at, *_ = stretches
    spans = zip(begins, ends, kinds, losses_from, firm_at, strict=True)
    beyond = [
        span
        for began, ended, kind, lost_from, firm in spans
        if kind == Kind.MATCHES
        and ((span := Period(min(began, lost_from), max(ended, firm))).start < start - MEMORY or span.end > end)
    ]
    if not beyond:
        return NOTHING_LOST
    return await _load_lost(session, min(span.start for span in beyond), max(span.end for span in beyond))


async def _load_lost(session: AsyncSession, start: Millis, end: Millis) -> Lost:
    of_probers: list[Life] = []
    of_forwarders: dict[int, list[Life]] = {}
    for row in await session.execute(_LOST_GAPS, {"from": moment(start), "to": moment(end)}):
        gap = Life(millis(row.began_at), millis(row.ended_at))
        (of_probers if row.of_prober else of_forwarders.setdefault(digest_of(row.publisher_id), [])).append(gap)
    return Lost(of_probers, of_forwarders)


def losses_of(watch: Watch, lost: Lost) -> Losses:
    """Join what was lost while those watched, and what is lost besides."""
    if lost is NOTHING_LOST:
        return Losses(watch.probing, watch.lost, watch.lost_by_forwarder)
    by_forwarder = {
        digest: gaps_of([*watch.lost_by_forwarder.get(digest, ()), *lost.of_forwarders.get(digest, ())])
        for digest in {*watch.lost_by_forwarder, *lost.of_forwarders}
    }
    return Losses(watch.probing, gaps_of([*watch.lost, *lost.of_probers]), by_forwarder)
