"""Inventory on the real PostgreSQL and NATS, called in process."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, make_url

from inventory.app import create_app
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from inventory.storage.tables import Base
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PUBLIC
from vonggac.bus import Bus
from vonggac.database import migrate
from vonggac.embedded import NatsServer, PostgresServer
from vonggac.testing import eventually
from vonggac.testing.fixtures import empty_tables, login_of


@pytest.fixture(scope="session")
def migrated_url(postgres_server: PostgresServer) -> str:
    """A database with inventory's tables, made by its migrations."""
    postgres_server.create_role("inventory")
    postgres_server.create_database("inventory", "inventory")
    url = postgres_server.url("inventory", "inventory")
    migrate(SCRIPTS, url)
    return url


@pytest.fixture(scope="session")
def superuser(postgres_server: PostgresServer, migrated_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_server.url(str(make_url(migrated_url).database)), pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def inventory_url(migrated_url: str, superuser: Engine) -> str:
    """That database, emptied."""
    with superuser.begin() as connection:
        empty_tables(connection, Base.metadata)
    return migrated_url


@pytest.fixture
def settings(inventory_url: str, keys_folder: Path, nats_server: NatsServer) -> Settings:
    return Settings(
        database_url=SecretStr(inventory_url),
        **login_of(nats_server, "inventory"),
        jwks_file=keys_folder / JWKS,
        workers_public_key_file=keys_folder / WORKERS_PUBLIC,
    )


type Client = httpx.AsyncClient


@asynccontextmanager
async def running(settings: Settings, token: str, *, until_dated: bool = True) -> AsyncIterator[Client]:
    """The app started, and a client with `token`; `until_dated`: once it may write."""
    async with serving(create_app(settings), token, until_dated=until_dated) as client:
        yield client


@asynccontextmanager
async def serving(app: FastAPI, token: str, *, until_dated: bool = True) -> AsyncIterator[Client]:
    """The same of an app that a test has added to."""
    async with LifespanManager(app, startup_timeout=10, shutdown_timeout=10):
        if until_dated:
            await eventually(app.state.services.store.is_dated)
        transport = httpx.ASGITransport(app=app)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://inventory", headers=headers) as client:
            yield client


@pytest_asyncio.fixture
async def client(settings: Settings, token_for: Callable[[Role], str], bus: Bus) -> AsyncIterator[Client]:
    """A province lead's client; streams are declared."""
    async with running(settings, token_for(Role.PROVINCE_LEAD)) as started:
        yield started


APPROVED = frozenset({"approved", "agreed", "funded"})
"""States of surveys, plans and proposals that who wrote does not give."""


class Province:
    """Makes things through the API, with what a test does not care about filled in."""

    def __init__(self, client: Client, approver: str | None = None) -> None:
        self.client = client
        self.approver = approver
        """Token of who approves what `client` wrote."""
        self.numbered = 0

    async def post(self, path: str, body: dict[str, Any], *, reason: str | None = None) -> dict[str, Any]:
        answer = await self.client.post(path, json=body, params={"reason": reason} if reason else None)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def etag(self, path: str) -> str:
        """The ETag of one thing as it is now."""
        return str(
            (await self.client.get(path.removesuffix("/secret").removesuffix("/read-back-secret"))).headers["etag"]
        )

    async def change(self, path: str, *, params: Any = None, headers: Any = None, **body: Any) -> httpx.Response:
        """PATCH with the present ETag, and a reason unless it is given."""
        headers = {"If-Match": await self.etag(path)} | (headers or {})
        return await self.client.patch(path, headers=headers, params={"reason": "bảo trì"} | (params or {}), **body)

    async def put(self, path: str, **body: Any) -> httpx.Response:
        """PUT with the present ETag."""
        return await self.client.put(path, headers={"If-Match": await self.etag(path)}, **body)

    async def remove(self, path: str, *, params: Any = None) -> httpx.Response:
        """DELETE with the present ETag, and a reason unless it is given."""
        headers = {"If-Match": await self.etag(path)}
        params = ({} if path.endswith("secret") else {"reason": "nhập nhầm"}) | (params or {})
        return await self.client.delete(path, headers=headers, params=params)

    async def move(self, path: str, to: str, reason: str = "bảo trì") -> httpx.Response:
        """A transition with the present ETag, and a reason."""
        headers = {"If-Match": await self.etag(path)} | self.eyes_for(to)
        return await self.client.post(f"{path}/transitions", json={"to": to, "reason": reason}, headers=headers)

    def eyes_for(self, to: str) -> dict[str, str]:
        """Headers of another person, for a state that who wrote does not give."""
        if self.approver is None or to not in APPROVED:
            return {}
        return {"Authorization": f"Bearer {self.approver}"}

    def _code(self, prefix: str) -> str:
        self.numbered += 1
        return f"{prefix}-{self.numbered:02d}"

    async def agency(self, **given: Any) -> dict[str, Any]:
        body = {"code": self._code("AG"), "name": "Sở Y tế", "role": "managing"}
        return await self.post("/v1/agencies", body | given)

    async def unit(self, **given: Any) -> dict[str, Any]:
        return await self.post("/v1/units", {"code": self._code("46"), "name": "Huyện Hướng Hóa"} | given)

    async def facility(self, **given: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self._code("KCL"), "name": "Khu cách ly", "type": "school"}
        if "unit_id" not in given:
            body["unit_id"] = (await self.unit())["id"]
        if "managing_agency_id" not in given:
            body["managing_agency_id"] = (await self.agency())["id"]
        stopped = given.get("status") in {"suspended", "closed"}
        return await self.post("/v1/facilities", body | given, reason="mưa lũ" if stopped else None)

    async def plan_exception(self, facility_id: str, why: str = "Thử nghiệm") -> dict[str, Any]:
        """Have the facility's cameras forwarded without an agreed plan."""
        body = {"act": "exception", "facility_id": facility_id, "reason": why}
        request = await self.post("/v1/decision-requests", body)
        path, headers = f"/v1/decision-requests/{request['id']}/decision", self.eyes_for("approved")
        granted = await self.client.post(path, json={"decision": "granted"}, headers=headers)
        assert granted.status_code == 200, granted.text
        found = await self.client.get("/v1/plan-exceptions", params={"facility_id": facility_id})
        made: dict[str, Any] = found.json()["items"][0]
        return made

    async def let_writers_approve(self, facility: dict[str, Any]) -> dict[str, Any]:
        """Have the facility's province allow that who wrote approves."""
        above = await self.unit(name="Tỉnh Quảng Trị", level="province")
        answer = await self.change(f"/v1/units/{facility['unit_id']}", json={"parent_id": above["id"]})
        assert answer.status_code == 200, answer.text
        body = {
            "unit_id": above["id"],
            "two_persons": False,
            "valid_from": "2021-05-01",
            "why": "Phòng chỉ có một người",
        }
        return await self.post("/v1/approval-rules", body)

    async def destination(self, **given: Any) -> dict[str, Any]:
        code = given.get("code") or self._code("TT")
        template = f"rtsp://10.9.0.1:8554/{code}/{{camera_code}}"
        body = {"code": code, "name": "Trung tâm", "role": "national", "url_template": template}
        return await self.post("/v1/destinations", body | given)

    async def camera(self, **given: Any) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self._code("CAM"), "name": "Hành lang"}
        body["url"] = f"rtsp://10.1.1.1/{body['code']}"
        if "facility_id" not in given:
            body["facility_id"] = (await self.facility())["id"]
        return await self.post("/v1/cameras", body | given)

    async def forwarded_camera(self, **given: Any) -> dict[str, Any]:
        """A camera that is forwarded to every destination, by an exception of its facility."""
        facility = await self.facility()
        await self.plan_exception(facility["id"])
        return await self.camera(facility_id=facility["id"], **given)


@pytest.fixture
def province(client: Client, token_for: Callable[..., str]) -> Province:
    return Province(client, token_for(Role.DECIDER))


@pytest.fixture
def start_province(
    token_for: Callable[[Role], str], bus: Bus
) -> Callable[[Settings], AbstractAsyncContextManager[Province]]:
    """For a test that needs other settings."""

    @asynccontextmanager
    async def start(settings: Settings) -> AsyncIterator[Province]:
        async with running(settings, token_for(Role.PROVINCE_LEAD)) as started:
            yield Province(started, token_for(Role.DECIDER))

    return start
