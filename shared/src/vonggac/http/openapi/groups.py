"""One group of a document's operations as a document of its own: who reads one noun makes a small client.

A group is a tag of the API, written with hyphens: `focal-points`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

type Part = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")
_SECURITY = "securitySchemes"


def list_groups(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the groups that have operations, in the order of the document's tags."""
    used = {tag for _, _, operation in _list_operations(document) for tag in operation.get("tags", ())}
    named = [tag["name"] for tag in document.get("tags", ())]
    return tuple(_group_of(tag) for tag in (*named, *sorted(used.difference(named))) if tag in used)


def choose_group(document: Mapping[str, Any], group: str) -> Part:
    """Return the document of a group alone: its operations, and what they refer to, through any number of references.

    Links into other groups are left out. Raises KeyError where there is no such group.
    """
    if group not in list_groups(document):
        raise KeyError(group)
    paths: dict[str, Part] = {}
    for path, method, operation in _list_operations(document):
        if group in map(_group_of, operation.get("tags", ())):
            paths.setdefault(path, _beside_operations(document["paths"][path]))[method] = operation
    tags = [tag for tag in document.get("tags", ()) if _group_of(tag["name"]) == group]
    chosen: Part = json.loads(json.dumps({**document, "paths": paths, "tags": tags}))
    chosen["info"]["title"] += f" {group}"
    chosen["components"] = _referred(chosen["paths"], chosen.get("components", {}))
    _leave_out_links(chosen)
    return chosen


def _group_of(tag: str) -> str:
    return tag.replace(" ", "-")


def _list_operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Part]]:
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _beside_operations(item: Part) -> Part:
    return {name: part for name, part in item.items() if name not in _METHODS}


def _referred(paths: Part, components: Part) -> Part:
    """Return those components that the paths need, in their order. How callers are known belongs to all."""
    needed: set[tuple[str, str]] = set()
    waiting: list[Any] = [paths]
    while waiting:
        for kind, name in _list_references(waiting.pop()):
            if (kind, name) not in needed:
                needed.add((kind, name))
                waiting.append(components[kind][name])
    chosen = {
        kind: {name: part for name, part in parts.items() if kind == _SECURITY or (kind, name) in needed}
        for kind, parts in components.items()
    }
    return {kind: parts for kind, parts in chosen.items() if parts}


def _list_references(part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, str) and part.startswith("#/components/"):
        # Of a `$ref`, or of the mapping of a discriminator.
        _, _, kind, name = part.split("/", 3)
        yield kind, name
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _list_references(each)


def _leave_out_links(document: Part) -> None:
    operations = [operation for _, _, operation in _list_operations(document)]
    known = {operation["operationId"] for operation in operations}
    responses = [response for operation in operations for response in operation["responses"].values()]
    for response in (*responses, *document["components"].get("responses", {}).values()):
        if "links" in response:
            links = {name: link for name, link in response.pop("links").items() if link.get("operationId") in known}
            response.update({"links": links} if links else {})
