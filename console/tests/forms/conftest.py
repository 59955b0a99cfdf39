"""The console before a real inventory and a real reporting."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from console.tests.conftest import Browser, running_console, serve
from console.tests.pages.conftest import (
    Province,
    common_database,
    issuer,
    province,
    reporting_address,
    reporting_template,
    reporting_url,
    settings,
    superuser,
)
from fastapi import FastAPI
from pydantic import SecretStr

from inventory.app import create_app as create_inventory
from inventory.migrations import SCRIPTS
from inventory.settings import Settings as InventorySettings
from local.issuer.settings import IssuerSettings
from vonggac.auth.keys import JWKS, WORKERS_PUBLIC
from vonggac.bus import Bus
from vonggac.database import migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.testing.fixtures import login_of
from vonggac.testing.waiting import eventually

__all__ = [
    "Province",
    "common_database",
    "issuer",
    "province",
    "reporting_address",
    "reporting_template",
    "reporting_url",
    "settings",
    "superuser",
]


@pytest.fixture
def register_url(postgres_server: PostgresServer) -> str:
    """A register with nothing in it."""
    name = f"register_{uuid4().hex[:12]}"
    postgres_server.create_role(name)
    postgres_server.create_database(name, name)
    url = postgres_server.url(name, name)
    migrate(SCRIPTS, url)
    return url


@pytest_asyncio.fixture
async def register_address(
    register_url: str, keys_folder: Path, nats_server: NatsServer, bus: Bus
) -> AsyncIterator[str]:
    """A running inventory."""
    made = InventorySettings(
        database_url=SecretStr(register_url),
        **login_of(nats_server, "inventory"),
        jwks_file=keys_folder / JWKS,
        workers_public_key_file=keys_folder / WORKERS_PUBLIC,
    )
    port = free_port()
    app = create_inventory(made)
    async with serve(app, port, lifespan="on"):
        await eventually(app.state.services.store.is_dated, within_s=60, what="inventory's clock")
        yield f"http://127.0.0.1:{port}"


@pytest_asyncio.fixture
async def app(
    nats_server: NatsServer, issuer: IssuerSettings, register_address: str, reporting_address: str
) -> AsyncIterator[FastAPI]:
    """The console before both."""
    async with running_console(
        nats_server, issuer, inventory_url=register_address, reporting_url=reporting_address, part_timeout_s=20
    ) as made:
        yield made


class Register:
    """Makes records as somebody with all rights, by the API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def add(self, noun: str, **fields: object) -> dict[str, str]:
        """One record, as it is answered."""
        answer = await self.client.post(f"/v1/{noun}", json=fields, params={"reason": "thử"})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        made: dict[str, str] = answer.json()
        return made

    async def read(self, noun: str, record: str) -> dict[str, object]:
        made: dict[str, object] = (await self.client.get(f"/v1/{noun}/{record}")).json()
        return made


@pytest_asyncio.fixture
async def register(app: FastAPI, register_address: str) -> AsyncIterator[Register]:
    """With the token of the browser's lead."""
    browser = Browser(app)
    await browser.sign_in()
    cookie = browser.console.cookies["vonggac_session"]
    visitor = await app.state.visitors.find(cookie)
    headers = {"Authorization": f"Bearer {visitor.token}"}
    async with httpx.AsyncClient(base_url=register_address, headers=headers, trust_env=False) as client:
        yield Register(client)
    await browser.close()


@pytest_asyncio.fixture
async def browsers(app: FastAPI) -> AsyncIterator[dict[str, Browser]]:
    """Three people who are signed in: the lead, who decides above it, and the operator."""
    made = {name: Browser(app) for name in ("chủ trì", "quyết định", "vận hành")}
    for name, browser in made.items():
        await browser.sign_in(name)
    yield made
    for browser in made.values():
        await browser.close()
