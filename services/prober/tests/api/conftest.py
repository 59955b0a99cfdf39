"""A prober's API in this event loop."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager

from prober.app import create_app
from prober.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import token_issuer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import decode
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import DemandV1
from vonggac.testing import eventually

type As = Callable[..., httpx.AsyncClient]


def delivery_to(read_back_url: str | None) -> PlannedDelivery:
    values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D", "url": "rtsp://127.0.0.1:9/key"}
    return PlannedDelivery.model_validate(values | {"read_back_url": read_back_url})


async def views(bus: Bus) -> list[DemandV1]:
    """What is on record, the oldest first."""
    state = (await bus.js.stream_info(topology.DEMANDS)).state
    found = []
    for sequence in range(state.first_seq, state.last_seq + 1):
        data = decode((await bus.js.get_msg(topology.DEMANDS, seq=sequence)).data or b"").data
        assert isinstance(data, DemandV1)
        found.append(data)
    return found


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


@pytest.fixture
def client_as(client: httpx.AsyncClient, keys_folder: Path) -> As:
    """The same app, asked with these roles."""

    def ask(*roles: Role) -> httpx.AsyncClient:
        issuer, lasts = token_issuer(keys_folder), timedelta(hours=1)
        token = issuer.issue(subject="duty-desk", roles=frozenset(roles), valid_for=lasts)
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    return ask


@pytest.fixture
def viewer(client_as: As) -> httpx.AsyncClient:
    """Who follows all, and is named to view pictures."""
    return client_as(Role.AUTHORITY, Role.VIEWER)
