"""The demo's surveys, plans and proposal, loaded into a running inventory: every camera is forwarded, and says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
from asgi_lifespan import LifespanManager

from inventory.app import create_app
from local.apis.inventory import InventoryApi
from local.demo import content
from local.demo.load import load_register
from local.demo.surveys import load_surveys
from vonggac.auth import Role
from vonggac.testing import eventually

if TYPE_CHECKING:
    from inventory.settings import Settings
    from vonggac.bus import Bus

NOUNS = ("surveys", "connection-plans", "plan-exceptions", "installation-proposals")


async def load_cameras(inventory: InventoryApi) -> None:
    """The demo's centres and cameras, at addresses that nobody answers."""
    centres = [
        {
            "code": one.code,
            "name": one.name,
            "role": one.role,
            "url_template": f"rtsp://10.9.0.1/{one.code}/{{camera_code}}",
        }
        for one in content.destinations()
    ]
    await inventory.ensure("destinations", centres)
    rows = [
        {name: row[name] for name in ("code", "name", "facility_code", "area")}
        | {"url": f"rtsp://10.1.1.{number}/stream1"}
        for number, row in enumerate(content.rows("cameras"), start=1)
    ]
    await inventory.import_csv("cameras", content.as_csv(rows))


async def states(inventory: InventoryApi) -> dict[str, list[Any]]:
    return {noun: sorted(one.get("status", "") for one in await inventory.all(noun)) for noun in NOUNS}


async def test_the_demo_has_surveys_plans_an_exception_and_a_proposal(
    settings: Settings, token_for: Callable[[Role], str], bus: Bus
) -> None:
    app, token = create_app(settings), token_for(Role.PROVINCE_LEAD)
    async with LifespanManager(app, startup_timeout=30, shutdown_timeout=30):
        await eventually(app.state.services.store.is_dated)
        transport = httpx.ASGITransport(app=app)
        approver = token_for(Role.DECIDER)
        async with InventoryApi("http://inventory", token, approver=approver, transport=transport) as inventory:
            await load_register(inventory)
            await load_cameras(inventory)
            await load_surveys(inventory)
            loaded = await states(inventory)
            await load_surveys(inventory)
            assert await states(inventory) == loaded
            facilities = [one["id"] for one in await inventory.all("facilities")]
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://inventory", headers=headers) as client:
            answers = [(await client.get(f"/v1/facilities/{one}/connections")).json()["items"] for one in facilities]
    assert loaded["surveys"] == [*["approved"] * 8, "scheduled", "submitted"]
    assert loaded["connection-plans"] == ["agreed"] * 7
    assert (len(loaded["plan-exceptions"]), loaded["installation-proposals"]) == (1, ["submitted"])
    connections = [one for items in answers for one in items]
    assert len(connections) == 2 * len(content.camera_codes())
    assert all(one["forwarded"] for one in connections)
    assert {one["camera_code"] for one in connections if one["plan"] != "agreed"} == {"QT-11-C01"}
