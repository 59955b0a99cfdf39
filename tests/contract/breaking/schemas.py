"""What a change of a JSON Schema takes from those who send by it, and from those who read by it.

A schema is read with its references followed, so that a new name or place of a part is no change.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

type Json = dict[str, Any]


class Direction(StrEnum):
    """Who writes by a schema."""

    SENT = "sent"
    """The caller: it must be taken as before."""
    READ = "read"
    """We: it must hold what it held before."""


class Documents:
    """JSON documents of one state of the repository, by path, with references between them."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        """`read`: the text of a file by its path from the root, None where it does not exist."""
        self._read_text = read
        self._read: dict[str, Json | None] = {}

    def load(self, path: str) -> Json | None:
        """Return a document, its references written from the root; None where it does not exist."""
        if path not in self._read:
            text = self._read_text(path)
            self._read[path] = None if text is None else _with_whole_references(json.loads(text), path)
        return self._read[path]

    def follow(self, node: Json) -> Json:
        """Return what a reference names, or the node itself. A reference that leads nowhere is a mistake: KeyError."""
        while "$ref" in node:
            path, _, pointer = node["$ref"].partition("#")
            found: Any = self.load(path)
            if found is None:
                raise KeyError(node["$ref"])
            for step in pointer.split("/")[1:]:
                found = found[unquote(step).replace("~1", "/").replace("~0", "~")]
            node = found
        return node


def _with_whole_references(value: Any, path: str) -> Any:
    if isinstance(value, list):
        return [_with_whole_references(each, path) for each in value]
    if not isinstance(value, dict):
        return value
    whole = {name: _with_whole_references(each, path) for name, each in value.items()}
    reference = value.get("$ref")
    if isinstance(reference, str):
        file, _, pointer = reference.partition("#")
        whole["$ref"] = f"{_beside(path, file) if file else path}#{pointer}"
    return whole


def _beside(path: str, relative: str) -> str:
    parts: list[str] = [*PurePosixPath(path).parent.parts]
    for part in PurePosixPath(relative).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


class Comparison:
    """Compares schemas of two states; a part that many places share is named at the first."""

    def __init__(self, before: Documents, now: Documents) -> None:
        """Begin with nothing compared."""
        self._before, self._now = before, now
        self._done: set[tuple[int, int, Direction]] = set()

    def compare(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[str]:
        """Yield a line for each thing that breaks whoever wrote or read by `old`."""
        old, new = self._before.follow(old), self._now.follow(new)
        # Documents are kept as they were loaded: an id is that of one place.
        key = id(old), id(new), direction
        if key in self._done:
            return
        self._done.add(key)
        were, are = _kinds(self._before, old), _kinds(self._now, new)
        if direction is Direction.SENT and "any" not in are:
            for kind in sorted(were.keys() - are.keys() - ({"integer"} if "number" in are else set())):
                yield f"{where}: {_named(kind)} is no longer taken"
        if direction is Direction.READ and "any" not in were:
            for kind in sorted(are.keys() - were.keys() - ({"integer"} if "number" in were else set())):
                yield f"{where}: may now be {_named(kind)}"
        for kind in sorted(were.keys() & are.keys()):
            for one, other in zip(were[kind], are[kind], strict=False):
                yield from self._compare_kind(one, other, where, direction)

    def _compare_kind(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[str]:
        yield from _values(old, new, where, direction)
        if "properties" in old or "properties" in new:
            yield from self._fields(old, new, where, direction)
        for name, step in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
                yield from self.compare(old[name], new[name], f"{where}{step}", direction)

    def _fields(self, old: Json, new: Json, where: str, direction: Direction) -> Iterator[str]:
        were, are = old.get("properties", {}), new.get("properties", {})
        must_were, must_are = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(were.keys() - are.keys()):
            yield f"{where}.{name}: is no longer {'taken' if direction is Direction.SENT else 'there'}"
        if direction is Direction.SENT:
            yield from (f"{where}.{name}: is required now" for name in sorted(must_are - must_were))
        else:
            yield from (f"{where}.{name}: may be missing now" for name in sorted((must_were - must_are) & are.keys()))
        for name in sorted(were.keys() & are.keys()):
            yield from self.compare(were[name], are[name], f"{where}.{name}", direction)


def _values(old: Json, new: Json, where: str, direction: Direction) -> Iterator[str]:
    """A value more in an answer is no break: who reads keeps a case for what it does not know."""
    were, are = _enumerated(old), _enumerated(new)
    if direction is Direction.SENT and are is not None:
        if were is None:
            yield f"{where}: takes only {', '.join(sorted(are))} now"
        else:
            yield from (f"{where}: {value} is no longer taken" for value in sorted(were - are))
    if direction is Direction.READ and were is not None and are is None:
        yield f"{where}: may now have any value"
    if old.get("format") != new.get("format"):
        yield f"{where}: has the format {new.get('format')}, not {old.get('format')}"


def _enumerated(schema: Json) -> set[str] | None:
    if "const" in schema:
        return {json.dumps(schema["const"])}
    return {json.dumps(value) for value in schema["enum"]} if "enum" in schema else None


def _kinds(documents: Documents, schema: Json) -> Mapping[str, list[Json]]:
    """The types that a value may have, each with its schemas: a union is taken apart."""
    found: dict[str, list[Json]] = {}
    for each in _alternatives(documents, schema):
        types = each.get("type") or _types_of_values(each)
        for kind in [types] if isinstance(types, str) else types:
            found.setdefault(kind, []).append(each)
    return found


def _alternatives(documents: Documents, schema: Json) -> Iterator[Json]:
    schema = documents.follow(schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            for each in schema[word]:
                yield from _alternatives(documents, each)
            return
    if len(schema.get("allOf", ())) == 1:
        yield from _alternatives(documents, schema["allOf"][0])
        return
    yield schema


def _types_of_values(schema: Json) -> list[str]:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    values = [schema["const"]] if "const" in schema else schema.get("enum", [])
    return sorted({names.get(type(value), "any") for value in values}) or ["any"]


def _named(kind: str) -> str:
    return {"any": "anything", "null": "null", "integer": "an integer", "object": "an object", "array": "a list"}.get(
        kind, f"a {kind}"
    )
