"""Parameters that no route can mean are refused by name, before a database or a zone chokes on them."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI, Query, Response
from prometheus_client import CollectorRegistry
from pydantic import AwareDatetime, BaseModel

from vonggac.http import new_application
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.parameters import MOST_MISTAKES
from vonggac.telemetry import Health


class Thing(BaseModel):
    code: str
    at: datetime = datetime(2026, 11, 24, tzinfo=UTC)


LISTING = Listing(
    Thing,
    keys={"code": Key[Thing](lambda thing: thing.code), "at": Key(lambda thing: thing.at, datetime)},
    id_key="code",
)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = new_application(
        service="sample",
        title="T",
        description="d",
        version="1",
        lifespan=lifespan,
        health=Health(),
        metrics=CollectorRegistry(),
        tags={},
    )

    @app.get("/v1/things/{name}")
    async def list_things(
        name: str,
        page: Annotated[PageQuery[Thing, Thing], Depends(LISTING)],
        q: str | None = None,
        valid_on: date | None = None,
        until: Annotated[AwareDatetime | None, Query()] = None,
        sizes: Annotated[list[int], Query()] = [],  # noqa: B006 - FastAPI's way
    ) -> Response:
        assert "\0" not in name
        if until is not None:
            until.astimezone(UTC)
        things = [Thing(code=f"c{number}") for number in range(3)]
        return page.answer(page.cut(things), things)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def refused(api: httpx.AsyncClient, query: str, name: str = "a") -> list[dict[str, Any]]:
    answer = await api.get(f"/v1/things/{name}?{query}")
    assert answer.status_code == 422, answer.text
    errors: list[dict[str, Any]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "cursor=%00", "sort=%00"])
async def test_a_nul_is_refused_by_the_name_of_its_parameter(api: httpx.AsyncClient, query: str) -> None:
    assert (await refused(api, query))[0]["field"] == query.partition("=")[0]


async def test_a_nul_in_the_path_is_refused(api: httpx.AsyncClient) -> None:
    [error] = await refused(api, "", name="a%00b")
    assert error["field"] == "name"


@pytest.mark.parametrize(
    "query", ["valid_on=0", "valid_on=1620345600", "until=0.5", "until=0", "until=1e9", "valid_on=-1"]
)
async def test_a_number_is_no_day_and_no_instant(api: httpx.AsyncClient, query: str) -> None:
    [error] = await refused(api, query)
    assert (error["field"], "is a number" in error["message"]) == (query.partition("=")[0], True)


@pytest.mark.parametrize(
    "query", ["until=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00", "valid_on=0001-01-01"]
)
async def test_a_year_that_overflows_a_zone_is_refused(api: httpx.AsyncClient, query: str) -> None:
    [error] = await refused(api, query)
    assert "year" in error["message"]


@pytest.mark.parametrize(
    "query", ["valid_on=2026-11-24", "until=2026-11-24T07:00:00%2B07:00", "sizes=1&sizes=2", "q=0"]
)
async def test_what_is_meant_is_taken(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get(f"/v1/things/a?{query}")).status_code == 200


async def test_thousands_of_mistakes_cost_what_twenty_do(api: httpx.AsyncClient) -> None:
    began = time.process_time()
    for query in (
        "&".join(f"a{number}=1" for number in range(6000)),
        "sort=" + "x," * 20_000,
        "fields=" + "x," * 20_000,
    ):
        assert len(await refused(api, query)) <= MOST_MISTAKES
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize(
    "last", [["c\0"], ["c\ud800"], [1e400], [10**30], [["c"]], [{"a": 1}], [True], ["c", "d"], [None, None]], ids=str
)
async def test_a_cursor_with_what_no_row_holds_is_refused(api: httpx.AsyncClient, last: list[object]) -> None:
    answer = await api.get("/v1/things/a?limit=1")
    document = json.loads(base64.urlsafe_b64decode(answer.json()["next"] + "=="))
    made = base64.urlsafe_b64encode(json.dumps(document | {"k": last}).encode()).decode().rstrip("=")
    [error] = await refused(api, f"limit=1&cursor={made}")
    assert error["field"] == "cursor"


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00+14:00", "2026-11-24T00:00:00", 5, "x"])
async def test_a_cursor_of_an_instant_that_is_none_is_refused(api: httpx.AsyncClient, as_of: object) -> None:
    answer = await api.get("/v1/things/a?limit=1")
    document = json.loads(base64.urlsafe_b64decode(answer.json()["next"] + "=="))
    made = base64.urlsafe_b64encode(json.dumps(document | {"a": as_of}).encode()).decode().rstrip("=")
    assert (await refused(api, f"limit=1&cursor={made}"))[0]["field"] == "cursor"
