"""How many observations a second one process takes in while it is asked for reports all the time."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from bench.records.reporting_ingest import drain, fill
from reporting.app import create_app
from reporting.ingest.handlers import Ingest
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import token_issuer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import Database

ROUNDS, DOWN_SHARE = 2, 0.01


async def ingest_rate(settings: Settings, keys: Path, cameras: int) -> int:
    """Observations stored in the stream before, then consumed to the last acknowledgement."""
    bus = await Bus.connect(settings, name="bench")
    database = Database(settings.database_url.get_secret_value())
    try:
        await topology.declare(bus.js)
        count = await fill(bus, [uuid4() for _ in range(cameras)], ROUNDS, DOWN_SHARE, 0.0)
        asking = asyncio.create_task(_make_reports(settings, keys))
        started = time.perf_counter()
        await drain(bus, Ingest(database, settings), settings)
        passed = time.perf_counter() - started
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        return round(count / passed)
    finally:
        await database.close()
        await bus.close()


async def _make_reports(settings: Settings, keys: Path) -> None:
    """One report after the other, in the same process."""
    issued = token_issuer(keys).issue(subject="bench", roles=frozenset({Role.AUTHORITY}), valid_for=timedelta(hours=4))
    transport = httpx.ASGITransport(app=create_app(settings))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://reporting", headers={"Authorization": f"Bearer {issued}"}, timeout=900
    ) as client:
        while True:
            answer = await client.get("/v1/overview")
            assert answer.status_code == 200, answer.text
