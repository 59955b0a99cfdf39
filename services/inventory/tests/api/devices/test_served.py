"""Centres that pull: their account and password, what their engineer types in, and what workers receive."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from inventory.domain.devices.serving import PASSWORD_LETTERS
from inventory.settings import Settings
from vonggac.auth import Role, SecretMovedError, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import Database
from vonggac.events import decode, subjects
from vonggac.events.inventory import CameraV1, DestinationV1, PlannedDelivery, ServedTls
from vonggac.testing import eventually

PULLED = {
    "code": "BO-Y-TE",
    "name": "Trung tâm điều hành Bộ Y tế",
    "role": "national",
    "mode": "serve",
    "serving": {"source_networks": ["10.9.0.0/24"], "responsible": "Phòng Vận hành"},
}
URL = "served://BO-Y-TE/{camera_code}"


async def refusal(province: Any, **given: Any) -> tuple[int, list[str]]:
    answer = await province.client.post("/v1/destinations", json=PULLED | given)
    found = answer.json()
    assert all(each["message_vi"] for each in found.get("errors", ())), found
    return answer.status_code, [each["field"] for each in found.get("errors", ())]


async def latest(bus: Bus, noun: str, thing_id: str, revision: int = 1) -> Any:
    """The data of its message, once it has this revision."""

    async def found() -> Any:
        subject = subjects.inventory(noun, thing_id)
        if not (await bus.js.stream_info(topology.INVENTORY, subjects_filter=subject)).state.subjects:
            return None
        data = decode((await bus.js.get_last_msg(topology.INVENTORY, subject)).data or b"").data
        return data if getattr(data, "revision", 0) >= revision else None

    return await eventually(found)


async def planned(bus: Bus, camera_id: str, revision: int = 1) -> PlannedDelivery:
    camera = await latest(bus, "camera", camera_id, revision)
    assert isinstance(camera, CameraV1)
    return camera.deliveries[0]


async def test_a_centre_that_pulls_gets_account_and_password_once(
    province: Any, inventory_url: str, keys_folder: Path
) -> None:
    sent = {"Idempotency-Key": '"once"'}
    made = await province.client.post("/v1/destinations", json=PULLED, headers=sent)
    assert made.status_code == 201, made.text
    body = made.json()
    password = body["password"]
    assert len(password) == 20
    assert set(password) <= set(PASSWORD_LETTERS)
    assert (body["account"], body["url_template"], made.headers["cache-control"]) == ("bo-y-te", URL, "no-store")
    again = await province.client.post("/v1/destinations", json=PULLED, headers=sent)
    assert (again.status_code, again.json() | {"password": password}) == (201, body)
    assert "password" not in again.json()
    one = f"/v1/destinations/{body['id']}"
    paths = (one, f"{one}/history", "/v1/destinations", "/v1/changes", "/v1/exports/destinations.csv", "/metrics")
    everything = [(await province.client.get(path)).text for path in paths]
    database = Database(inventory_url)
    async with database.transaction() as session:
        tables = (await session.scalars(text("select tablename from pg_tables where schemaname = 'public'"))).all()
        for table in tables:
            everything += await session.scalars(text(f'select t::text from "{table}" t'))  # noqa: S608 # names of ours
        kept = "select convert_from(body, 'UTF8') from "
        for table in ("outbox", "idempotency_keys"):
            everything += await session.scalars(text(kept + table))
        box = (await session.scalars(text("select sealed_secret from destinations"))).one()
    await database.close()
    assert not [each for each in everything if password in each]
    unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    assert unsealer.unseal(box, "served://BO-Y-TE/C1").password == password
    with pytest.raises(SecretMovedError):
        unsealer.unseal(box, "served://BO-Y-TE2/C1")


async def test_cameras_are_planned_without_an_address_from_anybody(province: Any, bus: Bus, keys_folder: Path) -> None:
    made = await province.post("/v1/destinations", PULLED)
    camera = await province.forwarded_camera()
    assert camera["deliveries"][0]["url"] == f"served://BO-Y-TE/{camera['code']}"
    delivery = await planned(bus, camera["id"])
    assert (delivery.url, delivery.serving is not None) == (f"served://BO-Y-TE/{camera['code']}", True)
    serving = delivery.serving
    assert serving is not None
    assert (serving.account, serving.source_networks, serving.anywhere) == ("bo-y-te", ("10.9.0.0/24",), False)
    assert (serving.tls, serving.sessions_per_camera, serving.responsible) == (ServedTls.REQUIRED, 2, "Phòng Vận hành")
    unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    assert delivery.secret is not None
    assert unsealer.unseal(delivery.secret, delivery.url).password == made["password"]
    shown = await latest(bus, "destination", made["id"])
    assert isinstance(shown, DestinationV1)
    assert (shown.mode, shown.responsible) == ("serve", "Phòng Vận hành")


async def test_rotation_makes_a_password_and_the_old_one_works_a_while(
    province: Any, bus: Bus, keys_folder: Path
) -> None:
    made = await province.post("/v1/destinations", PULLED)
    camera = await province.forwarded_camera()
    before = datetime.now(UTC)
    one = f"/v1/destinations/{made['id']}/rotate"
    answer = await province.client.post(one, json={"overlap_hours": 12}, headers={"Idempotency-Key": "a1"})
    assert answer.status_code == 200, answer.text
    rotated = answer.json()
    assert len(rotated["password"]) == 20
    assert rotated["password"] != made["password"]
    until = datetime.fromisoformat(rotated["previous_until"])
    assert timedelta(hours=11.9) < until - before < timedelta(hours=12.1)
    again = await province.client.post(one, json={"overlap_hours": 12}, headers={"Idempotency-Key": "a1"})
    assert again.json() == rotated | {"password": None}
    delivery = await planned(bus, camera["id"], revision=2)
    unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    assert delivery.serving is not None
    assert delivery.serving.previous_secret is not None
    assert unsealer.unseal(delivery.secret or "", delivery.url).password == rotated["password"]
    assert unsealer.unseal(delivery.serving.previous_secret, delivery.url).password == made["password"]
    assert delivery.serving.previous_until == until
    at_once = (await province.client.post(one, json={"overlap_hours": 0})).json()
    assert (at_once["previous_until"], len(at_once["password"])) == (None, 20)
    delivery = await planned(bus, camera["id"], revision=3)
    assert delivery.serving is not None
    assert (delivery.serving.previous_secret, delivery.serving.previous_until) == (None, None)
    for hours in (-1, 169, 1.5, "24"):
        assert (await province.client.post(one, json={"overlap_hours": hours})).status_code == 422
    history = (await province.client.get(f"/v1/destinations/{made['id']}/history")).text
    assert made["password"] not in history
    assert rotated["password"] not in history


async def test_who_pulls_has_no_address_and_who_is_pushed_to_no_account(province: Any) -> None:
    rtsp = "rtsp://10.9.0.1/{camera_code}"
    assert await refusal(province, url_template=rtsp) == (422, ["url_template"])
    assert await refusal(province, serving=None) == (422, ["serving"])
    assert await refusal(province, serving={}) == (422, ["serving.source_networks"])
    assert await refusal(province, enhanced_rtmp=True) == (422, ["enhanced_rtmp"])
    assert await refusal(province, account="Bộ Y tế") == (422, ["account"])
    assert await refusal(province, mode="push", url_template=rtsp) == (422, ["serving"])
    assert await refusal(province, mode="push", url_template=rtsp, serving=None, account="a") == (422, ["account"])
    assert await refusal(province, mode="push", serving=None) == (422, ["url_template"])
    wrong = {"source_networks": ["10.9.0.5/24", "0.0.0.0/0"], "sessions_per_camera": 9}
    status, fields = await refusal(province, serving=wrong)
    assert (status, set(fields)) == (
        422, {"serving.source_networks.0", "serving.source_networks.1", "serving.sessions_per_camera"},
    )  # fmt: skip
    pushed = await province.destination()
    pushed_to = f"/v1/destinations/{pushed['id']}"
    assert (await province.client.post(f"{pushed_to}/rotate")).json()["code"] == "not_served"
    assert (await province.client.get(f"{pushed_to}/addresses")).json()["code"] == "not_served"
    assert (await province.change(pushed_to, json={"serving": PULLED["serving"]})).status_code == 422
    assert (await province.change(pushed_to, json={"url_template": None})).status_code == 422
    assert (await province.change(pushed_to, json={"mode": "serve"})).status_code == 422


async def test_what_the_centre_has_typed_in_stays_and_the_rest_changes_part_by_part(province: Any) -> None:
    made = await province.post("/v1/destinations", PULLED)
    one = f"/v1/destinations/{made['id']}"
    changed = await province.change(one, json={"serving": {"sessions_per_camera": 3}, "name": "Bộ Y tế"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["serving"] == made["serving"] | {"sessions_per_camera": 3}
    again = {name: changed.json()[name] for name in ("code", "name", "url_template", "serving")}
    assert (await province.change(one, json=again)).status_code == 200
    for patch in (
        {"code": "BYT"}, {"account": "other"}, {"serving": None}, {"url_template": "rtsp://10.9.0.1/{camera_code}"},
        {"serving": {"tls": "none", "source_networks": ["203.0.113.0/24"]}},
    ):  # fmt: skip
        answer = await province.change(one, json=patch)
        assert answer.status_code == 422, (patch, answer.text)
    login = {"username": "a", "password": "b"}
    assert (await province.put(f"{one}/secret", json=login)).json()["code"] == "made_here"
    assert (await province.remove(f"{one}/secret")).json()["code"] == "made_here"
    assert (await province.change(one, json={"serving": {"responsible": None}})).json()["serving"][
        "responsible"
    ] is None


async def test_two_centres_never_share_an_account(province: Any) -> None:
    await province.post("/v1/destinations", PULLED)
    other = PULLED | {"code": "OTHER", "account": "bo-y-te"}
    answer = await province.client.post("/v1/destinations", json=other)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "account")
    assert answer.json()["errors"][0]["message_vi"]
    header = "code,name,role,mode,account,source_networks\n"
    rows = "A1,A,national,serve,chung,10.9.0.0/24\nA2,A,national,serve,chung,10.9.0.0/24\n"
    kind = {"content-type": "text/csv"}
    imported = await province.client.post("/v1/imports/destinations", content=header + rows, headers=kind)
    assert imported.status_code in {409, 422}, imported.text


async def test_the_centre_s_engineer_gets_addresses_and_no_password(
    start_province: Any, settings: Settings, bus: Bus
) -> None:
    async with start_province(settings) as province:
        made = await province.post("/v1/destinations", PULLED)
        unset = await province.client.get(f"/v1/destinations/{made['id']}/addresses")
        assert (unset.status_code, unset.json()["code"]) == (409, "no_public_address")
        assert "VONGGAC_INVENTORY_SERVED_ADDRESSES" in unset.json()["detail"]
        assert "VONGGAC_INVENTORY_SERVED_ADDRESSES" in unset.json()["detail_vi"]
    public = ("rtsps://giam-sat.example:322", "rtsp://giam-sat.example:8554")
    async with start_province(settings.model_copy(update={"served_addresses": public})) as province:
        camera = await province.camera(name="=Cổng; chính")
        await province.camera()
        path = f"/v1/destinations/{made['id']}/addresses"
        page = (await province.client.get(path, params={"limit": 1})).json()
        assert len(page["items"]) == 1
        whole = (await province.client.get(path)).json()["items"]
        assert len(whole) == 2
        row = next(each for each in whole if each["camera_id"] == camera["id"])
        assert row["address"] == f"rtsps://giam-sat.example:322/BO-Y-TE/{camera['code']}"
        assert (row["plain_address"], row["transports"], row["user_name"]) == (None, ["tcp"], "bo-y-te")
        answer = await province.client.get(path, params={"format": "csv"})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [each["address"] for each in rows] == sorted(each["address"] for each in whole)
        assert not any(each["camera_name"].startswith("=") for each in rows)
        vietnamese = (await province.client.get(path, params={"format": "csv", "dialect": "excel-vi"})).text
        assert vietnamese.startswith("\ufeffMã camera;")
        assert made["password"] not in answer.text + vietnamese
        await province.change(
            f"/v1/destinations/{made['id']}", json={"serving": {"tls": "offered", "transports": ["tcp", "udp"]}}
        )
        row = (await province.client.get(path)).json()["items"][0]
        assert row["plain_address"] == row["address"].replace("rtsps", "rtsp").replace("322", "8554")
        await province.change(f"/v1/destinations/{made['id']}", json={"serving": {"tls": "none"}})
        row = (await province.client.get(path)).json()["items"][0]
        assert row["address"].startswith("rtsp://giam-sat.example:8554/")


async def test_who_may_not_write_secrets_adds_and_rotates_no_centre_that_pulls(
    province: Any, token_for: Callable[..., str]
) -> None:
    made = await province.post("/v1/destinations", PULLED)
    reader = {"Authorization": f"Bearer {token_for(Role.READER)}"}
    one = f"/v1/destinations/{made['id']}"
    assert (await province.client.post(f"{one}/rotate", headers=reader)).status_code == 403
    assert (await province.client.post("/v1/destinations", json=PULLED, headers=reader)).status_code == 403
    assert (await province.client.get(f"{one}/addresses", headers=reader)).status_code == 409
