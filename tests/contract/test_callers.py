"""Before a caller is known nothing of a request is read: 401 before 404, 405, 415 and 422, everywhere."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from forwarder.app import create_app as create_forwarder
from forwarder.settings import Settings as ForwarderSettings
from inventory.app import create_app as create_inventory
from inventory.settings import Settings as InventorySettings
from prober.app import create_app as create_prober
from prober.settings import Settings as ProberSettings
from reporting.app import create_app as create_reporting
from reporting.settings import Settings as ReportingSettings
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.auth.links import new_link_token
from vonggac.http.protection.callers import is_guarded

pytestmark = pytest.mark.heavy

JSON = {"content-type": "application/json"}
METHODS = ("get", "put", "post", "patch", "delete")
OPEN_TO_ALL = {
    "/", "/docs", "/docs/start.js", "/docs/{name}", "/livez", "/metrics", "/openapi.json", "/openapi/{group}.json",
    "/readyz",
}  # fmt: skip
"""What needs no caller: what the service is, and how it does. Anything more is a decision."""


def applications(keys: Path) -> dict[str, FastAPI]:
    """The four apps, not started: nothing behind them is asked."""
    nowhere = SecretStr("postgresql+psycopg://nobody:x@127.0.0.1:9/none")
    # A wrong token a route is more than one address may send in a minute.
    jwks: Any = {"jwks_file": keys / JWKS, "wrong_tokens_per_minute": 100_000}
    worker: Any = {"workers_private_key_file": keys / WORKERS_PRIVATE, "allowed_networks": (), **jwks}
    return {
        "inventory": create_inventory(
            InventorySettings(database_url=nowhere, workers_public_key_file=keys / WORKERS_PUBLIC, **jwks)
        ),
        "prober": create_prober(ProberSettings(**worker)),
        "forwarder": create_forwarder(ForwarderSettings(**worker)),
        "reporting": create_reporting(ReportingSettings(database_url=nowhere, **jwks)),
    }


@cache
def _made(keys: Path) -> dict[str, FastAPI]:
    return applications(keys)


@pytest.fixture(scope="module", params=["inventory", "prober", "forwarder", "reporting"])
def app(request: pytest.FixtureRequest, keys_folder: Path) -> FastAPI:
    return _made(keys_folder)[request.param]


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, item in app.openapi()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path


async def no_end() -> AsyncIterator[bytes]:
    """A body that must not be read."""
    for part in (b"x", b"y"):
        assert part != b"x", "the body was read before the caller was known"
        yield part


async def test_every_route_asks_who_calls_before_it_reads_anything(app: FastAPI) -> None:
    asked = 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for method, path in operations(app):
            fitting = re.sub(r"\{[^}]+\}", str(uuid4()), path)
            wrong = re.sub(r"\{[^}]+\}", "no-id", path)
            calls: list[tuple[str, dict[str, Any]]] = [
                (fitting, {}),
                (f"{wrong}?nonsense=1&limit=x&cursor=%00", {"content": b"{", "headers": JSON}),
                (fitting, {"content": no_end()}),
                (fitting, {"headers": {"Authorization": "Bearer a.b.c"}}),
            ]  # fmt: skip
            for address, given in calls:
                answer = await client.request(method, address, **given)
                assert answer.status_code == 401, (method, address, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                # A calendar program has a user and a password, and no token (decision 0097).
                schemes = ("Bearer", "Basic") if path == "/v1/calendar-feeds/{feed_id}.ics" else ("Bearer",)
                assert answer.headers["www-authenticate"].startswith(schemes), (method, address)
                asked += 1
    assert asked >= 4 * 7


@pytest.mark.parametrize(("service", "status"), [("prober", 401), ("forwarder", 401), ("reporting", 503)])
async def test_duty_a_link_of_a_facility_opens_no_service_that_does_not_know_it(
    service: str, status: int, keys_folder: Path
) -> None:
    """Reporting knows links by the bus (decision 0162), and here it has none."""
    app, headers = _made(keys_folder)[service], {"Authorization": f"Bearer {new_link_token()}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for method, path in operations(app):
            address = re.sub(r"\{[^}]+\}", str(uuid4()), path)
            answer = await client.request(method, address, headers=headers)
            assert (answer.status_code, "application/problem+json") == (status, answer.headers["content-type"]), address
            assert headers["Authorization"].removeprefix("Bearer ") not in answer.text


async def test_every_documented_route_is_guarded_and_no_other_is_open(app: FastAPI) -> None:
    assert [path for _, path in operations(app) if not is_guarded(path)] == []
    open_to_all = {path for path in paths(app.routes) if not is_guarded(path)}
    assert open_to_all == OPEN_TO_ALL


def paths(routes: Any) -> Iterator[str]:
    """Paths of an app, those of its routers included."""
    for route in routes:
        path = getattr(route, "path", None)
        if isinstance(path, str):
            yield path


async def test_a_body_over_the_limit_is_refused_by_its_length_on_every_route(app: FastAPI) -> None:
    size = 64 * 2**20
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for method, path in operations(app):
            answer = await client.request(method, path, content=no_end(), headers={"content-length": str(size)})
            assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), (method, path)


async def test_the_page_of_every_service_says_what_it_is(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        shown, page = await asyncio.gather(client.get("/"), client.get("/", headers={"Accept": "text/html"}))
    assert shown.json()["service"] == app.title
    assert app.description.split(".")[0] in page.text
    assert json.dumps(shown.json()["links"])
