"""Faults of whole sites, each once: its beginning and its end come in any order."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import cut
from vonggac.events import Payload
from vonggac.events.prober import SiteObservedV1

_UPSERT = text(
    """
    insert into site_fault (facility_id, began_at, ended_at, cause, camera_ids)
    values (:facility_id, :began_at, :ended_at, :cause, :camera_ids)
    on conflict (facility_id, began_at) do update set ended_at = least(site_fault.ended_at, excluded.ended_at)
    """
)


async def record(session: AsyncSession, facts: Iterable[Payload]) -> None:
    """Keep what probers say of sites; several of them say the same."""
    faults: dict[tuple[UUID, datetime], SiteObservedV1] = {}
    for fact in facts:
        if isinstance(fact, SiteObservedV1):
            key = fact.facility_id, fact.began_at
            if fact.ended_at is not None or key not in faults:
                faults[key] = fact
    for _, fault in sorted(faults.items()):
        given = {
            "facility_id": fault.facility_id,
            "began_at": cut(fault.began_at),
            "ended_at": None if fault.ended_at is None else cut(fault.ended_at),
            "cause": fault.cause.value,
            "camera_ids": list(fault.camera_ids),
        }
        await session.execute(_UPSERT, given)
