"""A forwarder in an outage of NATS: ready while it holds live media."""

import asyncio
from typing import Any

import httpx
import pytest

from vonggac.bus import Bus
from vonggac.embedded import NatsServer
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

pytestmark = pytest.mark.server


async def readiness(client: httpx.AsyncClient, *, degraded: str) -> dict[str, Any]:
    """What `/readyz` says once it names that check."""

    async def said() -> dict[str, Any] | None:
        answer = await client.get("/readyz")
        body: dict[str, Any] = answer.json()
        return {**body, "code": answer.status_code} if degraded in body.get("degradations", {}) else None

    found = await eventually(said, within_s=20, what="the outage in /readyz")
    assert found is not None
    return found


async def test_not_ready_is_no_forwarder_that_holds_live_media_while_nats_is_away(
    client: httpx.AsyncClient, camera: CameraV1, nats_server: NatsServer, bus: Bus
) -> None:
    assert camera.deliveries
    await asyncio.to_thread(nats_server.stop)
    try:
        found = await readiness(client, degraded="nats")
        assert (found["code"], found["status"], found["failures"]) == (200, "degraded", {})
        assert found["degradations"]["nats"] == "NATS is not connected"
    finally:
        await asyncio.to_thread(nats_server.start)
    await eventually(lambda: bus.connected)


async def test_not_ready_is_a_forwarder_that_holds_nothing_while_nats_is_away(
    client: httpx.AsyncClient, nats_server: NatsServer, bus: Bus
) -> None:
    await asyncio.to_thread(nats_server.stop)
    try:
        found = await readiness(client, degraded="nats")
        assert (found["code"], found["failures"]) == (503, {"work": "NATS is not connected"})
    finally:
        await asyncio.to_thread(nats_server.start)
    await eventually(lambda: bus.connected)
