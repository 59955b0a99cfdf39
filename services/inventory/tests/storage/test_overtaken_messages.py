"""What is republished while a long write works does not come after it: the newest state is the last message."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import select

from inventory.settings import Settings
from inventory.storage.change_log import Actor
from inventory.storage.prepared import StagedUpdates
from inventory.storage.store import Store
from inventory.storage.tables import Camera, OutboxRow
from inventory.storage.upkeep.republishing import republish, republish_cameras
from vonggac.bus import ServerClock
from vonggac.database import Database
from vonggac.events import subjects
from vonggac.events.inventory import CameraV1
from vonggac.events.registry import decode

COLUMNS = ["name", "revision", "changed_at"]


@pytest_asyncio.fixture
async def store(inventory_url: str) -> AsyncIterator[Store]:
    database = Database(inventory_url)
    yield Store(database, on_commit=lambda: None, write_wait_s=10)
    await database.close()


async def waiting(store: Store, camera_id: str) -> list[CameraV1]:
    """The messages about a camera in the order in which they will be published."""
    subject = subjects.inventory("camera", camera_id)
    async with store.read_transaction() as session:
        query = select(OutboxRow.body).where(OutboxRow.subject == subject, OutboxRow.published_at.is_(None))
        bodies = (await session.scalars(query.order_by(OutboxRow.id))).all()
    found = [decode(body).data for body in bodies]
    return [each for each in found if isinstance(each, CameraV1)]


async def test_the_last_message_is_that_of_the_newest_revision(
    settings: Settings, start_province: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerClock, "measured", True)
    # Nothing is published: what waits is what would be.
    away = settings.model_copy(update={"nats_url": "nats://127.0.0.1:1", "nats_password": SecretStr("x")})
    async with start_province(away) as province:
        cameras = [await province.camera() for _ in range(2)]
        async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
            rows = await transaction.session.execute(select(*Camera.__table__.c))
            next_states = [
                {**row, "name": "Tên mới", "revision": 2, "changed_at": transaction.now} for row in rows.mappings()
            ]
            staged = StagedUpdates(transaction.session, Camera, COLUMNS, transaction.now)
            await staged.add([(each["id"], *(each[name] for name in COLUMNS)) for each in next_states])
            await transaction.prepare_changed(next_states)
            await republish_cameras(store.database, [UUID(cameras[0]["id"])])
            await republish(store.database)
            assert await staged.write(transaction.now) == {}
        for camera in cameras:
            messages = await waiting(store, camera["id"])
            assert (messages[-1].revision, messages[-1].name) == (2, "Tên mới")
            assert len([each for each in messages if each.revision == 2]) == 1
