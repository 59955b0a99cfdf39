"""The whole service in this process, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from forwarder.app import create_app
from forwarder.relay.process import Process
from forwarder.settings import Settings
from simulator import Simulator
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.embedded import NatsServer
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner


@pytest_asyncio.fixture
async def service(bus: Bus, nats_server: NatsServer, keys_folder: Path) -> AsyncIterator[FastAPI]:
    """The running service."""
    assert bus.connected
    settings = Settings(
        nats_url=nats_server.url,
        workers_private_key_file=keys_folder / WORKERS_PRIVATE,
        jwks_file=keys_folder / JWKS,
        allowed_networks=("127.0.0.0/8",),
    )
    app = create_app(settings, on_death=_fail)
    async with LifespanManager(app, startup_timeout=10, shutdown_timeout=30):
        yield app


@pytest.fixture
def process(service: FastAPI) -> Process:
    """What runs beside the API."""
    running: Process = service.state.process
    return running


@pytest_asyncio.fixture
async def client(service: FastAPI, token_for: Callable[[Role], str]) -> AsyncIterator[httpx.AsyncClient]:
    """Asks as a reader."""
    transport = httpx.ASGITransport(app=service)
    headers = {"Authorization": f"Bearer {token_for(Role.READER)}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://forwarder", headers=headers) as asked:
        await eventually(lambda: _is_ready(asked))
        yield asked


def _fail() -> None:
    pytest.fail("the forwarder died")


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == httpx.codes.OK


@pytest_asyncio.fixture
async def camera(client: httpx.AsyncClient, bus: Bus, sim: Simulator, planner: Planner) -> CameraV1:
    """A camera that both centres acknowledge."""
    planned = planner.camera(sim)
    event = new_event(planned, source="/inventory", subject=str(planned.id), time=planned.changed_at)
    await bus.js.publish(subjects.inventory("camera", planned.id), event.encode())

    async def both() -> bool:
        answer = await client.get("/v1/deliveries", params={"state": "acknowledged"})
        return bool(answer.json()["total"] == 2)

    await eventually(both, within_s=15)
    return planned


@pytest.fixture
def operator(token_for: Callable[[Role], str]) -> dict[str, str]:
    """Headers of one who may give orders."""
    return {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
