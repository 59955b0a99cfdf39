"""How old the newest is of what came: of facts and proofs, and of each worker's signs of life."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from vonggac.bus.declared import topology

LISTED_FOR = timedelta(hours=24)
"""A worker that was silent for longer is not listed."""
MOST_WORKERS = 1000

# Changes are found by the blocks that hold their time: only those are read that are newer than the newest probe.
_OF_ALL = text(
    """
    with probed as (select coalesce(max(last_observed_at), '-infinity') as at from camera_state)
    select nullif(greatest(probed.at, (select max(observed_at) from delivery_change where observed_at > probed.at)),
                  '-infinity') as fact_at,
           (select max(verified_at) from delivery_proof) as proof_at
    from probed
    """
)
_OF_VISIBLE = text(
    """
    with mine as (
        select id from camera where facility_id = any(:facilities) and valid_to is null and not removed
    ), delivered as (
        select id from delivery where camera_id in (select id from mine) and valid_to is null
    ), probed as (
        select coalesce(max(last_observed_at), '-infinity') as at from camera_state
        where camera_id in (select id from mine)
    )
    select nullif(greatest(probed.at, (
               select max(observed_at) from delivery_change
               where observed_at > probed.at and delivery_id in (select id from delivered))), '-infinity') as fact_at,
           (select max(verified_at) from delivery_proof
            where delivery_id in (select id from delivered)) as proof_at
    from probed
    """
)
_HANDLED = text("select stored_at from bus_clock where stream = :stream")
_WORKERS = text(
    "select worker_id, kind, max(ended_at) as alive_at from worker_life "
    "where kind in ('prober', 'forwarder') and ended_at >= :since "
    "group by worker_id, kind order by alive_at desc, worker_id limit :most"
)


class Newest(NamedTuple):
    """When the newest probe of a camera or change of a delivery was, and the newest read-back that matched. None: none
    ever came."""

    fact_at: datetime | None
    proof_at: datetime | None


class WorkerSign(NamedTuple):
    """The newest sign of life of a prober or forwarder."""

    worker_id: str
    kind: str
    alive_at: datetime


async def load_newest(session: AsyncSession, visible: frozenset[UUID] | None) -> Newest:
    """Load the newest of the cameras that stand at these facilities; None: of all."""
    if visible is None:
        row = (await session.execute(_OF_ALL)).one()
    else:
        row = (await session.execute(_OF_VISIBLE, {"facilities": sorted(visible)})).one()
    return Newest(row.fact_at, row.proof_at)


async def load_handled_at(session: AsyncSession) -> datetime | None:
    """When the newest event of OBSERVATIONS that is in these tables was stored there."""
    at: datetime | None = await session.scalar(_HANDLED, {"stream": topology.OBSERVATIONS})
    return at


async def load_workers(session: AsyncSession, now: datetime) -> Sequence[WorkerSign]:
    """Every worker that lived in the last day, probers last."""
    found = await session.execute(_WORKERS, {"since": now - LISTED_FOR, "most": MOST_WORKERS})
    signs = [WorkerSign(row.worker_id, row.kind, row.alive_at) for row in found]
    return sorted(signs, key=lambda one: (one.kind, one.worker_id))
