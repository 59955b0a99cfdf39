"""One observation through the whole platform: `python -m local round-trip`, the chart's `helm test`.

A camera is added whose address no prober may connect to. Inventory publishes it, a prober judges it, NATS stores what
it found, and reporting must show that. What was added is removed again. For these seconds the report has one camera
more, and its time is `unknown`: no measured percentage changes, the strict one counts these seconds.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from local.apis.inventory import InventoryApi, Json, RefusedError, call
from local.platform.platform import wait_ready
from local.platform.progress import Progress

CODE = "VONGGAC-TEST"
ADDRESS = "rtsp://localhost:9/"
"""Loopback is in no allowed network, unless somebody allows it: then the prober finds the discard port closed."""
READY_WITHIN_S = 120.0
POLL_S = 1.0
TIMEOUT_S = 10.0
REASON = "helm test"


async def round_trip(inventory_url: str, reporting_url: str, token: str, *, within_s: float, progress: Progress) -> int:
    """Exit status 0 when the report shows what a prober saw.

    Raises RefusedError, or ProcessEndedError when a service does not get ready.
    """
    for name, address in (("inventory", inventory_url), ("reporting", reporting_url)):
        await wait_ready(address, within_s=READY_WITHIN_S)
        progress.step(name, f"ready on {address}")
    async with InventoryApi(inventory_url, token) as inventory, _camera(inventory, progress):
        began = time.monotonic()
        seen = await _await_camera(reporting_url, token, within_s=within_s)
        took_s = round(time.monotonic() - began, 1)
    if seen is None:
        progress.line(f"the report has no observation of {CODE} after {within_s:g} s")
        return 1
    progress.line(json.dumps({"camera": CODE, "state": seen["state"], "cause": seen["cause"], "seconds": took_s}))
    return 0


@asynccontextmanager
async def _camera(inventory: InventoryApi, progress: Progress) -> AsyncIterator[None]:
    """Add the test's camera, and remove it at the end with all that was added for it."""
    added: list[tuple[str, str]] = []
    try:
        unit = await _any(inventory, "units", {"code": CODE, "name": CODE, "level": "province"}, added)
        agency = await _any(inventory, "agencies", {"code": CODE, "name": CODE, "role": "peoples_committee"}, added)
        body = {"code": CODE, "name": CODE, "type": "public_building"}
        facility = await _own(inventory, "facilities", body | {"unit_id": unit, "managing_agency_id": agency}, added)
        camera: Json = {"code": CODE, "name": CODE, "facility_id": facility, "url": ADDRESS, "destination_ids": []}
        await _own(inventory, "cameras", camera, added)
        progress.step("camera", f"{CODE} added")
        yield
    finally:
        for noun, thing in reversed(added):
            await inventory.remove(noun, thing, reason=REASON)
        progress.step("camera", "removed")


async def _any(inventory: InventoryApi, noun: str, body: Json, added: list[tuple[str, str]]) -> str:
    """One that stands today, or a new one in an empty register."""
    for thing in await inventory.all(noun):
        if thing.get("valid_to") is None:
            return str(thing["id"])
    return await _own(inventory, noun, body, added)


async def _own(inventory: InventoryApi, noun: str, body: Json, added: list[tuple[str, str]]) -> str:
    """Add a new one, or take over what an interrupted test left; both are removed at the end."""
    for thing in await inventory.all(noun):
        if thing["code"] == CODE:
            added.append((noun, str(thing["id"])))
            return str(thing["id"])
    added.append((noun, str((await inventory.add(noun, body))["id"])))
    return added[-1][1]


async def _await_camera(reporting_url: str, token: str, *, within_s: float) -> Json | None:
    """Wait for the camera in the report, once a probe of it is there; None when the time is over."""
    headers = {"Authorization": f"Bearer {token}"}
    deadline = time.monotonic() + within_s
    async with httpx.AsyncClient(base_url=reporting_url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
        while time.monotonic() < deadline:
            try:
                report = await call(client, "GET", "/v1/compliance", params={"facility": CODE})
            except RefusedError:
                # Reporting does not know the facility yet.
                report = {"cameras": []}
            for camera in report["cameras"]:
                if camera["code"] == CODE and camera["cause"] is not None:
                    return dict(camera)
            await asyncio.sleep(POLL_S)
    return None
