"""An example for every request in the document: made of the examples of its fields, and of their types elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

type Schema = Mapping[str, Any]

_BY_FORMAT = {
    "uuid": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31",
    "date-time": "2026-11-24T07:00:00+07:00",
    "date": "2026-11-24",
    "time": "07:00:00",
    "uri": "https://example.org/",
    "password": "a password",
    "binary": "",
}
_DEEPEST = 8
_SHA256 = r"^[0-9a-f]{64}$"


def add_examples(document: dict[str, Any]) -> None:
    """Give each media type of each request an `example`, where its route has given none.

    An answer gets none: whatever shows it makes the same of the examples of its fields. Bytes have none: no text
    stands for them.
    """
    schemas = document["components"]["schemas"]
    for body in _list_request_bodies(document):
        for media in body.get("content", {}).values():
            given = "example" in media or "examples" in media
            if not given and media.get("schema", {"format": "binary"}).get("format") != "binary":
                media["example"] = example_of(media["schema"], schemas, sparse=True)


def example_of(schema: Schema, schemas: Mapping[str, Schema], *, sparse: bool = False, depth: int = 0) -> Any:
    """Build a value that fits `schema`. `sparse` leaves out properties that are neither required nor have an example.

    A field with a `pattern` (other than that of a SHA-256) needs an example of its own: none is made up.
    """
    schema = _resolved(schema, schemas)
    for key in ("example", "const", "default"):
        if key in schema and not (key == "default" and schema[key] is None):
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _of_choice(schema[key], schemas, sparse=sparse, depth=depth)
    return _of_type(schema, schemas, sparse=sparse, depth=depth)


def _of_choice(choices: list[Schema], schemas: Mapping[str, Schema], *, sparse: bool, depth: int) -> Any:
    fitting = [choice for choice in choices if choice.get("type") != "null"]
    if not fitting or depth > _DEEPEST:
        return None
    return example_of(fitting[0], schemas, sparse=sparse, depth=depth + 1)


def _of_type(schema: Schema, schemas: Mapping[str, Schema], *, sparse: bool, depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _of_object(schema, schemas, sparse=sparse, depth=depth)
        case "array":
            return _of_array(schema, schemas, sparse=sparse, depth=depth)
        case "string" if schema.get("pattern") == _SHA256:
            return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        case "string":
            text = _BY_FORMAT.get(schema.get("format", ""), "text")
            return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", len(text) + 1000)]
        case "integer":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "number":
            return max(schema.get("minimum", 1.5), schema.get("exclusiveMinimum", 0) + 0.5)
        case "boolean":
            return True
    return None if schema.get("type") == "null" else {}


def _of_object(schema: Schema, schemas: Mapping[str, Schema], *, sparse: bool, depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    made = {
        name: example_of(inner, schemas, sparse=sparse, depth=depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or (depth <= _DEEPEST and not (sparse and "examples" not in inner))
    }
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and len(made) < schema.get("minProperties", 0):
        name = example_of(schema.get("propertyNames", {"type": "string"}), schemas, depth=depth + 1)
        made[str(name)] = example_of(others, schemas, sparse=sparse, depth=depth + 1)
    return made


def _of_array(schema: Schema, schemas: Mapping[str, Schema], *, sparse: bool, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(inner, schemas, sparse=sparse, depth=depth + 1) for inner in schema["prefixItems"]]
    if "items" not in schema or (depth > _DEEPEST and not schema.get("minItems")):
        return []
    return [example_of(schema["items"], schemas, sparse=sparse, depth=depth + 1)] * max(1, schema.get("minItems", 1))


def _resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Resolve a reference to its schema, with what stands beside the reference over it."""
    beside = {name: value for name, value in schema.items() if name not in {"$ref", "allOf"}}
    parts = [schema] if "$ref" in schema else list(schema.get("allOf", ()))
    merged: dict[str, Any] = {}
    for part in parts:
        reference = part.get("$ref")
        merged |= _resolved(schemas[reference.rpartition("/")[2]], schemas) if reference else part
    return merged | beside if parts else schema


def _list_request_bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "requestBody" in operation:
                yield operation["requestBody"]
