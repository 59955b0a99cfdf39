"""Publishes again: everything after a lost stream, cameras with lost jobs, what a migration wants."""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage import outbox
from inventory.storage.queries.links import state_of_link
from inventory.storage.states import PAYLOADS, camera_plans, payload_of
from inventory.storage.store import WRITERS_LOCK
from inventory.storage.tables import Camera, FacilityLink, RepublishWanted
from vonggac.bus import Bus
from vonggac.database import Database
from vonggac.telemetry import get_logger

log = get_logger(__name__)


async def republish(database: Database) -> int:
    """Put everything into the outbox again; return the number of messages. Revisions stay: nothing has changed.

    Raises DBAPIError, and psycopg.Error of a COPY.
    """
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        return await append_everything(session, now)


async def append_everything(session: AsyncSession, now: datetime) -> int:
    """As `republish`, in the caller's transaction, which holds the writers' lock."""
    return await _append(session, {*(kind.noun for kind in PAYLOADS), Camera.noun, FacilityLink.logged_as}, now)


async def publish_wanted(_bus: Bus, *, database: Database, wake: Callable[[], None], every_s: float) -> None:
    """Publish once what a migration made or changed the messages of, whenever there is something; until cancelled."""
    while True:
        try:
            count = await republish_wanted(database)
        except (DBAPIError, psycopg.OperationalError, PoolTimeoutError, OSError) as error:
            log.debug("wanted_not_published", error=type(error).__name__)
        else:
            if count:
                log.info("migrated_published", count=count)
                wake()
        await asyncio.sleep(every_s)


async def republish_wanted(database: Database) -> int:
    """As `republish`, of the nouns that a migration wants published, which are then wanted no longer."""
    async with database.transaction() as session:
        if not (await session.scalars(select(RepublishWanted.noun))).all():
            return 0
        await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        wanted = set(await session.scalars(delete(RepublishWanted).returning(RepublishWanted.noun)))
        return await _append(session, wanted, datetime.now(UTC))


async def _append(session: AsyncSession, nouns: Collection[str], now: datetime) -> int:
    count = 0
    for kind in [kind for kind in PAYLOADS if kind.noun in nouns]:
        things = (await session.scalars(select(kind).order_by(kind.id))).all()
        messages = [outbox.new_message(kind.noun, thing.id, payload_of(thing), now=now) for thing in things]
        await outbox.append_messages(session, messages, now=now)
        count += len(messages)
    if FacilityLink.logged_as in nouns:
        links = (await session.scalars(select(FacilityLink).order_by(FacilityLink.id))).all()
        messages = [outbox.new_message(FacilityLink.logged_as, one.id, state_of_link(one), now=now) for one in links]
        await outbox.append_messages(session, messages, now=now)
        count += len(messages)
    if Camera.noun in nouns:
        count += await _append_cameras(session, (await session.scalars(select(Camera.id))).all(), now)
    return count


async def republish_cameras(database: Database, camera_ids: Collection[UUID]) -> int:
    """As `republish`, of these cameras as far as they still exist. Raises as `republish`."""
    async with database.transaction() as session:
        await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        return await _append_cameras(session, camera_ids, datetime.now(UTC))


async def _append_cameras(session: AsyncSession, camera_ids: Collection[UUID], now: datetime) -> int:
    count = 0
    async for plans in camera_plans(session, camera_ids):
        payloads = [plan.payload for plan in plans]
        messages = [outbox.new_message("camera", camera.id, camera, now=now) for camera in payloads]
        await outbox.append_messages(session, messages, now=now)
        count += len(messages)
    return count
