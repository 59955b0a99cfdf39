"""Headers for browsers are on every answer, errors and refusals included, and the pages work under them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry

from vonggac.http import new_application
from vonggac.http.protection import BodyLimits
from vonggac.telemetry import Health


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = new_application(
        service="sample",
        title="Vong Gac <Things>",
        description="Things & more.",
        version="1.2",
        lifespan=lifespan,
        health=Health(),
        metrics=CollectorRegistry(),
        tags={},
        body_limits=BodyLimits(100),
    )

    @app.get("/v1/own")
    async def with_a_policy_of_its_own() -> Response:
        return Response("x", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "max-age=5"})

    @app.get("/v1/bug")
    async def bug() -> None:
        raise RuntimeError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/docs", 200), ("GET", "/openapi.json", 200), ("GET", "/readyz", 200),
     ("GET", "/metrics", 200), ("GET", "/docs/swagger-ui.css", 200), ("GET", "/nowhere", 404), ("PUT", "/readyz", 405),
     ("POST", "/v1/own", 413)],
)  # fmt: skip
async def test_every_answer_has_what_a_browser_may_do(
    api: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await api.request(method, path, content=b"x" * 101 if status == 413 else None)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "cache-control" in answer.headers


async def test_a_route_that_knows_better_keeps_its_own(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/own")
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]
    assert answer.headers.get_list("cache-control") == ["max-age=5"]


class Parts(HTMLParser):
    """What a page loads, and the scripts that stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [value for name in ("src", "href") if (value := given.get(name)) is not None and tag != "a"]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self._script = tag == "script" and "src" not in given

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", ["/docs", "/"])
async def test_a_page_loads_only_what_the_service_has_and_runs_nothing_in_place(
    api: httpx.AsyncClient, path: str
) -> None:
    answer = await api.get(path, headers={"Accept": "text/html"})
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["script-src"] == "'self'"
    assert "unsafe-eval" not in answer.headers["content-security-policy"]
    parts = Parts()
    parts.feed(answer.text)
    assert parts.inline == []
    for address in parts.loaded:
        assert re.match(r"https?:|//", address) is None
        assert (await api.get(f"/{address}")).status_code == 200


async def test_the_front_page_leads_a_person_to_docs_health_and_metrics(api: httpx.AsyncClient) -> None:
    page = await api.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>Vong Gac &lt;Things&gt;</h1>" in page.text
    assert "Things &amp; more." in page.text
    found = re.findall(r'<a href="([^"]+)"', page.text)
    assert {"docs", "readyz", "metrics"} <= set(found)
    for address in found:
        assert (await api.get(f"/{address}")).status_code == 200


async def test_the_front_page_is_json_for_a_program(api: httpx.AsyncClient) -> None:
    shown = (await api.get("/")).json()
    assert (shown["service"], shown["version"]) == ("Vong Gac <Things>", "1.2")
    assert {"docs", "readyz", "metrics"} <= set(shown["links"].values())


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_document_is_the_same_compressed_or_not(api: httpx.AsyncClient, encoding: str) -> None:
    answer = await api.get("/openapi.json", headers={"Accept-Encoding": encoding})
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert answer.json()["info"]["title"] == "Vong Gac <Things>"
