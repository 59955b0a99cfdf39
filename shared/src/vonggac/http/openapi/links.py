"""Links of the OpenAPI document: what can be done next with the thing that an answer is about.

They follow from the paths. What creates in a collection leads to the new item, a page to its first one, and an item to
what changes or removes it, which takes the answer's ETag.
"""

import re
from collections.abc import Iterator
from typing import Any

_CREATED = ("201", "202", "200")
_CHANGING = ("patch", "put", "delete")
_ITEM = re.compile(r"\{(\w+)\}")
_ETAG = "$response.header.ETag"


def add_links(document: dict[str, Any]) -> None:
    """Add `links` to the answers of a document."""
    for path, operations in document["paths"].items():
        parameter = _parameter_below(document, path)
        if parameter is not None:
            _link_collection(document, path, operations, parameter)
        if path.endswith("}"):
            _link_item(path, operations)


def _parameter_below(document: dict[str, Any], path: str) -> str | None:
    """Name of the parameter of the items in the collection at `path`."""
    below = {found[1] for each in document["paths"] if (found := _ITEM.fullmatch(each.removeprefix(f"{path}/")))}
    return below.pop() if len(below) == 1 else None


def _link_collection(document: dict[str, Any], path: str, operations: dict[str, Any], parameter: str) -> None:
    item = f"{path}/{{{parameter}}}"
    reading = list(_reading(document, item, parameter))
    if "post" in operations:
        status = next(each for each in _CREATED if each in operations["post"]["responses"])
        made = operations["post"]["responses"][status]
        key = _key(document, _schema(made), parameter)
        if key is not None:
            _link(made, reading, {parameter: f"$response.body#/{key}"})
    if "get" in operations:
        page = operations["get"]["responses"].get("200", {})
        for schema in _schema(page).get("anyOf", [_schema(page)]):
            items = _resolved(document, schema).get("properties", {}).get("items", {}).get("items", {})
            key = _key(document, items, parameter)
            if key is not None:
                _link(page, reading[:1], {parameter: f"$response.body#/items/0/{key}"})
                break


def _reading(document: dict[str, Any], item: str, parameter: str) -> Iterator[str]:
    """Operation ids that read the item, or a part of it that has no id of its own."""
    for path, operations in document["paths"].items():
        if (path == item or path.startswith(f"{item}/")) and path.count("{") == item.count("{"):
            get = operations.get("get")
            if get is not None and parameter in {each["name"] for each in get.get("parameters", ())}:
                yield get["operationId"]


def _link_item(path: str, operations: dict[str, Any]) -> None:
    ok = operations.get("get", {}).get("responses", {}).get("200")
    if ok is None:
        return
    own = [each["name"] for each in operations["get"].get("parameters", ()) if each["in"] == "path"]
    for method in _CHANGING:
        operation = operations.get(method)
        if operation is not None:
            given = {name: f"$request.path.{name}" for name in own if f"{{{name}}}" in path}
            needs_etag = "If-Match" in {each["name"] for each in operation.get("parameters", ())}
            _link(ok, [operation["operationId"]], given | ({"If-Match": _ETAG} if needs_etag else {}))


def _link(response: dict[str, Any], operations: list[str], parameters: dict[str, str]) -> None:
    for operation in operations:
        response.setdefault("links", {})[operation] = {"operationId": operation, "parameters": dict(parameters)}


def _schema(response: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = response.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _key(document: dict[str, Any], schema: dict[str, Any], parameter: str) -> str | None:
    """Where the item's id is in it, as a JSON pointer without its first stroke."""
    properties = _resolved(document, schema).get("properties", {})
    name = next((name for name in (parameter, "id") if name in properties), None)
    if name is None:
        return None
    within = _resolved(document, properties[name]).get("properties")
    if within is None:
        return name
    return f"{name}/id" if "id" in within else None


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"].get(name, schema)
    return found
