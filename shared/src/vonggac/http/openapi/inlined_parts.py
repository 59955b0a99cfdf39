"""The way back from `repeated_parts`, for who reads an operation alone: with its own headers, examples, answers."""

import json
from collections.abc import Mapping
from typing import Any

type Part = dict[str, Any]

_METHODS = ("get", "put", "post", "patch", "delete")


def inline_repeated_parts(document: Mapping[str, Any]) -> Part:
    """Return a copy of the document in which no operation refers to `components`, but for schemas."""
    whole: Part = json.loads(json.dumps(document))
    components = whole.get("components", {})
    for path in whole.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                _inline_operation(path[method], components)
    return whole


def _inline_operation(operation: Part, components: Part) -> None:
    operation["parameters"] = [_follow(components, each) for each in operation.get("parameters", [])]
    for status, response in operation["responses"].items():
        own = json.loads(json.dumps(_follow(components, response)))
        if "headers" in own:
            own["headers"] = {name: _follow(components, each) for name, each in own["headers"].items()}
        operation["responses"][status] = own
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        for media in body.get("content", {}).values():
            if "examples" in media:
                media["example"] = _follow(components, media.pop("examples")["example"])["value"]


def _follow(components: Mapping[str, Any], part: Part) -> Part:
    reference = part.get("$ref")
    if reference is None:
        return part
    _, kind, name = str(reference).removeprefix("#/").split("/")
    followed: Part = components[kind][name]
    return followed
