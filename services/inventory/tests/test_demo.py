"""The demo's register, loaded into a running inventory: the letter's directives and obligations of 10/5/2021."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
from asgi_lifespan import LifespanManager
from sqlalchemy import NullPool, create_engine, text

from inventory.app import create_app
from local.apis.inventory import InventoryApi
from local.demo import mandate
from local.demo.load import load_register
from local.demo.surveys import load_surveys
from vonggac.auth import Role
from vonggac.events.registry import decode
from vonggac.testing import eventually

if TYPE_CHECKING:
    from inventory.settings import Settings
    from vonggac.bus import Bus

NIGHT = "2021-05-10T00:00:00+07:00"


async def test_the_letter_loads_with_its_chain_its_obligations_and_its_events(
    settings: Settings, token_for: Callable[[Role], str], bus: Bus
) -> None:
    app, token = create_app(settings), token_for(Role.PROVINCE_LEAD)
    async with LifespanManager(app, startup_timeout=30, shutdown_timeout=30):
        await eventually(app.state.services.store.is_dated)
        transport = httpx.ASGITransport(app=app)
        approver = token_for(Role.DECIDER)
        async with InventoryApi("http://inventory", token, approver=approver, transport=transport) as inventory:
            await load_register(inventory)
            counts = {noun: len(await inventory.all(noun.replace("_", "-"))) for noun in mandate.NOUNS}
            await load_register(inventory)
            assert {noun: len(await inventory.all(noun.replace("_", "-"))) for noun in mandate.NOUNS} == counts
            directives = {one["code"]: one for one in await inventory.all("directives")}
            for code, role in (("D1", "national"), ("D2", "provincial")):
                centre = {"code": code, "name": code, "role": role, "url_template": "rtsp://127.0.0.1/{camera_code}"}
                await inventory.add("destinations", centre)
            await load_surveys(inventory)
            plans = await inventory.all("connection-plans")
            agencies = {one["id"]: one["name"] for one in await inventory.all("agencies")}
            assigned = [agencies[one["agency_id"]] for one in await inventory.all("operator-assignments")]
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://inventory", headers=headers) as client:
            letter = directives["1742-UBND-VX-2021"]["id"]
            chain = (await client.get(f"/v1/directives/{letter}/chain")).json()["items"]
            due = (await client.get("/v1/due-obligations", params={"at": NIGHT, "due_state": "overdue"})).json()[
                "items"
            ]
            blocked = (await client.get("/v1/blocked-reasons")).json()["items"]
            now = (await client.get("/v1/due-obligations", params={"soon_days": 6})).json()["items"]
    assert [one["number"] for one in chain] == ["1742/UBND-VX", "1407/BTTTT-CVT", "597/CĐ-BCĐ"]
    assert {one["code"] for one in due} == {"NV-1742-A", "NV-1742-B"}
    of_now = {one["kind"]: one["due_state"] for one in now if one["code"].startswith("NV-2150")}
    assert of_now == {
        "focal_point": "overdue", "survey_and_plan": "due_soon", "proposal": "due_soon", "connection": "due_soon",
        "coverage": "open",
    }, "the demo tells a story of now"  # fmt: skip
    assert [one["kind"] for one in blocked] == ["security_lock"]
    assert assigned == ["Viettel Quảng Trị"]
    given = [(agencies[one["agency_id"]], one["given_by"]) for plan in plans for one in plan["consents"]]
    assert given
    assert [name for name, by in given if name not in by] == [], "nobody speaks for another agency"
    assert published(settings) >= {f"vn.vonggac.inventory.{noun.removesuffix('s')}.v1" for noun in mandate.NOUNS}


def published(settings: Settings) -> set[str]:
    """Types of what the outbox holds; every message of it is read as its readers do."""
    engine = create_engine(settings.database_url.get_secret_value(), poolclass=NullPool)
    with engine.begin() as connection:
        bodies: list[Any] = [row.body for row in connection.execute(text("select body from outbox"))]
    engine.dispose()
    return {decode(bytes(body)).type for body in bodies}
