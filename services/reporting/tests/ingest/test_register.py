"""The inventory as reporting knows it, whatever the order of arrival."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, select

from reporting.ingest import register as mirror
from reporting.migrations import SCRIPTS
from reporting.storage import plan, tables
from vonggac.database.migrations import config
from vonggac.events.inventory import CameraV1, PlannedDelivery, RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Province

    from vonggac.database import Database


async def cameras(database: Database) -> list[plan.Camera]:
    async with database.transaction() as session:
        return await plan.cameras(session, await plan.facilities(session, plan.Scope()))


async def apply(database: Database, *states: object) -> None:
    async with database.transaction() as session:
        await mirror.apply(session, states)  # type: ignore[arg-type] # payloads


def removed(camera: CameraV1, revision: int) -> RemovedV1:
    return RemovedV1(id=camera.id, noun="camera", revision=revision, removed_at=datetime.now(UTC))


async def test_the_higher_revision_wins_in_any_order(database: Database, province: Province) -> None:
    await apply(database, *(event.data for event in province.base()))
    for order in itertools.permutations([1, 2, 3]):
        camera = province.camera(code=f"CAM-{order}")
        for revision in order:
            name = {"revision": revision, "name": f"revision {revision}", "deliveries": camera.deliveries[:revision]}
            await apply(database, camera.model_copy(update=name))
    found = await cameras(database)
    assert {one.name for one in found} == {"revision 3"}
    assert {len(one.deliveries) for one in found} == {2}


async def test_two_revisions_in_one_batch_are_one_camera(database: Database, province: Province) -> None:
    camera = province.camera()
    newer = camera.model_copy(update={"revision": 2, "code": "NEW"})
    await apply(database, *(event.data for event in province.base()), newer, camera)
    assert [one.code for one in await cameras(database)] == ["NEW"]


async def test_a_removed_camera_does_not_come_back(database: Database, province: Province) -> None:
    await apply(database, *(event.data for event in province.base()))
    gone_at_once, gone_before, gone_after = (province.camera(code=code) for code in ("A", "B", "C"))
    await apply(database, gone_at_once, removed(gone_at_once, 2))
    await apply(database, removed(gone_before, 2))
    await apply(database, gone_before)
    await apply(database, gone_after)
    await apply(database, removed(gone_after, 2))
    await apply(database, gone_after)
    assert await cameras(database) == []
    async with database.transaction() as session:
        assert (await session.execute(select(tables.delivery))).all() == []


async def test_a_delivery_that_the_camera_no_longer_names_is_gone(database: Database, province: Province) -> None:
    camera = province.camera()
    await apply(database, *(event.data for event in province.base()), camera)
    await apply(database, camera.model_copy(update={"revision": 2, "deliveries": camera.deliveries[:1]}))
    (found,) = await cameras(database)
    assert [one.id for one in found.deliveries] == [str(camera.deliveries[0].id)]


async def test_a_destination_not_known_yet_leaves_the_role_open(database: Database, province: Province) -> None:
    planned = PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="D9", url="rtsp://10.0.0.1/x")
    await apply(database, *(event.data for event in province.base()), province.camera(deliveries=(planned,)))
    (found,) = await cameras(database)
    assert (found.deliveries[0].role, found.deliveries[0].destination.code) == (None, "D9")


async def test_planned_and_closed_facilities_and_disabled_cameras_are_not_counted(
    database: Database, province: Province
) -> None:
    await apply(
        database, *(event.data for event in province.base()), province.camera(), province.camera("OFF", enabled=False)
    )
    assert len(await cameras(database)) == 1
    for revision, status in enumerate(("planned", "closed"), start=2):
        await apply(database, province.facility_state(revision=revision, status=status))
        assert await cameras(database) == []
    await apply(database, province.facility_state(revision=4, status="suspended"))
    assert len(await cameras(database)) == 1


def test_migrations_and_tables_agree(reporting_url: str) -> None:
    engine = create_engine(reporting_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_migrations_can_be_undone(reporting_url: str) -> None:
    command.downgrade(config(SCRIPTS, reporting_url), "base")
    command.upgrade(config(SCRIPTS, reporting_url), "head")
