"""Reporting in an outage of NATS: reports of what is in the tables, and says that nothing new comes."""

import asyncio
from typing import Any

import pytest

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.testing import eventually

pytestmark = pytest.mark.server


async def readiness(client: Any) -> tuple[int, dict[str, Any]]:
    answer = await client.get("/readyz")
    return answer.status_code, answer.json()


async def test_not_ready_is_no_reporting_while_nats_is_away(client: Any, nats_server: NatsServer, bus: Bus) -> None:
    async def feeding() -> bool:
        return bool((await readiness(client))[1]["status"] == "ready")

    await eventually(feeding)
    await asyncio.to_thread(nats_server.stop)
    try:

        async def degraded() -> bool:
            code, body = await readiness(client)
            return code == 200 and "nats" in body.get("degradations", {})

        # At its start it waits for NATS some seconds.
        await eventually(degraded, within_s=30, what="the outage in /readyz")
        assert (await client.get("/v1/overview")).status_code == 200
    finally:
        await asyncio.to_thread(nats_server.start)
    await eventually(lambda: bus.connected)


async def test_not_ready_is_reporting_while_streams_are_gone(client: Any, bus: Bus) -> None:
    async def feeding() -> bool:
        return bool((await readiness(client))[1]["status"] == "ready")

    await eventually(feeding)
    await bus.js.delete_stream(topology.OBSERVATIONS)

    async def named() -> bool:
        code, body = await readiness(client)
        return code == 503 and topology.OBSERVATIONS in body["failures"].get("bus", "")

    await eventually(named, what="the stream in /readyz")
    await topology.declare(bus.js)
    await eventually(feeding, within_s=20)
