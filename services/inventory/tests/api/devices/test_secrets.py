"""Credentials go in and never come out: not in answers, the database, the outbox, the change log or the logs."""

import io
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from inventory.settings import Settings
from vonggac.auth import Role, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import configure_logging
from vonggac.testing import eventually

SECRETS = (
    "Matkhau-trong-url",
    "Matkhau-ghi-sau",
    "Matkhau-trong-csv",
    "Matkhau-trung-tam",
    "ten-dang-nhap",
    "Matkhau-doc-lai",
)


@pytest_asyncio.fixture
async def logged(logging_left_as_it_was: None) -> AsyncIterator[io.StringIO]:
    """What the service's own handler writes, at the most talkative level."""
    root = logging.getLogger()
    configure_logging(service="inventory", level="debug")
    stream = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream


async def write_every_secret(province: Any) -> list[str]:
    """Every way in, right and wrong; the answers."""
    client = province.client
    login = {"username": SECRETS[4], "password": SECRETS[1]}
    template = f"rtsp://{SECRETS[4]}:{SECRETS[3]}@10.9.9.9/{{camera_code}}"
    destination = await province.destination(url_template=template)
    camera = await province.camera(url=f"rtsp://{SECRETS[4]}:{SECRETS[0]}@10.1.1.1/1")
    one = f"/v1/cameras/{camera['id']}"
    facility = (await client.get("/v1/facilities")).json()["items"][0]["code"]
    header = "code,name,facility_code,url,username,password\n"
    row = f"C-CSV,n,{facility},rtsp://10.1.1.2/1,{SECRETS[4]},{SECRETS[2]}\n"
    bad = f"C-BAD,n,NOWHERE,rtsp://{SECRETS[4]}:{SECRETS[2]}@10.1.1.3/1,{SECRETS[4]},{SECRETS[2]}\n"
    csv = {"content-type": "text/csv"}
    answers = [
        await province.put(f"{one}/secret", json=login),
        await province.put(f"{one}/secret", json=login | {"extra": SECRETS[1]}),
        await province.put(f"{one}/secret", json={"username": "", "password": SECRETS[1]}),
        await province.put(f"{one}/secret", json={"username": SECRETS[4] * 40, "password": SECRETS[1]}),
        await province.put(f"/v1/destinations/{destination['id']}/secret", json=login),
        await province.put(f"/v1/destinations/{destination['id']}/read-back-secret", json=login),
        await province.change(
            f"/v1/destinations/{destination['id']}",
            json={"read_back_url_template": f"rtsp://{SECRETS[4]}:{SECRETS[5]}@10.9.9.9/{{camera_code}}"},
        ),
        await province.change(one, json={"url": f"rtsp://{SECRETS[4]}:{SECRETS[0]}@10.1.1.1/2"}),
        await province.change(one, json={"url": f"rtsp://10.1.1.1/user={SECRETS[4]}&password={SECRETS[0]}"}),
        await province.change(one, json={"url": f"rtsp://{SECRETS[4]}:a/{SECRETS[0]}@10.1.1.1/2"}),
        await client.post("/v1/imports/cameras", content=header + row, headers=csv),
        await client.post("/v1/imports/cameras", content=header + bad, headers=csv),
    ]
    reads = ("/v1/cameras", one, "/v1/destinations", "/v1/changes", "/v1/exports/cameras.csv", "/metrics")
    answers += [await client.get(path) for path in reads]
    assert [answer.status_code for answer in answers] == [
        204,
        422,
        422,
        422,
        204,
        422,
        200,
        200,
        422,
        422,
        200,
        422,
    ] + [200] * 6
    return [str(answer.headers) + answer.text for answer in answers] + [str(camera), str(destination)]


async def dump(url: str) -> str:
    """Every row of every table, as text."""
    database = Database(url)
    async with database.transaction() as session:
        tables = (await session.scalars(text("select tablename from pg_tables where schemaname = 'public'"))).all()
        rows = [
            line
            for table in tables
            for line in await session.scalars(text(f'select t::text from "{table}" t'))  # noqa: S608 - our own names
        ]
        bodies = (await session.scalars(text("select convert_from(body, 'UTF8') from outbox"))).all()
    await database.close()
    return "\n".join([*rows, *bodies])


async def test_no_secret_is_left_anywhere(province: Any, inventory_url: str, bus: Bus, logged: io.StringIO) -> None:
    answers = await write_every_secret(province)
    left = {"answers": "\n".join(answers), "database": await dump(inventory_url), "logs": logged.getvalue()}
    messages = (await bus.js.stream_info(topology.INVENTORY)).state.last_seq
    bodies = [await bus.js.get_msg(topology.INVENTORY, seq=messages)]
    left["bus"] = "\n".join(str(body.data) for body in bodies)
    assert "import_done" in left["logs"]
    found = [(where, secret) for where, text_ in left.items() for secret in SECRETS if secret in text_]
    assert found == []


async def test_a_worker_opens_what_inventory_sealed(province: Any, bus: Bus, keys_folder: Path) -> None:
    camera = await province.camera(url="rtsp://u:a%40b@10.1.1.1/1")

    async def sealed() -> str:
        message = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("camera", camera["id"]))
        data = decode(message.data or b"").data
        assert isinstance(data, CameraV1)
        assert data.secret is not None
        return data.secret

    async def there() -> str | None:
        counted = (
            await bus.js.stream_info(topology.INVENTORY, subjects_filter=subjects.inventory("camera", "*"))
        ).state.subjects
        return await sealed() if counted else None

    opened = Unsealer.from_file(keys_folder / WORKERS_PRIVATE).unseal(str(await eventually(there)), "rtsp://10.1.1.1/2")
    assert (opened.username, opened.password) == ("u", "a@b")


async def test_reads_show_only_that_there_is_a_secret(province: Any) -> None:
    camera = await province.camera()
    one = f"/v1/cameras/{camera['id']}"
    assert (camera["has_secret"], camera["secret_changed_at"]) == (False, None)
    await province.put(f"{one}/secret", json={"username": "u", "password": ""})
    shown = (await province.client.get(one)).json()
    assert shown["has_secret"]
    assert shown["secret_changed_at"] is not None
    await province.remove(f"{one}/secret")
    assert not (await province.client.get(one)).json()["has_secret"]


@pytest.mark.parametrize("url", ["rtsp://10.1.1.1/9", "rtsp://10.1.1.1/1"])
async def test_a_new_path_without_credentials_keeps_the_secret(province: Any, url: str) -> None:
    camera = await province.camera(url="rtsp://u:p@10.1.1.1/1")
    changed = (await province.change(f"/v1/cameras/{camera['id']}", json={"url": url})).json()
    assert (changed["has_secret"], changed["secret_changed_at"]) == (True, camera["secret_changed_at"])


async def test_removing_no_secret_changes_nothing(
    province: Any, settings: Settings, token_for: Callable[[Role], str]
) -> None:
    camera = await province.camera()
    assert (await province.remove(f"/v1/cameras/{camera['id']}/secret")).status_code == 204
    assert (await province.client.get(f"/v1/cameras/{camera['id']}")).json()["revision"] == 1
