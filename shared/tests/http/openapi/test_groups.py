"""A group of operations is a document of its own: whole, small, and made once."""

import json
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from vonggac.http.openapi.docs_page import add_documentation
from vonggac.http.openapi.groups import choose_group, list_groups
from vonggac.http.problems import install_problem_handlers

type Json = dict[str, Any]


def operation(name: str, tag: str, schema: str, **links: Json) -> Json:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        "operationId": name,
        "tags": [tag],
        "responses": {
            "200": {"description": name, "content": content, "links": links},
            "404": {"$ref": "#/components/responses/404"},
        },
    }


DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Sample", "version": "1"},
    "tags": [{"name": "focal points", "description": "People."}, {"name": "cameras"}, {"name": "of nobody"}],
    "paths": {
        "/v1/focal-points": {"get": operation("list_focal_points", "focal points", "Page")},
        "/v1/cameras": {
            "get": operation(
                "list_cameras", "cameras", "Camera",
                item={"operationId": "get_camera"}, people={"operationId": "list_focal_points"},
            ),
            "post": operation("write_note", "notes", "Note"),
        },
        "/v1/cameras/{id}": {"parameters": [{"$ref": "#/components/parameters/id"}],
                             "get": operation("get_camera", "cameras", "Camera")},
    },
    "components": {
        "schemas": {
            "Page": {"properties": {"items": {"items": {"$ref": "#/components/schemas/Person"}}}},
            "Person": {"properties": {"above": {"$ref": "#/components/schemas/Person"}}},
            "Camera": {"discriminator": {"mapping": {"ip": "#/components/schemas/Network"}}},
            "Network": {}, "Note": {}, "Problem": {},
        },
        "parameters": {"id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "responses": {"404": {"description": "x", "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"}}}}},
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    },
}  # fmt: skip


def test_a_group_is_a_tag_that_has_operations() -> None:
    assert list_groups(DOCUMENT) == ("focal-points", "cameras", "notes")


def test_a_group_has_its_operations_and_no_others() -> None:
    chosen = choose_group(DOCUMENT, "cameras")
    assert {path: sorted(item) for path, item in chosen["paths"].items()} == {
        "/v1/cameras": ["get"],
        "/v1/cameras/{id}": ["get", "parameters"],
    }
    assert chosen["tags"] == [{"name": "cameras"}]
    assert chosen["info"]["title"] == "Sample cameras", "a generator names its package by it"


def test_what_a_group_refers_to_is_in_it_and_nothing_else() -> None:
    people, cameras = choose_group(DOCUMENT, "focal-points"), choose_group(DOCUMENT, "cameras")
    assert set(people["components"]["schemas"]) == {"Page", "Person", "Problem"}
    assert set(cameras["components"]["schemas"]) == {"Camera", "Network", "Problem"}
    assert "parameters" not in people["components"]
    assert set(cameras["components"]["parameters"]) == {"id"}
    assert people["components"]["securitySchemes"] == DOCUMENT["components"]["securitySchemes"]


def test_a_link_out_of_the_group_is_left_out_and_the_whole_is_not_changed() -> None:
    before = json.dumps(DOCUMENT)
    answer = choose_group(DOCUMENT, "cameras")["paths"]["/v1/cameras"]["get"]["responses"]["200"]
    assert answer["links"] == {"item": {"operationId": "get_camera"}}
    assert json.dumps(DOCUMENT) == before


def test_a_group_that_is_not_there_is_an_error() -> None:
    for name in ("of-nobody", "focal points", "nothing"):
        with pytest.raises(KeyError):
            choose_group(DOCUMENT, name)


async def test_a_service_sends_its_groups_beside_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    app, made = FastAPI(openapi_url=None, docs_url=None), list[int]()

    def make() -> Json:
        made.append(1)
        return DOCUMENT

    monkeypatch.setattr(app, "openapi", make)
    install_problem_handlers(app)
    add_documentation(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/") as client:
        first = await client.get("/openapi/focal-points.json")
        assert first.json() == choose_group(DOCUMENT, "focal-points")
        again = await client.get("/openapi/focal-points.json", headers={"Accept-Encoding": "identity"})
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert (await client.get("/openapi.json")).json() == DOCUMENT
        refused = await client.get("/openapi/nothing.json")
    assert refused.status_code == 404
    jsonschema.validate(refused.json(), {"required": ["code", "detail", "detail_vi"]})
    assert refused.json()["detail_vi"].startswith("không có nhóm thao tác nothing")
    assert len(made) == 1
