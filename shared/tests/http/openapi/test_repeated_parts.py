"""Parts that operations repeat stand once, under a name that says which they are, and can be put back."""

from copy import deepcopy
from typing import Any

from vonggac.http.openapi.inlined_parts import inline_repeated_parts
from vonggac.http.openapi.repeated_parts import share_repeated_parts

type Json = dict[str, Any]


def operation(name: str, *, missing: str = "There is none", limit: int = 50) -> Json:
    return {
        "operationId": name,
        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": limit}}],
        "responses": {
            "200": {"description": "Successful Response", "headers": {"ETag": {"schema": {"type": "string"}}}},
            "404": {"description": missing},
        },
    }


def document(*operations: Json) -> Json:
    return {"paths": {f"/v1/{one['operationId']}": {"get": one} for one in operations}, "components": {"schemas": {}}}


def test_what_stands_twice_stands_once() -> None:
    shared = document(operation("list_a"), operation("list_b"))
    share_repeated_parts(shared)
    for path in shared["paths"].values():
        assert path["get"]["parameters"] == [{"$ref": "#/components/parameters/limit"}]
        assert path["get"]["responses"]["404"] == {"$ref": "#/components/responses/404"}
    assert shared["components"]["responses"]["404"] == {"description": "There is none"}
    assert shared["components"]["responses"]["200"]["headers"] == {"ETag": {"$ref": "#/components/headers/ETag"}}


def test_what_stands_once_stays_where_it_is() -> None:
    shared = document(operation("list_a"), operation("list_b", missing="No such camera", limit=5))
    share_repeated_parts(shared)
    assert shared["paths"]["/v1/list_b"]["get"]["parameters"][0]["schema"]["maximum"] == 5
    assert shared["paths"]["/v1/list_b"]["get"]["responses"]["404"] == {"description": "No such camera"}
    assert "parameters" not in shared["components"]


def test_another_part_of_the_same_name_is_named_by_its_words_or_its_operation() -> None:
    others = [operation(name, missing="No such camera is known here", limit=5) for name in ("list_c", "list_d")]
    shared = document(*(operation(name) for name in ("list_a", "list_b", "list_e")), *others)
    share_repeated_parts(shared)
    assert set(shared["components"]["responses"]) == {"200", "404", "404-NoSuchCameraIsKnownHere"}
    assert set(shared["components"]["parameters"]) == {"limit", "limit-list_c"}


def test_an_example_of_two_bodies_stands_once() -> None:
    bodies = []
    for name in ("add", "change"):
        one = operation(name)
        media = {"schema": {"$ref": "#/components/schemas/Camera"}, "example": {"code": "QT-01"}}
        one["requestBody"] = {"content": {"application/json": media}}
        bodies.append(one)
    shared = document(*bodies)
    share_repeated_parts(shared)
    media = shared["paths"]["/v1/add"]["get"]["requestBody"]["content"]["application/json"]
    assert media["examples"] == {"example": {"$ref": "#/components/examples/Camera"}}
    assert shared["components"]["examples"] == {"Camera": {"value": {"code": "QT-01"}}}


def test_inlined_again_it_is_the_document_of_before() -> None:
    whole = document(operation("list_a"), operation("list_b"), operation("list_c", missing="No such camera"))
    shared = deepcopy(whole)
    share_repeated_parts(shared)
    assert shared["paths"] != whole["paths"]
    assert inline_repeated_parts(shared)["paths"] == whole["paths"]
