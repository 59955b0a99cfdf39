"""What alerts read of the register: cameras that shall be forwarded, and the last backup."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from inventory.metrics import Metrics
from inventory.storage.states import camera_plans
from inventory.storage.tables import Backup, Camera
from inventory.storage.upkeep.gauges import count_wanted_cameras, last_backup, measure_register
from inventory.storage.upkeep.streams import replicas_of
from vonggac.database import Database
from vonggac.testing import eventually

pytestmark = pytest.mark.server


async def by_their_messages(database: Database) -> int:
    """The same number by the messages themselves."""
    async with database.transaction() as session:
        ids = list(await session.scalars(select(Camera.id)))
        plans = [plan async for chunk in camera_plans(session, ids) for plan in chunk]
    return sum(bool(plan.payload.forwarded) for plan in plans)


async def test_wanted_cameras_are_those_whose_messages_have_something_to_forward(
    province: Any, inventory_url: str
) -> None:
    database = Database(inventory_url)

    async def counted() -> int:
        async with database.transaction() as session:
            count = await count_wanted_cameras(session)
        assert count == await by_their_messages(database)
        return count

    assert await counted() == 0
    await province.destination()
    await province.camera()
    assert await counted() == 0, "no plan connects it, and there is no exception"
    camera = await province.forwarded_camera()
    assert await counted() == 1
    await province.change(f"/v1/cameras/{camera['id']}", json={"enabled": False}, params={"reason": "sửa mái"})
    assert await counted() == 0
    await province.change(f"/v1/cameras/{camera['id']}", json={"enabled": True})
    assert await counted() == 1
    for destination in (await province.client.get("/v1/destinations")).json()["items"]:
        path = f"/v1/destinations/{destination['id']}"
        await province.change(path, json={"enabled": False}, params={"reason": "bảo trì"})
    assert await counted() == 0
    await database.close()


async def test_the_last_backup_is_a_gauge_and_zero_when_there_is_none(inventory_url: str) -> None:
    database, metrics, now = Database(inventory_url), Metrics(), datetime.now(UTC)
    name = "vonggac_inventory_backup_last_success_timestamp_seconds"
    metrics.backup_last_success.set(-1)
    task = asyncio.create_task(measure_register(database, metrics, every_s=0.05))
    await eventually(lambda: metrics.registry.get_sample_value(name) == 0)
    async with database.transaction() as session:
        for hours in (30, 6, 12):
            ended = now - timedelta(hours=hours)
            session.add(Backup(finished_at=ended, began_at=ended - timedelta(minutes=1), size_bytes=1))
    await eventually(lambda: metrics.registry.get_sample_value(name) == (now - timedelta(hours=6)).timestamp())
    async with database.transaction() as session:
        assert await last_backup(session) == now - timedelta(hours=6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.close()


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        (None, {"current": 1, "behind": 0, "offline": 0}),
        (SimpleNamespace(leader="a", replicas=[]), {"current": 1, "behind": 0, "offline": 0}),
        (
            SimpleNamespace(
                leader="a",
                replicas=[SimpleNamespace(current=True, offline=None), SimpleNamespace(current=False, offline=True)],
            ),
            {"current": 2, "behind": 0, "offline": 1},
        ),
        (
            SimpleNamespace(leader=None, replicas=[SimpleNamespace(current=False, offline=False)] * 3),
            {"current": 0, "behind": 3, "offline": 0},
        ),
    ],
)
def test_copies_of_a_stream_are_counted_by_state(cluster: Any, expected: dict[str, int]) -> None:
    assert replicas_of(SimpleNamespace(cluster=cluster)) == expected  # type: ignore[arg-type] # as nats-py has it
