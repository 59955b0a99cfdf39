"""A long write lets the others write: it queues at its end, and notices what they changed meanwhile."""

import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import func, select, text

from inventory.storage.change_log import Actor
from inventory.storage.deliveries import copy_deliveries, new_delivery
from inventory.storage.prepared import StagedUpdates
from inventory.storage.store import Store, WriteTransaction
from inventory.storage.tables import Camera, Change, Destination, OutboxRow
from vonggac.database import Database
from vonggac.events import subjects
from vonggac.events.inventory import CameraV1, FacilityStatus
from vonggac.events.registry import decode
from vonggac.http import ProblemError

LONGEST_WAIT_S = 1.0


@pytest_asyncio.fixture
async def store(inventory_url: str) -> AsyncIterator[Store]:
    database = Database(inventory_url)
    yield Store(database, on_commit=lambda: None, write_wait_s=10)
    await database.close()


def camera(facility: dict[str, Any], number: int) -> Camera:
    return Camera(
        code=f"L-{number:05d}",
        name="Hành lang",
        facility_id=facility["id"],
        enabled=True,
        url="rtsp://10.1.1.1/1",
        transport="tcp",
        forward_audio=False,
        probe_interval_s=30.0,
        probe_timeout_s=10.0,
    )


async def add_cameras(transaction: WriteTransaction, facility: dict[str, Any], count: int) -> list[Camera]:
    session = transaction.session
    destinations = (await session.scalars(select(Destination))).all()
    made = [camera(facility, number) for number in range(count)]
    for each in made:
        transaction.prepare_new(each)
        session.add(each)
        transaction.record_created(each)
    await transaction.flush_changes()
    await copy_deliveries(
        transaction,
        [
            new_delivery(transaction.now, {"id": each.id, "code": each.code}, facility["code"], to)
            for each in made
            for to in destinations
        ],
    )
    await transaction.prepare()
    return made


async def published(store: Store, wanted: Camera) -> CameraV1:
    async with store.read_transaction() as session:
        query = (
            select(OutboxRow).where(OutboxRow.subject == subjects.inventory("camera", wanted.id)).order_by(OutboxRow.id)
        )
        row = (await session.scalars(query)).all()[-1]
    data = decode(row.body).data
    assert isinstance(data, CameraV1)
    return data


async def test_others_write_while_a_long_write_works(province: Any, store: Store) -> None:
    await province.destination()
    facility = await province.facility()
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        made = await add_cameras(transaction, facility, 300)
        began = time.monotonic()
        assert (await province.change(f"/v1/facilities/{facility['id']}", json={"beds": 7})).status_code == 200
        assert (await province.client.post("/v1/agencies", json={"code": "N", "name": "n", "role": "lead"})).is_success
        assert time.monotonic() - began < LONGEST_WAIT_S
        shown = await province.client.get("/v1/cameras", params={"total": "true"})
        assert shown.json()["total"] == 0
    assert (await province.client.get("/v1/cameras", params={"total": "true"})).json()["total"] == 300
    assert (await published(store, made[-1])).deliveries


async def test_a_facility_closed_meanwhile_is_in_the_messages(province: Any, store: Store) -> None:
    await province.destination()
    facility = await province.facility()
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        made = await add_cameras(transaction, facility, 5)
        closed = await province.change(f"/v1/facilities/{facility['id']}", json={"status": "closed"})
        assert closed.status_code == 200
    for each in made:
        assert (await published(store, each)).facility_status is FacilityStatus.CLOSED
    async with store.read_transaction() as session:
        subject = subjects.inventory("camera", made[0].id)
        sent = await session.scalar(select(func.count()).where(OutboxRow.subject == subject))
    assert sent == 1, "what was composed before the facility closed is taken out again"


async def test_messages_and_log_are_written_before_it_queues(province: Any, store: Store) -> None:
    await province.destination()
    facility = await province.facility()
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        made = await add_cameras(transaction, facility, 5)
        wanted = {subjects.inventory("camera", each.id) for each in made}
        assert wanted < set(await transaction.session.scalars(select(OutboxRow.subject)))
        lines = select(func.count()).where(Change.request_id == "r-1", Change.noun == "camera")
        assert await transaction.session.scalar(lines) == 5
        assert (await province.client.get("/v1/changes", params={"request_id": "r-1"})).json()["items"] == []


async def test_a_change_that_was_made_ready_is_dated_by_its_log(province: Any, store: Store) -> None:
    camera = await province.camera()
    columns = ["name", "revision", "changed_at"]
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        ready = transaction.now
        staged = StagedUpdates(transaction.session, Camera, columns, ready)
        await staged.add([(camera["id"], "Tên mới", 2, ready)])
        between = await province.agency()
        await transaction.enter_queue()
        assert await staged.write(transaction.now) == {}
        assert transaction.now > datetime.fromisoformat(between["changed_at"]) > ready
        later = transaction.session
        assert await later.scalar(text("select current_setting('vonggac.now')")) == transaction.now.isoformat()
    one = f"/v1/cameras/{camera['id']}"
    for instant, name in ((ready, "Tên mới"), (ready - timedelta(microseconds=1), camera["name"])):
        shown = await province.client.get(one, params={"as_of": instant.isoformat()})
        assert shown.json()["name"] == name


async def test_changes_are_written_before_it_queues_and_hold_up_nobody_else(province: Any, store: Store) -> None:
    camera = await province.camera()
    columns = ["name", "revision", "changed_at"]
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        staged = StagedUpdates(transaction.session, Camera, columns, transaction.now)
        await staged.add([(camera["id"], "Tên mới", 2, transaction.now)])
        assert await staged.write(transaction.now) == {}
        await province.agency()
        busy = await province.change(f"/v1/cameras/{camera['id']}", json={"name": "Khác"})
        assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json()["name"] == "Tên mới"


async def test_a_row_that_somebody_wrote_since_it_was_read_stays_and_is_named(province: Any, store: Store) -> None:
    camera = await province.camera()
    columns = ["name", "revision", "changed_at"]
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        gone = str(uuid4())
        staged = StagedUpdates(transaction.session, Camera, columns, transaction.now)
        await staged.add([(one, "Tên mới", 2, transaction.now) for one in (camera["id"], gone)])
        await province.change(f"/v1/cameras/{camera['id']}", json={"name": "Nhanh hơn"})
        left = await staged.write(transaction.now)
        assert {str(one): revision for one, revision in left.items()} == {camera["id"]: 2, gone: None}
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json()["name"] == "Nhanh hơn"


async def test_a_destination_changed_meanwhile_sends_it_back(province: Any, store: Store) -> None:
    destination = await province.destination()
    facility = await province.facility()

    async def overtaken() -> None:
        async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
            await add_cameras(transaction, facility, 5)
            await province.change(f"/v1/destinations/{destination['id']}", json={"name": "Mới"})

    with pytest.raises(ProblemError) as refused:
        await overtaken()
    assert (refused.value.problem.status, refused.value.problem.code) == (503, "overtaken")
    assert (await province.client.get("/v1/cameras")).json()["items"] == []


async def test_a_code_that_a_long_write_holds_is_busy_for_a_moment_and_nobody_waits_longer(
    province: Any, store: Store
) -> None:
    facility = await province.facility()
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        await add_cameras(transaction, facility, 5)
        began = time.monotonic()
        body = {"code": "L-00001", "name": "n", "facility_id": facility["id"], "url": "rtsp://10.1.1.1/1"}
        refused = await province.client.post("/v1/cameras", json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert time.monotonic() - began < 2 * LONGEST_WAIT_S
    assert (await province.client.post("/v1/cameras", json=body)).status_code == 409


async def test_pages_begun_during_a_long_write_never_show_half_of_it(province: Any, store: Store) -> None:
    facility = await province.facility()
    for number in range(3):
        await province.camera(facility_id=facility["id"], code=f"K-{number}")
    async with store.long_write_transaction(Actor("lead", "r-1")) as transaction:
        await add_cameras(transaction, facility, 5)
        await province.agency()
        first = (await province.client.get("/v1/cameras", params={"limit": 2})).json()
    query = {"limit": 2, "cursor": first["next"]}
    second = (await province.client.get("/v1/cameras", params=query)).json()
    assert [each["code"] for each in first["items"] + second["items"]] == ["K-0", "K-1", "K-2"]
    assert second["next"] is None
