"""An import, and taking one back, work beside other writers: these wait for its last moments alone."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
import xlsxwriter
from sqlalchemy import Engine, select, text

from inventory.storage.change_log import Actor
from inventory.storage.store import Store, WriteTransaction
from inventory.storage.tables import Agency, Change, Team
from vonggac.database import Database
from vonggac.testing import eventually

OTHER = Actor("other", "r-other")
WRITTEN = text(
    "select distinct c.relname from pg_locks q join pg_locks w on w.pid = q.pid join pg_class c on c.oid = w.relation "
    "where q.locktype = 'advisory' and not q.granted and w.mode = 'RowExclusiveLock' "
    "and q.database = (select oid from pg_database where datname = current_database())"
)
"""The tables that those have written who wait in the queue."""
CAMERAS = "code,name,facility_code,url\nCAM-1,{0},KCL-1,rtsp://10.1.1.1/1\nCAM-2,{0},KCL-1,rtsp://10.1.1.2/1\n"
NEW_CAMERAS = CAMERAS.format("Sân").replace("CAM", "XAM").replace("10.1", "10.2")
FACILITIES = "code,name,type,unit_code,managing_agency_code\nKCL-1,{0},school,468,SYT\nKCL-2,{0},school,468,SYT\n"


@pytest_asyncio.fixture
async def store(inventory_url: str) -> AsyncIterator[Store]:
    database = Database(inventory_url)
    yield Store(database, on_commit=lambda: None, write_wait_s=10)
    await database.close()


@pytest_asyncio.fixture
async def ready(province: Any) -> Any:
    await province.unit(code="468")
    await province.agency(code="SYT")
    await province.destination()
    assert (await send(province, "facilities", FACILITIES.format("Trường"))).status_code == 200
    assert (await send(province, "cameras", CAMERAS.format("Cổng"))).status_code == 200
    return province


async def send(province: Any, path: str, body: str | bytes) -> Any:
    headers = {"content-type": "application/octet-stream"}
    content = body if isinstance(body, bytes) else body.encode()
    return await province.client.post(f"/v1/imports/{path}", content=content, headers=headers)


def workbook(name: str) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for title, body in (("Cơ sở cách ly", FACILITIES), ("Camera", CAMERAS)):
            sheet = book.add_worksheet(title)
            for number, line in enumerate(body.format(name).splitlines()):
                sheet.write_row(number, 0, line.split(","))
    return buffer.getvalue()


class Queued:
    """A request that waits behind another writer, `transaction`; `written`: the tables that it has written by then."""

    def __init__(self, superuser: Engine, request: Awaitable[Any], transaction: WriteTransaction) -> None:
        self._superuser, self._request, self.transaction = superuser, request, transaction
        self.written: set[str] = set()

    async def begin(self) -> None:
        self._task = asyncio.ensure_future(self._request)
        await eventually(self._is_queued)

    def _is_queued(self) -> bool:
        assert not self._task.done(), self._task.result().text
        with self._superuser.connect() as connection:
            self.written = {*connection.scalars(WRITTEN)}
        return bool(self.written)

    async def answer(self) -> Any:
        done = await self._task
        assert done.status_code == 200, done.text
        return done.json()


async def revert(province: Any, path: str, body: str) -> Any:
    done = await send(province, path, body)
    assert done.status_code == 200, done.text
    return province.client.post(f"/v1/imports/{done.json()['id']}/revert")


@pytest.mark.parametrize(
    ("path", "body", "tables"),
    [
        ("cameras", CAMERAS.format("Cổng mới"), {"cameras", "cameras_history", "changes", "outbox"}),
        ("cameras", NEW_CAMERAS, {"cameras", "deliveries"}),
        ("facilities", FACILITIES.format("Trường mới"), {"facilities"}),
        ("workbook", workbook("Mới"), {"facilities", "cameras"}),
    ],
)
async def test_a_file_is_stored_before_it_queues(
    ready: Any, store: Store, superuser: Engine, path: str, body: str | bytes, tables: set[str]
) -> None:
    async with store.write_transaction(OTHER) as transaction:
        queued = Queued(superuser, send(ready, path, body), transaction)
        await queued.begin()
    assert (await queued.answer())["rows"] in {2, 4}
    assert queued.written >= tables


@pytest.mark.parametrize("body", [CAMERAS.format("Mới"), NEW_CAMERAS])
async def test_an_import_is_taken_back_before_it_queues(ready: Any, store: Store, superuser: Engine, body: str) -> None:
    request = await revert(ready, "cameras", body)
    async with store.write_transaction(OTHER) as transaction:
        queued = Queued(superuser, request, transaction)
        await queued.begin()
    back = await queued.answer()
    assert (back["removed"] + back["restored"], back["left"]) == (2, [])
    assert queued.written >= {"cameras", "cameras_history", "changes", "outbox"}
    names = [(each["code"], each["name"]) for each in (await ready.client.get("/v1/cameras")).json()["items"]]
    assert names == [("CAM-1", "Cổng"), ("CAM-2", "Cổng")]


async def lines_of(store: Store, request_id: str) -> list[int]:
    """The numbers of its lines in the change log, in the order in which they were written."""
    async with store.read_transaction() as session:
        return [*await session.scalars(select(Change.id).where(Change.request_id == request_id).order_by(Change.id))]


@asynccontextmanager
async def changed_facilities_queued(
    ready: Any, store: Store, superuser: Engine
) -> AsyncIterator[tuple[Queued, WriteTransaction, UUID]]:
    """A file of facilities that waits behind another writer, whose transaction is open; and the id of their agency."""
    async with store.write_transaction(OTHER) as transaction:
        queued = Queued(superuser, send(ready, "facilities", FACILITIES.format("Trường mới")), transaction)
        await queued.begin()
        (agency,) = (await ready.client.get("/v1/agencies", params={"code": "SYT"})).json()["items"]
        yield queued, transaction, UUID(agency["id"])


async def test_what_others_wrote_of_the_same_matter_has_it_done_anew_once(
    ready: Any, store: Store, superuser: Engine
) -> None:
    async with changed_facilities_queued(ready, store, superuser) as (queued, transaction, agency_id):
        await transaction.change_thing(await transaction.get_thing(Agency, agency_id), {"name": "Sở mới"})
    done = await queued.answer()
    assert (done["updated"], done["rows"]) == (2, 2)
    stored, others = await lines_of(store, done["id"]), await lines_of(store, "r-other")
    assert (len(stored), len(others)) == (2, 1)
    assert min(stored) > max(others)


async def test_what_others_wrote_of_another_matter_is_no_reason_to_do_it_anew(
    ready: Any, store: Store, superuser: Engine
) -> None:
    async with changed_facilities_queued(ready, store, superuser) as (queued, transaction, agency_id):
        await transaction.add_thing(Team(code="TO-1", name="Tổ 1", agency_id=agency_id))
    done = await queued.answer()
    assert done["updated"] == 2
    assert max(await lines_of(store, done["id"])) < min(await lines_of(store, "r-other"))
