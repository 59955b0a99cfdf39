"""The document says what is sent, and its page needs no internet."""

import json
import re
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import jsonschema
import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, Field

from vonggac.auth import Caller
from vonggac.http import new_application
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import IdempotencyKey
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.openapi.docs_page import _Document
from vonggac.http.openapi.inlined_parts import inline_repeated_parts
from vonggac.telemetry import Health

type Json = dict[str, Any]


class Thing(BaseModel):
    code: str = Field(pattern="^[A-Z]+$", examples=["QT"])
    parent: "Thing | None" = None
    sizes: list[int] = []
    share: float = Field(gt=0, le=1, default=0.5)


KEYS: dict[str, Key[Thing]] = {"code": Key(lambda thing: thing.code)}
LISTING = Listing(Thing, keys=KEYS, id_key="code")


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


def application(**tags: str) -> FastAPI:
    app = new_application(
        service="sample",
        title="Vong Gac Things",
        description="d",
        version="1",
        lifespan=lifespan,
        health=Health(),
        metrics=CollectorRegistry(),
        tags=tags,
    )
    router = APIRouter(prefix="/v1/things", tags=["things"])

    @router.get("", response_model=None, responses=LISTING.responses)
    async def list_things(page: Annotated[PageQuery[Thing, Thing], Depends(LISTING)], _caller: Caller) -> Response:
        """All things."""
        return page.answer(page.cut([]), [])

    @router.put("/{code}", responses=problems({404: "There is no such thing", 503: "Nobody answers"}))
    async def put_thing(code: str, body: Thing, _if: IfMatch, _key: IdempotencyKey, _caller: Caller) -> Thing:
        """Put one."""
        return body

    app.include_router(router)
    return app


@pytest.fixture(scope="module")
def document() -> Json:
    return inline_repeated_parts(application(things="Things.").openapi())


def test_every_status_is_a_problem_with_its_schema(document: Json) -> None:
    responses = document["paths"]["/v1/things/{code}"]["put"]["responses"]
    assert " ".join(responses) == "200 400 401 403 404 409 412 413 415 422 428 500 503"
    for status, response in responses.items():
        if status != "200":
            assert list(response["content"]) == ["application/problem+json"]
            assert response["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert responses["404"]["description"] == "There is no such thing"
    assert "Retry-After" in responses["503"]["headers"]
    assert not {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys()


def test_headers_of_conditions_are_declared(document: Json) -> None:
    put = {one["name"]: one for one in document["paths"]["/v1/things/{code}"]["put"]["parameters"]}
    assert put["If-Match"]["required"] is True
    assert put["Idempotency-Key"]["required"] is False
    listed = document["paths"]["/v1/things"]["get"]
    assert "If-None-Match" in {one["name"] for one in listed["parameters"]}
    assert listed["responses"]["200"]["headers"].keys() == {"ETag", "Link"}
    assert "content" not in listed["responses"]["304"]


def test_ids_are_the_names_of_functions(document: Json) -> None:
    assert document["paths"]["/v1/things"]["get"]["operationId"] == "list_things"
    assert document["info"]["title"].isascii()
    assert document["tags"] == [{"name": "things", "description": "Things."}]


def test_every_request_and_every_problem_has_an_example_that_fits_its_schema(document: Json) -> None:
    checked = 0
    for path in document["paths"].values():
        for operation in path.values():
            problems = [answer for status, answer in operation["responses"].items() if status >= "400"]
            for body in (operation.get("requestBody"), *problems):
                for media in (body or {}).get("content", {}).values():
                    schema = {**media["schema"], "components": document["components"]}
                    jsonschema.Draft202012Validator(schema).validate(media["example"])
                    checked += 1
    assert checked > 10


def test_names_that_stand_twice_and_tags_without_words_are_refused() -> None:
    with pytest.raises(ValueError, match="tags without a description: things"):
        application().openapi()
    app = application(things="Things.")

    async def list_things() -> None:
        """Another."""

    app.get("/v1/more", tags=["things"])(list_things)
    twice = "operation ids that stand twice: list_things"
    with pytest.warns(UserWarning, match="Duplicate Operation ID"), pytest.raises(ValueError, match=twice):
        app.openapi()


async def test_the_page_and_all_its_parts_come_from_the_service() -> None:
    transport = httpx.ASGITransport(application(things="Things."))
    async with httpx.AsyncClient(transport=transport, base_url="http://test/") as client:
        page = await client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        assert re.findall(r"(?:https?:)?//[\w.]+", page.text) == []
        parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(parts) == 4
        for part in parts:
            answer = await client.get(part)
            assert answer.status_code == 200
            assert len(answer.content) > 200
        assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.1")
        assert (await client.get("/docs/other.js")).status_code == 404


GENERATED = '{\n "info": {\n  "title": "From a\\nfile"\n },\n "openapi": "3.1.0"\n}\n'


async def test_reading_a_long_document_takes_little_more_memory_than_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "long_document"
    package.mkdir()
    (package / "__init__.py").touch()
    text = json.dumps({"openapi": "3.1.0", "paths": [{"of": number} for number in range(40_000)]}, indent=1)
    (package / "openapi.json").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    document = _Document(FastAPI(), package.name)
    tracemalloc.start()
    try:
        read = await document.get()
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert json.loads(read.plain) == json.loads(text)
    assert peak_bytes < 2 * len(text)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_the_document_of_a_package_is_read_once_and_never_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    package = tmp_path / f"documented_{encoding}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "openapi.json").write_text(GENERATED)
    monkeypatch.syspath_prepend(tmp_path)
    app = new_application(
        service="sample",
        title="Made",
        description="",
        version="1",
        lifespan=lifespan,
        health=Health(),
        metrics=CollectorRegistry(),
        tags={},
        package=package.name,
    )
    monkeypatch.setattr(app, "openapi", lambda: pytest.fail("it was made"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/", headers={"Accept-Encoding": encoding}
    ) as client:
        first = await client.get("/openapi.json")
        assert first.headers.get("content-encoding", "identity") == encoding
        assert first.text == '{"info": {"title": "From a\\nfile"},"openapi": "3.1.0"}'
        (package / "openapi.json").unlink()
        again = await client.get("/openapi.json")
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        unchanged = await client.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
