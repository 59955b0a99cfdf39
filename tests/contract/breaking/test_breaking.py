"""A change that breaks a caller or a reader is named once, with its place; one that does not is not."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.contract.breaking.__main__ import find_breaks, read_here
from tests.contract.breaking.contracts import compare_asyncapi, compare_openapi
from tests.contract.breaking.schemas import Comparison, Direction, Documents

type Json = dict[str, Any]


def documents(files: Mapping[str, Any]) -> Documents:
    return Documents(lambda path: json.dumps(files[path]) if path in files else None)


def compare(old: Json, new: Json, direction: Direction) -> list[str]:
    before, now = documents({"a.json": old}), documents({"a.json": new})
    was, there = before.load("a.json"), now.load("a.json")
    assert was is not None
    assert there is not None
    return list(Comparison(before, now).compare(was, there, "x", direction))


def fields(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "required": required, "properties": properties}


TEXT, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}
MAYBE = {"type": ["string", "null"]}
SENT, READ = Direction.SENT, Direction.READ


@pytest.mark.parametrize(
    ("old", "new", "direction", "lines"),
    [
        (fields([], a=TEXT), fields([]), SENT, ["x.a: is no longer taken"]),
        (fields([], a=TEXT), fields([]), READ, ["x.a: is no longer there"]),
        (fields([]), fields([], a=TEXT), SENT, []),
        (fields([]), fields(["a"], a=TEXT), SENT, ["x.a: is required now"]),
        (fields([]), fields(["a"], a=TEXT), READ, []),
        (fields(["a"], a=TEXT), fields([], a=TEXT), READ, ["x.a: may be missing now"]),
        (fields(["a"], a=TEXT), fields([], a=TEXT), SENT, []),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, SENT, ['x: "b" is no longer taken']),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, READ, []),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, READ, []),
        (TEXT, {"type": "string", "enum": ["a"]}, SENT, ['x: takes only "a" now']),
        ({"const": "a"}, TEXT, READ, ["x: may now have any value"]),
        (TEXT, MAYBE, READ, ["x: may now be null"]),
        (TEXT, MAYBE, SENT, []),
        (MAYBE, TEXT, SENT, ["x: null is no longer taken"]),
        ({"anyOf": [TEXT, {"type": "null"}]}, MAYBE, READ, []),
        (INTEGER, NUMBER, SENT, []),
        (NUMBER, INTEGER, SENT, ["x: a number is no longer taken"]),
        (INTEGER, NUMBER, READ, ["x: may now be a number"]),
        (NUMBER, INTEGER, READ, []),
        (TEXT, {"type": "string", "format": "uuid"}, SENT, ["x: has the format uuid, not None"]),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": INTEGER}, READ, ["x[]: may now be an integer"]),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "additionalProperties": INTEGER},
            READ,
            ["x.*: may now be an integer"],
        ),
    ],
)
def test_what_breaks_is_told_from_what_does_not(old: Json, new: Json, direction: Direction, lines: list[str]) -> None:
    assert compare(old, new, direction) == lines


def test_a_new_name_of_a_part_is_no_change_and_a_part_may_hold_itself() -> None:
    def tree(name: str, leaf: Json) -> Json:
        part = fields(["leaf"], leaf=leaf, more={"type": "array", "items": {"$ref": f"#/$defs/{name}"}})
        return {"$ref": f"#/$defs/{name}", "$defs": {name: part}}

    assert compare(tree("Tree", TEXT), tree("Plant", TEXT), READ) == []
    assert compare(tree("Tree", TEXT), tree("Plant", MAYBE), READ) == ["x.leaf: may now be null"]


def api(parameters: list[Json], answer: Json, *statuses: str, body: Json | None = None) -> Json:
    operation: Json = {
        "parameters": parameters,
        "responses": {status: {"content": {"application/json": {"schema": answer}}} for status in statuses},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return {"paths": {"/v1/a~b/{id}": {"get": operation}}}


def openapi_breaks(old: Json, new: Json) -> list[str]:
    return list(compare_openapi("a.json", documents({"a.json": old}), documents({"a.json": new})))


def test_routes_parameters_bodies_and_answers_are_compared() -> None:
    name = "GET /v1/a~b/{id}"
    needed = {"name": "q", "in": "query", "required": True, "schema": TEXT}
    free = {**needed, "required": False}
    assert openapi_breaks(api([], TEXT, "200"), {"paths": {}}) == [f"{name}: is no longer there"]
    assert openapi_breaks({"paths": {}}, api([needed], TEXT, "200")) == []
    assert openapi_breaks(api([], TEXT, "200"), api([free], TEXT, "200", "404")) == []
    assert openapi_breaks(api([free], TEXT, "200"), api([needed], TEXT, "200")) == [
        f"{name}: the query parameter q is required now"
    ]
    assert openapi_breaks(api([free], TEXT, "200"), api([], TEXT, "200")) == [
        f"{name}: the query parameter q is no longer taken"
    ]
    assert openapi_breaks(api([], TEXT, "200", "202"), api([], TEXT, "200")) == [f"{name}: never answers 202 any more"]
    assert openapi_breaks(api([], TEXT, "200"), api([], MAYBE, "200", body=fields([]))) == [
        f"{name}: a body is required now",
        f"{name} 200: may now be null",
    ]


def events(address: str, kind: str, payload: Json) -> dict[str, Json]:
    channel = {"address": address, "messages": {"m": {"name": kind, "payload": {"$ref": "../../shared/it.json"}}}}
    publish: Json = {"action": "send", "channel": {"$ref": "#/channels/c"}}
    publish["messages"] = [{"$ref": "#/channels/c/messages/m"}]
    receive = {**publish, "action": "receive"}
    document = {"channels": {"c": channel}, "operations": {"publish": publish, "receive": receive}}
    return {"services/a/asyncapi.json": document, "shared/it.json": payload}


def test_events_are_compared_with_the_schemas_beside_them() -> None:
    def breaks(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
        return list(compare_asyncapi("services/a/asyncapi.json", documents(old), documents(new)))

    old = events("a.{id}", "it.v1", fields(["at"], at=TEXT))
    assert breaks(old, events("a.{id}", "it.v1", fields(["at", "by"], at=TEXT, by=TEXT))) == []
    assert breaks(old, events("a.{id}", "it.v1", fields([]))) == ["it.v1.at: is no longer there"]
    assert breaks(old, events("b.{id}", "it.v1", fields(["at"], at=TEXT))) == ["it.v1: is no longer sent to a.{id}"]
    assert breaks(old, events("a.{id}", "it.v2", fields(["at"], at=TEXT))) == ["it.v1: is no longer sent to a.{id}"]


def test_the_documents_of_the_four_services_break_nothing_beside_themselves() -> None:
    assert find_breaks(Documents(read_here), Documents(read_here)) == []


def test_a_route_that_is_gone_from_our_document_is_named() -> None:
    path = "services/forwarder/src/forwarder/api/openapi.json"
    text = read_here(path)
    assert text is not None
    less = json.loads(text)
    (address, *_) = less["paths"]
    gone = [
        f"forwarder: {method.upper()} {address}: is no longer there" for method in sorted(less["paths"].pop(address))
    ]
    now = Documents(lambda asked: json.dumps(less) if asked == path else read_here(asked))
    assert find_breaks(Documents(read_here), now) == gone
