"""A prober's API in this event loop."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest_asyncio
from asgi_lifespan import LifespanManager

from prober.app import create_app
from prober.settings import Settings
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.testing import eventually


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200


@pytest_asyncio.fixture
async def client(
    bus: Bus, settings: Callable[..., Settings], token_for: Callable[[Role], str]
) -> AsyncIterator[httpx.AsyncClient]:
    """A reader's."""
    app = create_app(settings(metrics_per_camera=True))
    headers = {"Authorization": f"Bearer {token_for(Role.AUTHORITY)}"}
    transport = httpx.ASGITransport(app)
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as made,
    ):
        await eventually(lambda: _ready(made))
        assert bus.connected
        yield made


@pytest_asyncio.fixture
async def operator(client: httpx.AsyncClient, token_for: Callable[[Role], str]) -> httpx.AsyncClient:
    """The same app, asked by an operator."""
    client.headers["Authorization"] = f"Bearer {token_for(Role.OPERATOR)}"
    return client
