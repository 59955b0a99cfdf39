"""Publishes again: the current state of every thing after a lost stream, or of cameras whose jobs are lost."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage import outbox
from inventory.storage.states import PAYLOADS, camera_plans, payload_of
from inventory.storage.store import WRITERS_LOCK
from inventory.storage.tables import Camera
from vonggac.database import Database


async def republish(database: Database) -> int:
    """Number of messages put into the outbox. Revisions stay: nothing has changed. Raises DBAPIError."""
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        return await append_everything(session, now)


async def append_everything(session: AsyncSession, now: datetime) -> int:
    """As `republish`, in the caller's transaction, which holds the writers' lock."""
    count = 0
    for kind in PAYLOADS:
        things = (await session.scalars(select(kind).order_by(kind.id))).all()
        messages = [outbox.new_message(kind.noun, thing.id, payload_of(thing), now=now) for thing in things]
        await outbox.append_messages(session, messages, now=now)
        count += len(messages)
    return count + await _append_cameras(session, (await session.scalars(select(Camera.id))).all(), now)


async def republish_cameras(database: Database, camera_ids: Collection[UUID]) -> int:
    """As `republish`, of these cameras as far as they still exist. Raises DBAPIError."""
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
