"""The watch as stored: the outages that it published, and how far it has come."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import not_, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.storage.sending.tables import feed_position, noticed_outage
from reporting.storage.tables import camera

_LOCK = text("select pg_try_advisory_xact_lock(17420520)")
_WATCH = "notices"


async def try_lock(session: AsyncSession) -> bool:
    """Whether this transaction is the one that watches; another replica does otherwise."""
    return bool((await session.execute(_LOCK)).scalar_one())


async def watched_until(session: AsyncSession) -> Millis | None:
    """None before the first time."""
    wanted = select(feed_position.c.watched_until).where(feed_position.c.name == _WATCH)
    found = (await session.execute(wanted)).scalar_one_or_none()
    return None if found is None else millis(found)


async def keep_position(session: AsyncSession, until: Millis) -> None:
    """Outages were compared up to here."""
    statement = insert(feed_position).values(name=_WATCH, watched_until=moment(until))
    await session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"watched_until": moment(until)})
    )


async def outages(session: AsyncSession, since: Millis) -> dict[str, list[Any]]:
    """Those that were open or ended after `since`, by camera, oldest first."""
    wanted = select(noticed_outage).where(
        or_(noticed_outage.c.ended_at.is_(None), noticed_outage.c.ended_at > moment(since))
    )
    found: dict[str, list[Any]] = {}
    for row in await session.execute(wanted.order_by(noticed_outage.c.camera_id, noticed_outage.c.began_at)):
        found.setdefault(str(row.camera_id), []).append(row)
    return found


async def open_since(session: AsyncSession, before: datetime) -> Sequence[Any]:
    """Outages that go on and began before that moment, longest first."""
    wanted = select(noticed_outage).where(noticed_outage.c.ended_at.is_(None), noticed_outage.c.began_at <= before)
    return (await session.execute(wanted.order_by(noticed_outage.c.began_at, noticed_outage.c.camera_code))).all()


async def add_outages(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await session.execute(insert(noticed_outage).on_conflict_do_nothing(), list(rows))


async def change_outage(session: AsyncSession, outage_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(update(noticed_outage).where(noticed_outage.c.id == outage_id).values(values))


async def facilities_of(session: AsyncSession, camera_ids: Iterable[str]) -> set[UUID]:
    """Where these cameras stand or have stood."""
    wanted = select(camera.c.facility_id).where(camera.c.id.in_([UUID(one) for one in camera_ids]))
    return {one for one in (await session.execute(wanted.distinct())).scalars() if one is not None}


async def present_facilities(session: AsyncSession, camera_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Where those of these cameras stand that are not removed."""
    newest = select(camera.c.id, camera.c.facility_id).where(camera.c.valid_to.is_(None), not_(camera.c.removed))
    rows = await session.execute(newest.where(camera.c.id.in_(camera_ids)))
    return {row.id: row.facility_id for row in rows}
