"""The whole service in this process, asked over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from forwarder.app import create_app
from forwarder.relay.service import Process
from forwarder.settings import Settings
from simulator import Simulator
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.embedded import NatsServer
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually
from vonggac.testing.fixtures import login_of

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner


type StartService = Callable[[], Awaitable[FastAPI]]
type AskService = Callable[[FastAPI], Awaitable[httpx.AsyncClient]]


@pytest_asyncio.fixture
async def start_service(bus: Bus, nats_server: NatsServer, keys_folder: Path) -> AsyncIterator[StartService]:
    """Start the whole service once more; all end with the test."""
    assert bus.connected
    settings = Settings(
        **login_of(nats_server, "forwarder"),
        workers_private_key_file=keys_folder / WORKERS_PRIVATE,
        jwks_file=keys_folder / JWKS,
        allowed_networks=("127.0.0.0/8",),
    )
    async with AsyncExitStack() as stack:

        async def start() -> FastAPI:
            app = create_app(settings, on_death=_fail)
            await stack.enter_async_context(LifespanManager(app, startup_timeout=10, shutdown_timeout=30))
            return app

        yield start


@pytest_asyncio.fixture
async def service(start_service: StartService) -> FastAPI:
    """The running service."""
    return await start_service()


@pytest.fixture
def process(service: FastAPI) -> Process:
    """What runs beside the API."""
    running: Process = service.state.process
    return running


@pytest_asyncio.fixture
async def ask_service(token_for: Callable[[Role], str]) -> AsyncIterator[AskService]:
    """A client of a service, as a reader, as soon as that is ready."""
    async with AsyncExitStack() as stack:

        async def ask(service: FastAPI) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=service)
            headers = {"Authorization": f"Bearer {token_for(Role.AUTHORITY)}"}
            asked = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://forwarder", headers=headers)
            )
            await eventually(lambda: _is_ready(asked))
            return asked

        yield ask


@pytest_asyncio.fixture
async def client(service: FastAPI, ask_service: AskService) -> httpx.AsyncClient:
    """Asks as a reader."""
    return await ask_service(service)


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
        answer = await client.get("/v1/deliveries", params={"state": "acknowledged", "total": True})
        return bool(answer.json()["total"] == 2)

    await eventually(both, within_s=15)
    return planned


@pytest.fixture
def operator(token_for: Callable[[Role], str]) -> dict[str, str]:
    """Headers of one who may give orders."""
    return {"Authorization": f"Bearer {token_for(Role.OPERATOR)}"}
