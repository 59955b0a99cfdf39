"""The OpenAPI document of an app: the framework's, made true and complete."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from vonggac.http.openapi.examples import add_examples
from vonggac.http.openapi.links import add_links
from vonggac.http.openapi.problem_responses import Operation, describe_problems
from vonggac.http.openapi.repeated_parts import share_repeated_parts
from vonggac.http.problems import Problem

_METHODS = ("get", "put", "post", "patch", "delete")
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags that you have; 304 says that it is still one of them.",
    "schema": {"type": "string", "maxLength": 1000},
    "example": '"3"',
}
_ETAG = {
    "description": "Strong and the revision where the record has one; weak and of the body elsewhere.",
    "schema": {"type": "string"},
}
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_OR_NULL = 2
"""Choices of a schema that is something or null."""
CONTACT = {"name": "Vong Gac"}
LICENCE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}


def operation_id(route: APIRoute) -> str:
    """Ids are the names of the functions: `list_cameras`."""
    return route.name


def describe_operations(app: FastAPI, tags: Mapping[str, str]) -> Callable[[], dict[str, Any]]:
    """Build the maker of the app's document, kept once made; `tags` to their descriptions, in the order shown.

    Raises ValueError for an operation id that stands twice, and for a tag without a description.
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, tags)
        return app.openapi_schema

    return openapi


def _document(app: FastAPI, tags: Mapping[str, str]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        description=app.description,
        routes=app.routes,
        contact=CONTACT,
        license_info=LICENCE,
        servers=[{"url": "/", "description": "This service."}],
    )
    components = document.setdefault("components", {}).setdefault("schemas", {})
    _, problem = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    components |= problem["$defs"]
    used: set[str] = set()
    ids: Counter[str] = Counter()
    for operation, method in _operations(document):
        ids[operation["operationId"]] += 1
        used |= set(operation.get("tags", ()))
        _require_if_match(operation)
        if method == "get":
            _describe_revalidation(operation)
        describe_problems(operation)
    _refuse_any("operation ids that stand twice", [name for name, times in ids.items() if times > 1])
    _refuse_any("tags without a description", sorted(used - tags.keys()))
    document["tags"] = [{"name": name, "description": text} for name, text in tags.items() if name in used]
    _drop_unused(document)
    add_links(document)
    add_examples(document)
    for schema in _list_schemas(document):
        _shorten(schema)
    share_repeated_parts(document)
    return document


def _refuse_any(message: str, wrong: list[str]) -> None:
    if wrong:
        msg = f"{message}: {', '.join(wrong)}"
        raise ValueError(msg)


def _operations(document: dict[str, Any]) -> Iterator[tuple[Operation, str]]:
    for path in document.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                yield path[method], method


def _require_if_match(operation: Operation) -> None:
    """Require If-Match in the document: the route answers 428 without it, so the framework must not demand it."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header" and parameter["name"] == "If-Match":
            parameter["required"] = True
            parameter["schema"] = {"type": "string", "maxLength": 1000}


def _describe_revalidation(operation: Operation) -> None:
    ok = operation["responses"].get("200")
    if ok is None or "application/json" not in ok.get("content", {}):
        return
    operation.setdefault("parameters", []).append(dict(_IF_NONE_MATCH))
    ok.setdefault("headers", {})["ETag"] = dict(_ETAG)
    unchanged = {"description": "As before: If-None-Match has its ETag", "headers": {"ETag": dict(_ETAG)}}
    operation["responses"]["304"] = unchanged


def _list_schemas(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every model, the schema of each of its properties, and of each parameter, body and answer."""
    for model in document["components"]["schemas"].values():
        yield model
        yield from model.get("properties", {}).values()
    for operation, _ in _operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["schema"].get("description") == parameter.get("description"):
                parameter["schema"].pop("description", None)
            yield parameter["schema"]
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from (media["schema"] for media in body.get("content", {}).values() if "schema" in media)


def _shorten(schema: dict[str, Any]) -> None:
    """Leave out a title that repeats the name; say "or null" as JSON Schema's own list of types."""
    if str(schema.get("title", "")).isascii():
        # Others are questions of a form, in Vietnamese.
        schema.pop("title", None)
    choices = schema.get("anyOf", [])
    if len(choices) == _OR_NULL and {"type": "null"} in choices:
        [other] = [choice for choice in choices if choice != {"type": "null"}]
        if other.get("type") in _SCALARS and not {"enum", "const"} & other.keys():
            del schema["anyOf"]
            schema |= {**other, "type": [other["type"], "null"]}


def _drop_unused(document: dict[str, Any]) -> None:
    """Leave out schemas that nothing refers to, the framework's own of a 422 among them."""
    schemas = document["components"]["schemas"]
    reached: set[str] = set()
    waiting = list(_references(document["paths"]))
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _references(schemas[name])
    for name in schemas.keys() - reached:
        del schemas[name]


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
