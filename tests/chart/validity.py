"""Whether an object is valid: Kubernetes' own kinds in three versions, custom resources by their reduced schemas."""

import json
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
from tests.chart.rendering import KUBERNETES, Json

FOLDER = Path(__file__).parent / "custom_resources"
NATIVE = frozenset(("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"))


@cache
def custom() -> dict[tuple[str, str], jsonschema.Draft202012Validator]:
    """By apiVersion and kind."""
    found = {}
    for path in FOLDER.glob("*.json"):
        document = json.loads(path.read_text("utf-8"))
        found[document["apiVersion"], path.stem] = jsonschema.Draft202012Validator(document["schema"])
    return found


class Validity:
    """Finds what is wrong with objects; equal ones are looked at once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def mistakes(self, thing: Json) -> list[str]:
        """A line each: kind, name, version or field, and what is wrong. Raises KeyError on a kind without a schema."""
        text = json.dumps(thing, sort_keys=True)
        if text in self._seen:
            return []
        self._seen.add(text)
        found = _native(thing) if thing["apiVersion"] in NATIVE else _custom(thing)
        return [f"{thing['kind']} {thing['metadata']['name']} {mistake}" for mistake in found]


def _native(thing: Json) -> list[str]:
    found = []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"in {version}: {error.message}")
    return found


def _custom(thing: Json) -> list[str]:
    validator = custom()[thing["apiVersion"], thing["kind"]]
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(thing)]
