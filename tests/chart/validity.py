"""Whether an object is valid: Kubernetes' own kinds in three versions, custom resources by their reduced schemas."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate.utils
from referencing import Registry, Resource
from tests.chart.rendering import KUBERNETES, Json, parsed

FOLDER = Path(__file__).parent / "custom_resources"
NATIVE = frozenset(("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"))

_DIVIDER = re.compile("^---$", re.MULTILINE)


@cache
def custom() -> dict[tuple[str, str], jsonschema.Draft202012Validator]:
    """By apiVersion and kind."""
    found = {}
    for path in FOLDER.glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        found[document["apiVersion"], path.stem] = jsonschema.Draft202012Validator(document["schema"])
    return found


class Validity:
    """Finds what is wrong with objects; equal ones are checked once."""

    def __init__(self) -> None:
        self._known: dict[str, list[str]] = {}
        self._read: dict[str, list[str]] = {}

    def mistakes_in(self, rendered: str) -> list[str]:
        """Of all objects in a rendered text. An equal document is parsed once: that takes as long as rendering it."""
        return [mistake for document in _DIVIDER.split(rendered) for mistake in self._mistakes_of(document)]

    def _mistakes_of(self, document: str) -> list[str]:
        if document not in self._read:
            self._read[document] = [mistake for thing in parsed(document) for mistake in self.mistakes(thing)]
        return self._read[document]

    def mistakes(self, thing: Json) -> list[str]:
        """A line each: kind, name, version or field, and what is wrong. Raises KeyError on a kind without a schema."""
        text = json.dumps(thing, sort_keys=True)
        if text not in self._known:
            found = _native(thing) if thing["apiVersion"] in NATIVE else _custom(thing)
            self._known[text] = [f"{thing['kind']} {thing['metadata']['name']} {mistake}" for mistake in found]
        return self._known[text]


def _native(thing: Json) -> list[str]:
    found = []
    for version in KUBERNETES:
        errors = native(version, thing["apiVersion"], thing["kind"]).iter_errors(thing)
        found += [f"in {version}: {error.json_path}: {error.message}" for error in errors]
    return found


@cache
def native(version: str, api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    """Of a kind in a version of Kubernetes, fields that it has not refused.

    The wheel's own function reads half a megabyte of schemas for every object.
    """
    [known] = {each for each in kubernetes_validate.utils.all_versions() if each.startswith(f"{version}.")}
    folder = f"v{known}-local-strict"
    group, _, plain = api_version.rpartition("/")
    name = f"{group.partition('.')[0]}-{plain}" if group else plain
    schema = _schema(folder, f"{kind.lower()}-{name}")
    registry: Registry[Any] = Registry()
    for content in (schema, _schema(folder, "_definitions")):
        registry = Resource.from_contents(content) @ registry
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _schema(folder: str, name: str) -> Json:
    contents = kubernetes_validate.utils.schema_contents
    return dict(contents(f"kubernetes-json-schema/{folder}/{name}.json", folder))


def _custom(thing: Json) -> list[str]:
    validator = custom()[thing["apiVersion"], thing["kind"]]
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(thing)]
