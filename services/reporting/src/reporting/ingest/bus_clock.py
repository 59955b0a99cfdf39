"""Facts of a time that the clock of the bus showed twice: refused as evidence, counted, and never of an earlier time.

What was stored before the step and is dated later than it is void by itself: nobody watched in that time
(`reporting.storage.lives`). What is stored after it, and dated in that time, changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.bus_clock import (
    Step,
    Stored,
    Twice,
    counts_since,
    find_steps,
    said_before_step,
)
from reporting.domain.instants import Millis, millis, moment
from vonggac.bus import Received
from vonggac.bus.declared import topology
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, ForwarderAliveV1
from vonggac.events.prober import (
    AgreeingReadBacks,
    CameraObservedV1,
    DeliveryVerifiedV1,
    ProberAliveV1,
    VerificationVerdict,
)
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_NEWEST = text("select sequence, stored_at from bus_clock where stream = :stream")
_TWICE = text("select started_at, ended_at, last_before from clock_step where stream = :stream order by last_before")
_KEEP_NEWEST = text(
    """
    insert into bus_clock (stream, sequence, stored_at) values (:stream, :sequence, :stored)
    on conflict (stream) do update set sequence = excluded.sequence, stored_at = excluded.stored_at
    where excluded.stored_at > bus_clock.stored_at
    """
)
# A message further back may come later: of one step, and of more time shown twice.
_KEEP_STEP = text(
    """
    insert into clock_step (stream, last_before, stored_at, first_after, started_at, ended_at, noticed_at)
    values (:stream, :last_before, :stored, :first_after, :started, :ended, :noticed)
    on conflict (stream, last_before) do update set started_at = excluded.started_at
    where excluded.started_at < clock_step.started_at
    returning xmax = 0 as is_new
    """
)
# The newest match of a delivery, dated by the clock as it was: none that comes would be newer.
_FORGET_PROOFS = text("delete from delivery_proof where verified_at >= :started")

_COUNT_REFUSED = text(
    "update clock_step set refused = refused + :count where stream = :stream and last_before = :last_before"
)
# By itself a forwarder publishes changes alone, and nothing that it published before holds.
_UNANSWERED = text(
    "select life.worker_id, step.ended_at from worker_life as life, "
    "(select max(ended_at) as ended_at from clock_step where ended_at <= :now) as step where life.kind = 'forwarder' "
    "group by life.worker_id, step.ended_at "
    "having max(life.ended_at) >= :alive_since and max(life.started_at) <= step.ended_at"
)


class Dated(NamedTuple):
    """A fact of the stream, as it is taken: when it says that it was, less how far `ahead` of its storing time."""

    received: Received
    at: datetime
    ahead: timedelta = timedelta()


class Carried(NamedTuple):
    """Read-backs of a delivery that a refused fact carries."""

    delivery_id: UUID
    agreed: AgreeingReadBacks


class Admitted(NamedTuple):
    """The facts that count, none of them before the end of a time shown twice, and those that are refused.

    `carried`: what these carry of the time before the clock was set back.
    """

    facts: Sequence[Received]
    refused: Sequence[Received] = ()
    carried: Sequence[Carried] = ()


class Noted(NamedTuple):
    """What a batch is to the clock: the times shown twice, how many of them are new, and since when the first of these
    is."""

    twice: Sequence[Twice]
    new: int
    since: Millis | None


async def note(session: AsyncSession, batch: Sequence[Received], *, now: datetime, tolerance: timedelta) -> Noted:
    """Find steps back of the server's clock in a batch of OBSERVATIONS, and keep them.

    `tolerance`: how far a fact may be dated after it was stored.
    """
    stored = [Stored(one.stream_sequence, millis(one.stored_at)) for one in batch if one.stored_at is not None]
    named = {"stream": topology.OBSERVATIONS}
    row = (await session.execute(_NEWEST, named)).one_or_none()
    known = None if row is None else Stored(row.sequence, millis(row.stored_at))
    steps, newest = find_steps(known, stored)
    count, since = 0, None
    for step in steps:
        kept = (await session.execute(_KEEP_STEP, _row(step, now, tolerance) | named)).one_or_none()
        if kept is not None:
            since = step.after.at if since is None else min(since, step.after.at)
            await session.execute(_FORGET_PROOFS, {"started": moment(step.after.at)})
        if kept is not None and kept.is_new:
            count += 1
            log.warning("bus_clock_stepped", by_s=-step.by / 1000, sequence=step.after.sequence)
    if newest is not None and newest != known:
        await session.execute(_KEEP_NEWEST, {"sequence": newest.sequence, "stored": moment(newest.at)} | named)
    twice = [
        Twice(millis(row.started_at), millis(row.ended_at), row.last_before)
        for row in await session.execute(_TWICE, named)
    ]
    return Noted(twice, count, since)


def _row(step: Step, now: datetime, tolerance: timedelta) -> dict[str, object]:
    return {
        "last_before": step.before.sequence,
        "stored": moment(step.before.at),
        "first_after": step.after.sequence,
        "started": moment(step.after.at),
        "ended": moment(step.before.at) + tolerance,
        "noticed": now,
    }


async def admit(session: AsyncSession, twice: Sequence[Twice], facts: Sequence[Dated]) -> Admitted:
    """Part the facts by whether they are evidence."""
    if not twice:
        return Admitted([one.received for one in facts])
    admitted: list[Received] = []
    refused: dict[int, list[Received]] = {}
    carried: list[Carried] = []
    for one in facts:
        received, sequence, dated = one.received, one.received.stream_sequence, millis(one.at)
        void = next((each for each in twice if each.voids(sequence, dated)), None)
        if void is not None and isinstance(received.event.data, _COUNTED):
            refused.setdefault(void.last_before, []).append(received)
            carried += _said_before_step(one, twice)
        else:
            counted = _awake_since(received, counts_since(twice, sequence, dated))
            admitted.append(_without_void_read_backs(counted, twice))
    for last_before, found in refused.items():
        which = {"stream": topology.OBSERVATIONS, "last_before": last_before, "count": len(found)}
        await session.execute(_COUNT_REFUSED, which)
    return Admitted(admitted, [one for found in refused.values() for one in found], carried)


def _said_before_step(fact: Dated, twice: Sequence[Twice]) -> list[Carried]:
    """List the read-backs that a refused fact carries, made before the clock was set back, as they were dated.

    Each counts as if it were a fact of its own, which would have been stored before.
    """
    data, sequence = fact.received.event.data, fact.received.stream_sequence
    if not isinstance(data, DeliveryVerifiedV1 | DeliveryObservedV1) or data.agreed is None:
        return []
    at, ahead = millis(fact.at + fact.ahead), round(fact.ahead / timedelta(milliseconds=1))
    dated = [
        one.model_copy(update={"at": one.at + fact.ahead, "observed_at": one.observed_at + fact.ahead})
        for one in data.agreed.read_backs
    ]
    before = [
        one for one in dated if said_before_step(twice, sequence, at, ahead=ahead, earlier=millis(one.observed_at))
    ]
    return [Carried(data.delivery_id, data.agreed.model_copy(update={"read_backs": tuple(before)}))] if before else []


async def unanswered(session: AsyncSession, *, alive_since: datetime, now: datetime) -> dict[str, datetime]:
    """Living forwarders that have not published their states anew since a time was shown twice, and until when."""
    rows = await session.execute(_UNANSWERED, {"alive_since": alive_since, "now": now})
    return {row.worker_id: row.ended_at for row in rows}


def _without_void_read_backs(received: Received, twice: Sequence[Twice]) -> Received:
    """Keep of the read-backs before the fact those that would count if each were a fact of its own."""
    data, sequence = received.event.data, received.stream_sequence
    if not isinstance(data, DeliveryVerifiedV1 | DeliveryObservedV1) or data.agreed is None:
        return received
    read_backs = []
    for one in data.agreed.read_backs:
        dated = millis(one.observed_at)
        if any(each.voids(sequence, dated) for each in twice):
            continue
        since = counts_since(twice, sequence, dated)
        fails = data.agreed.verdict is not VerificationVerdict.VERIFIED
        read_backs.append(one.model_copy(update={"at": max(one.at, moment(since))}) if fails and since else one)
    agreed = data.agreed.model_copy(update={"read_backs": tuple(read_backs)})
    return replace(
        received, event=received.event.model_copy(update={"data": data.model_copy(update={"agreed": agreed})})
    )


_PROBED = (CameraObservedV1, DeliveryVerifiedV1)
_ALIVE = (ForwarderAliveV1, ProberAliveV1)
_COUNTED = (*_PROBED, *_ALIVE, CameraMediaObservedV1, DeliveryObservedV1)
"""Facts that the accounts are made of."""


def _awake_since(received: Received, instant: Millis) -> Received:
    """Date the fact's worker awake since then at the earliest."""
    data, event = received.event.data, received.event
    if instant == 0 or not isinstance(data, (*_PROBED, *_ALIVE)):
        return received
    since = data.awake_since
    if since is None and isinstance(data, CameraObservedV1):
        since = data.began_at
    elif since is None and isinstance(data, DeliveryVerifiedV1):
        since = data.observed_at - timedelta(milliseconds=data.duration_ms)
    if since is None or since >= moment(instant):
        return received
    later = data.model_copy(update={"awake_since": moment(instant)})
    return replace(received, event=event.model_copy(update={"data": later}))
