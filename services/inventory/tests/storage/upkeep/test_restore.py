"""A register restored from an older copy notices it, and its revisions win over those it published before."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.js.errors import NotFoundError
from sqlalchemy import NullPool, create_engine, make_url, text

from inventory.messaging import OutboxMark
from inventory.settings import Settings
from inventory.storage.outbox import count_waiting
from inventory.storage.upkeep.restoring import EPOCH, Restores
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.embedded import PostgresServer
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.testing import eventually

pytestmark = pytest.mark.server

type StartProvince = Callable[[Settings], AbstractAsyncContextManager[Any]]


@pytest.fixture
def own_settings(
    settings: Settings, postgres_server: PostgresServer, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A database of its own, since others use the common one."""
    monkeypatch.setattr("inventory.app.RECONCILE_EVERY_S", 60.0)
    monkeypatch.setattr("inventory.app.RELAY_POLL_S", 0.1)
    template = str(make_url(migrated_url).database)
    _kick(postgres_server, template)
    postgres_server.create_database("restored", "inventory", template=template)
    url = postgres_server.url("restored", "inventory")
    yield settings.model_copy(update={"database_url": type(settings.database_url)(url)})
    postgres_server.drop_database("restored")


def _kick(server: PostgresServer, name: str) -> None:
    run(server, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")  # noqa: S608 - our own name


def run(server: PostgresServer, statement: str) -> None:
    engine = create_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


async def state(bus: Bus, camera: dict[str, Any]) -> CameraV1 | RemovedV1:
    try:
        message = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("camera", camera["id"]))
    except NotFoundError:
        raise AssertionError(camera["code"]) from None
    data = decode(message.data or b"").data
    assert isinstance(data, CameraV1 | RemovedV1)
    return data


async def is_at(bus: Bus, camera: dict[str, Any], *, above: int, enabled: bool | None = None) -> bool:
    data = await state(bus, camera)
    assert data.revision > above, data
    if enabled is not None:
        assert isinstance(data, CameraV1)
        assert data.enabled is enabled
    return True


async def test_a_restored_register_is_of_a_new_epoch_and_its_states_win(
    own_settings: Settings, bus: Bus, postgres_server: PostgresServer, start_province: StartProvince
) -> None:
    async with start_province(own_settings) as province:
        kept = await province.camera()
        await eventually(lambda: is_at(bus, kept, above=0))
    run(postgres_server, "create database restored_copy template restored owner inventory")
    async with start_province(own_settings) as province:
        for name in ("a", "b", "c"):
            await province.change(f"/v1/cameras/{kept['id']}", json={"name": name})
        await province.change(f"/v1/cameras/{kept['id']}", json={"enabled": False})
        lost = await province.camera(facility_id=kept["facility_id"], code="CAM-LOST", url="rtsp://10.1.1.2/1")
        await eventually(lambda: is_at(bus, kept, above=4, enabled=False))
        await eventually(lambda: is_at(bus, lost, above=0))
        database = Database(own_settings.database_url.get_secret_value())
        published = await Restores(database).read_mark()
        await database.close()
        await eventually(lambda: is_marked(bus, published))
    run(postgres_server, "drop database restored with (force)")
    run(postgres_server, "alter database restored_copy rename to restored")
    async with start_province(own_settings) as province:
        await eventually(lambda: is_at(bus, kept, above=EPOCH, enabled=True))
        await eventually(lambda: is_removed(bus, lost))
        # A camera disabled afterwards is disabled for everybody.
        await province.change(f"/v1/cameras/{kept['id']}", json={"enabled": False})
        await eventually(lambda: is_at(bus, kept, above=EPOCH + 1, enabled=False))
    async with start_province(own_settings) as province:
        await province.change(f"/v1/cameras/{kept['id']}", json={"enabled": True})
        await eventually(lambda: is_at(bus, kept, above=EPOCH + 2, enabled=True))
        assert (await state(bus, kept)).revision < 2 * EPOCH, "a mere restart is no restore"


async def is_removed(bus: Bus, camera: dict[str, Any]) -> bool:
    data = await state(bus, camera)
    assert isinstance(data, RemovedV1)
    assert data.revision >= EPOCH
    return True


async def is_marked(bus: Bus, mark: OutboxMark) -> bool:
    value = await Bucket(bus, topology.POSITIONS).get("inventory")
    assert value
    return OutboxMark.model_validate_json(value) == mark


async def test_an_empty_register_is_another_database_and_removes_nothing(inventory_url: str) -> None:
    database = Database(inventory_url)
    stranger = [subjects.inventory("camera", "0e7ff6f4-5a0c-4c5e-8b2e-3f6f8f0a0001")]
    assert await Restores(database).begin_epoch(OutboxMark(highest=1000, epoch=0), stranger) is None
    async with database.transaction() as session:
        assert (await count_waiting(session, datetime.now(UTC)))[0] == 0
    await database.close()


async def test_the_pages_of_a_list_after_a_restore_have_the_etags_of_now(province: Any, inventory_url: str) -> None:
    for _ in range(3):
        await province.agency()
    database = Database(inventory_url)
    restores = Restores(database)
    mark = await restores.read_mark()
    assert await restores.begin_epoch(OutboxMark(highest=mark.highest + 1000, epoch=mark.epoch), [])
    await database.close()
    first = (await province.client.get("/v1/agencies", params={"limit": 2})).json()
    second = (await province.client.get("/v1/agencies", params={"limit": 2, "cursor": first["next"]})).json()
    items = first["items"] + second["items"]
    assert [each["revision"] > EPOCH for each in items] == [True] * 3
    for each in items:
        path, headers = f"/v1/agencies/{each['id']}", {"If-Match": each["etag"]}
        answer = await province.client.patch(path, json={"name": "Sở mới"}, headers=headers)
        assert answer.status_code == 200, answer.text
