"""GET /v1/freshness: how old everything is that an answer is made of, link by link."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from reporting.api.parameters import InContext, seen_by
from reporting.domain.evidence.stream_age import StreamAge
from reporting.domain.instants import VIETNAM, millis, moment
from reporting.domain.ledger import midnight
from reporting.messaging import Feed
from reporting.reports.present.board import Board
from reporting.storage.availability import ledger
from reporting.storage.snapshot import snapshot
from reporting.storage.upkeep.newest import WorkerSign, load_handled_at, load_newest, load_workers
from vonggac.auth import Caller, guarded_router
from vonggac.bus.clock import ServerClock
from vonggac.bus.declared import topology

router = guarded_router(prefix="/v1", tags=["present"])


class Ages:
    """What only the process knows: how far it is behind the bus, its clock, and its present."""

    def __init__(self, feed: Feed, clock: ServerClock, board: Board) -> None:
        self.feed, self.clock, self.board = feed, clock, board


def ages(request: Request) -> Ages:
    found: Ages = request.app.state.ages
    return found


class StreamFreshness(BaseModel):
    """How far the tables are behind a stream of the bus."""

    stream: str
    consumer: str
    pending: int | None = Field(description="Events that are not handled yet; null: not known, as while NATS is away.")
    oldest_pending_age_s: float | None = Field(description="For how long the oldest of them has waited; 0 for none.")
    handled_at: datetime | None = Field(description="When the newest event that is in the tables was stored there.")
    stream_time: datetime | None = Field(description="When the stream's last message was stored, as last measured.")


class BusFreshness(BaseModel):
    """The connection to NATS of the replica that answers."""

    connected: bool
    feeding: bool = Field(description="Streams and tables were there, and events are consumed.")


class ClockFreshness(BaseModel):
    """The clock of the machine of this replica; every time here is the NATS server's."""

    measured: bool
    skew_s: float | None = Field(description="This machine's clock minus the server's.")
    error_s: float | None = Field(description="How far the corrected clock may be off.")


class PresentFreshness(BaseModel):
    """The present that this replica keeps. Null before its first whole account."""

    as_of: datetime | None
    version: str | None
    age_s: float | None
    difference: int = Field(description="Cameras that a check found otherwise than in memory, since the start: 0.")


class WorkerFreshness(BaseModel):
    """A worker's newest sign of life that is in the tables."""

    worker_id: str
    kind: Literal["forwarder", "prober"]
    alive_at: datetime
    age_s: float
    alive: bool = Field(description="It is presumed alive, as in GET /v1/overview.")


class Freshness(BaseModel):
    """Ages are seconds before `now`."""

    now: datetime
    newest_fact_at: datetime | None = Field(
        description="The newest probe of a camera, or change of a delivery, that the caller sees; null: none ever."
    )
    newest_fact_age_s: float | None
    newest_proof_at: datetime | None = Field(
        description="The newest read-back that matched, of a delivery that the caller sees: then a centre played the "
        "same picture; null: none ever."
    )
    newest_proof_age_s: float | None
    streams: list[StreamFreshness]
    bus: BusFreshness
    clock: ClockFreshness
    ledger_closed_until: datetime | None = Field(description="Days before it stand in the ledger.")
    present: PresentFreshness
    workers: list[WorkerFreshness] = Field(description="Those that lived in the last 24 hours.")


@router.get(
    "/freshness",
    summary="How old everything is",
    description="Of the newest fact and the newest proof, of what waits in the streams, of the clock, the ledger, the "
    "present in memory, and of each worker's newest sign of life. It answers also before the present is accounted and "
    "while NATS is away.",
)
async def read_freshness(shared: InContext, caller: Caller, known: Annotated[Ages, Depends(ages)]) -> Freshness:
    async with snapshot(shared.database) as session:
        visible = (await seen_by(session, caller.sight)).visible
        newest = await load_newest(session, visible)
        handled_at = await load_handled_at(session)
        closed = (await ledger.state(session)).closed_until
        workers = await load_workers(session, shared.clock())
    # After the reading: nothing read is newer.
    now, feed, clock = shared.clock(), known.feed, known.clock
    return Freshness(
        now=_to_local(now),
        newest_fact_at=_to_local(newest.fact_at),
        newest_fact_age_s=_age_s(newest.fact_at, now),
        newest_proof_at=_to_local(newest.proof_at),
        newest_proof_age_s=_age_s(newest.proof_at, now),
        streams=_streams(feed.ages(), handled_at),
        bus=BusFreshness(connected=feed.bus is not None and feed.bus.connected, feeding=feed.feeding),
        clock=ClockFreshness(measured=clock.measured, skew_s=clock.skew_s, error_s=clock.error_s),
        ledger_closed_until=None if closed is None else _to_local(moment(midnight(closed))),
        present=_present(known.board, now),
        workers=_workers(workers, now, shared.settings.presumed_alive_s),
    )


def _streams(measured: Sequence[StreamAge], handled_at: datetime | None) -> list[StreamFreshness]:
    """`handled_at`: of OBSERVATIONS, as the tables have it now, which may be newer than what was measured."""
    found = []
    for one in measured:
        handled, last = one.handled_at, one.stream_time
        if one.stream == topology.OBSERVATIONS:
            handled = handled_at or handled
            last = max((at for at in (handled, last) if at is not None), default=None)
        times = {"handled_at": _to_local(handled), "stream_time": _to_local(last)}
        found.append(StreamFreshness(**(one._asdict() | times)))
    return found


def _present(board: Board, now: datetime) -> PresentFreshness:
    as_of = None if board.as_of is None else moment(board.as_of)
    return PresentFreshness(
        as_of=_to_local(as_of),
        version=None if as_of is None else board.version,
        age_s=_age_s(as_of, now),
        difference=board.differences,
    )


def _workers(signs: Sequence[WorkerSign], now: datetime, presumed_alive_s: float) -> list[WorkerFreshness]:
    found = []
    for one in signs:
        age_s = _age_s(one.alive_at, now)
        alive = age_s is not None and age_s <= presumed_alive_s
        times = {"alive_at": _to_local(one.alive_at), "age_s": age_s, "alive": alive}
        found.append(WorkerFreshness.model_validate(one._asdict() | times))
    return found


def _to_local(at: datetime | None) -> datetime | None:
    return None if at is None else moment(millis(at)).astimezone(VIETNAM)


def _age_s(at: datetime | None, now: datetime) -> float | None:
    """One that is dated a little ahead is of now."""
    return None if at is None else max(0.0, round((now - at).total_seconds(), 3))
