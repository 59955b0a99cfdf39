"""Lists by HTTP: strict parameters, pages that lose and double nothing, sort, fields, totals, the Link header."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, Depends, FastAPI, Query, Response
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field

from vonggac.http import new_application
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.cursor import MAX_CHARACTERS
from vonggac.http.lists.sorting import SORTED_WHOLE, Ordering, first_rows, is_after, sort_rows
from vonggac.telemetry import Health


class Thing(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    code: str
    name: str | None
    size: int = Field(alias="length")


THINGS = [
    Thing(code=f"c{number:03}", name=None if number % 5 == 0 else f"n{number % 7}", size=number % 3)
    for number in range(57)
]
KEYS: dict[str, Key[Thing]] = {
    "code": Key(lambda thing: thing.code),
    "name": Key(lambda thing: thing.name),
    "length": Key(lambda thing: thing.size, int),
}
LISTING = Listing(Thing, keys=KEYS, id_key="code")
type Things = PageQuery[Thing, Thing]


class Filter(BaseModel):
    district_id: int | None = None
    state: list[str] = Field([])


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


def application() -> FastAPI:
    app = new_application(
        service="sample",
        title="T",
        description="d",
        version="1",
        lifespan=lifespan,
        health=Health(),
        metrics=CollectorRegistry(),
        tags={"things": "Things."},
    )
    router = APIRouter(prefix="/v1", tags=["things"])

    @router.get("/things", response_model=None, responses=LISTING.responses)
    async def list_things(page: Annotated[Things, Depends(LISTING)], filters: Annotated[Filter, Query()]) -> Response:
        """Things."""
        found = page.cut(THINGS)
        return page.answer(found, found.rows)

    @router.get("/others", response_model=None, responses=LISTING.responses)
    async def list_others(page: Annotated[Things, Depends(LISTING)], length: int | None = None) -> Response:
        """Others."""
        found = page.cut([thing for thing in THINGS if length in (None, thing.size)])
        return page.answer(found, found.rows)

    @router.get("/plain")
    async def read_plain() -> int:
        """Nothing is asked."""
        return 1

    app.include_router(router)
    return app


@pytest_asyncio.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application()), base_url="http://test") as client:
        yield client


async def errors_of(api: httpx.AsyncClient, address: str) -> dict[str, str]:
    answer = await api.get(address)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


async def test_an_unknown_parameter_is_named_with_what_is_known_and_what_was_meant(api: httpx.AsyncClient) -> None:
    errors = await errors_of(api, "/v1/things?distrct=461")
    known = "cursor, district_id, fields, limit, sort, state, total"
    assert errors == {"distrct": f"unknown; known: {known}; did you mean district_id?"}


async def test_a_repeated_parameter_is_named_but_a_list_may_repeat(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/things?state=a&state=b")).status_code == 200
    errors = await errors_of(api, "/v1/things?limit=1&limit=2&x=1")
    assert errors["limit"] == "given 2 times; give it once"
    assert "x" in errors


async def test_a_route_without_parameters_refuses_any_and_health_takes_any(api: httpx.AsyncClient) -> None:
    assert await errors_of(api, "/v1/plain?a=1") == {"a": "unknown; no parameter is known here"}
    assert (await api.get("/livez?a=1")).status_code == 200


async def test_a_credential_that_was_typed_as_a_parameter_is_not_repeated(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/plain", params={"rtsp://u:S3cret!@10.0.0.1/": "1"})
    assert answer.status_code == 422
    assert "S3cret!" not in answer.text


@pytest.mark.parametrize("sort", ["code", "-code", "name,-length", "-name", "length,-code"])
async def test_pages_hold_every_row_once_in_order(api: httpx.AsyncClient, sort: str) -> None:
    whole = (await api.get("/v1/things", params={"sort": sort, "limit": 1000})).json()["items"]
    assert len(whole) == len(THINGS)
    found: list[dict[str, Any]] = []
    address = f"/v1/things?sort={sort}&limit=10&state=a"
    for _ in range(7):
        answer = await api.get(address)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            assert "link" not in answer.headers
            break
        address = answer.links["next"]["url"]
    assert found == whole


async def test_the_total_is_counted_when_it_is_asked(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/others?limit=1&length=1&total=true")).json()["total"] == 19
    assert (await api.get("/v1/others?limit=1&length=1")).json()["total"] is None


async def test_fields_make_sparse_items_under_the_names_that_callers_see(api: httpx.AsyncClient) -> None:
    page = (await api.get("/v1/things?fields=length,code&limit=1")).json()
    assert page["items"] == [{"code": "c000", "length": 0}]
    assert page["next"]


async def test_unknown_names_in_sort_and_fields_are_refused_together(api: httpx.AsyncClient) -> None:
    errors = await errors_of(api, "/v1/things?sort=code,-nam&fields=size")
    assert errors["sort"] == "'nam' is unknown; known: code, length, name; did you mean name?"
    assert errors["fields"].startswith("'size' is unknown; known: code, length, name")


async def cursor_of(api: httpx.AsyncClient, address: str) -> str:
    text: str = (await api.get(address)).json()["next"]
    return text


@pytest.mark.parametrize(
    ("of", "used", "why"),
    [
        ("/v1/things?limit=1", "/v1/others?", "it is of another list"),
        ("/v1/things?limit=1", "/v1/things?sort=-code", "it is of a list sorted by code, not by -code"),
        ("/v1/others?limit=1&length=1", "/v1/others?length=2", "it is of a list with another length"),
        ("/v1/others?limit=1&length=1", "/v1/others?", "it is of a list with another length"),
        ("/v1/things?limit=1", "/v1/things?state=a", "it is of a list with another state"),
    ],
)
async def test_a_cursor_of_another_list_or_filter_is_refused_by_name(
    api: httpx.AsyncClient, of: str, used: str, why: str
) -> None:
    errors = await errors_of(api, f"{used}&cursor={await cursor_of(api, of)}")
    assert errors["cursor"].startswith(why)


@pytest.mark.parametrize("text", ["x", "e30", "bnVsbA", "%00", "W10", "eyJzIjoxLCJrIjpbW11dLCJmIjp7fX0"])
async def test_what_is_no_cursor_is_refused(api: httpx.AsyncClient, text: str) -> None:
    assert "cursor" in await errors_of(api, f"/v1/things?cursor={text}")


async def test_limit_and_fields_may_change_from_page_to_page(api: httpx.AsyncClient) -> None:
    cursor = await cursor_of(api, "/v1/things?limit=10")
    page = (await api.get(f"/v1/things?limit=2&fields=code&cursor={cursor}")).json()
    assert page["items"] == [{"code": "c010"}, {"code": "c011"}]


LONG = [
    Thing(
        code=f"{number % 3}{'𝒜' * 197}{number:02}",
        name="Đường Nguyễn Tri Phương "[number % 2 :] * 40 + str(number),
        size=0,
    )
    for number in range(9)
]


@pytest.mark.parametrize("sort", ["code", "name", "-name,length", "name,-code", "-code,-name", "length,name"])
async def test_texts_of_any_length_make_a_cursor_that_an_address_holds(sort: str) -> None:
    """The texts differ at their ends alone."""
    listing = Listing(Thing, keys=KEYS | {"id": Key(LONG.index, int)}, id_key="id")
    app = application()

    @app.get("/v1/long", response_model=None)
    async def list_long(page: Annotated[Things, Depends(listing)], q: str | None = None) -> Response:
        found = page.cut(LONG)
        return page.answer(found, found.rows)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        query = {"sort": sort, "q": "Đường"}
        whole = (await client.get("/v1/long", params=query)).json()["items"]
        found: list[dict[str, Any]] = []
        while True:
            page = (await client.get("/v1/long", params=query | {"limit": "1"})).json()
            found += page["items"]
            if page["next"] is None:
                break
            assert len(page["next"]) <= MAX_CHARACTERS
            query["cursor"] = page["next"]
    assert len(whole) == len(LONG)
    assert found == whole


async def test_what_differs_early_is_in_order_however_long_it_is(api: httpx.AsyncClient) -> None:
    assert [one.name for one in sorted(THINGS, key=lambda one: (one.name is None, one.name or "", one.code))] == [
        one["name"] for one in (await api.get("/v1/things?sort=name&limit=1000")).json()["items"]
    ]


ROWS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.sampled_from("abc")), max_size=30)


@given(rows=ROWS, descending=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_what_is_behind_a_row_is_what_stands_behind_it_in_order(
    rows: list[tuple[int | None, str | None]], descending: tuple[bool, bool, bool]
) -> None:
    numbered = [(*row, number) for number, row in enumerate(rows)]
    keys: dict[str, Key[tuple[int | None, str | None, int]]] = {
        "a": Key(lambda row: row[0], int),
        "b": Key(lambda row: row[1]),
        "id": Key(lambda row: row[2], int),
    }
    orderings = [Ordering(name, down) for name, down in zip(keys, descending, strict=True)]
    ordered = sort_rows(numbered, orderings, keys)
    for position, row in enumerate(ordered):
        behind = [one for one in ordered if is_after(one, row, orderings, keys)]
        assert behind == ordered[position + 1 :]


@given(rows=ROWS, descending=st.tuples(st.booleans(), st.booleans(), st.booleans()), number=st.integers(1, 4))
def test_the_first_rows_are_those_of_the_whole_sort(
    rows: list[tuple[int | None, str | None]], descending: tuple[bool, bool, bool], number: int
) -> None:
    many = rows * (SORTED_WHOLE + 1)
    numbered = [(*row, place) for place, row in enumerate(many)]
    keys: dict[str, Key[tuple[int | None, str | None, int]]] = {
        "a": Key(lambda row: row[0], int),
        "b": Key(lambda row: row[1]),
        "id": Key(lambda row: row[2], int),
    }
    orderings = [Ordering(name, down) for name, down in zip(keys, descending, strict=True)]
    assert first_rows(numbered, orderings, keys, number) == sort_rows(numbered, orderings, keys)[:number]
