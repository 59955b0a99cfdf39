"""Conditional requests and compression, by HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry

from vonggac.http import new_application
from vonggac.http.conditional import IfMatch, etag_of
from vonggac.http.conditional.etags import matches_strongly, matches_weakly, parse_etags
from vonggac.telemetry import Health

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    records = {"revision": 3}

    @app.get("/v1/record")
    async def read_record(response: Response) -> dict[str, int]:
        response.headers["ETag"] = etag_of(records["revision"])
        return records

    @app.put("/v1/record")
    async def change_record(if_match: IfMatch) -> dict[str, int]:
        await asyncio.sleep(0)
        if_match.check(records["revision"])
        records["revision"] += 1
        return records

    @app.get("/v1/list")
    async def read_list() -> list[str]:
        return ["Đông Hà"] * 1000

    @app.get("/v1/stream")
    async def read_stream() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"code,name\r\n" * 100

        return StreamingResponse(parts(), media_type="text/csv")

    @app.get("/v1/file")
    async def read_file() -> Response:
        return Response(b"x" * 10_000, media_type=XLSX)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_a_record_that_is_as_before_is_not_sent_again(api: httpx.AsyncClient) -> None:
    first = await api.get("/v1/record", headers={"Authorization": "Bearer x"})
    assert first.headers["etag"] == '"3"'
    again = await api.get("/v1/record", headers={"If-None-Match": '"2", W/"3"', "Authorization": "Bearer x"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == '"3"'
    assert "Authorization" in again.headers["vary"]
    assert again.headers["cache-control"] == "private, no-cache"
    assert "content-length" not in again.headers
    assert (await api.get("/v1/record", headers={"If-None-Match": '"2"'})).json() == {"revision": 3}


async def test_a_list_has_a_weak_tag_of_its_body(api: httpx.AsyncClient) -> None:
    etag = (await api.get("/v1/list")).headers["etag"]
    assert etag.startswith('W/"')
    assert (await api.get("/v1/list", headers={"If-None-Match": etag})).status_code == 304
    assert (await api.get("/v1/list", headers={"If-None-Match": 'W/"other"'})).status_code == 200
    assert (await api.get("/v1/list", headers={"If-None-Match": "nonsense"})).status_code == 200


async def test_problems_and_streams_have_no_tag(api: httpx.AsyncClient) -> None:
    assert "etag" not in (await api.get("/v1/nowhere", headers={"If-None-Match": "*"})).headers
    stream = await api.get("/v1/stream")
    assert "etag" not in stream.headers
    assert len(stream.content) == 110_000


async def test_a_change_needs_the_present_tag(api: httpx.AsyncClient) -> None:
    missing = await api.put("/v1/record")
    assert (missing.status_code, missing.json()["code"]) == (428, "if_match_required")
    lost = await api.put("/v1/record", headers={"If-Match": '"2"'})
    assert (lost.status_code, lost.json()["code"], lost.headers["etag"]) == (412, "stale", '"3"')
    assert (await api.put("/v1/record", headers={"If-Match": 'W/"3"'})).status_code == 412
    wrong = await api.put("/v1/record", headers={"If-Match": "3"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "If-Match")
    assert (await api.put("/v1/record", headers={"If-Match": '"3"'})).json() == {"revision": 4}
    assert (await api.put("/v1/record", headers={"If-Match": "*"})).json() == {"revision": 5}


@pytest.mark.parametrize("path", ["/v1/list", "/v1/stream"])
async def test_long_answers_are_compressed_for_who_takes_it(api: httpx.AsyncClient, path: str) -> None:
    packed = await api.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    plain = await api.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


async def test_what_is_compressed_already_is_left_alone(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/file", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "tags"),
    [('"a"', ['"a"']), (' "a" , W/"b,c"', ['"a"', 'W/"b,c"']), ("*", ["*"]), ('"", "é"', ['""', '"é"']), ("", [])],
)
def test_tags_are_read(header: str, tags: list[str]) -> None:
    assert parse_etags(header) == tags


@pytest.mark.parametrize("header", ["3", '"a', 'a"', 'w/"a"', '"a" "b"', "*, *"])
def test_what_is_no_tag_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="quotation marks"):
        parse_etags(header)


def test_a_weak_tag_counts_for_reading_only() -> None:
    assert matches_weakly(['W/"a"'], '"a"')
    assert not matches_strongly(['W/"a"'], '"a"')
    assert not matches_strongly(['W/"a"'], 'W/"a"')
    assert matches_strongly(["*"], '"a"')
