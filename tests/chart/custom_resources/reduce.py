"""`python -m tests.chart.custom_resources.reduce FOLDER`: writes the schemas beside this file.

FOLDER holds the CustomResourceDefinitions (YAML) that README.md names. Of each schema there stays what the chart uses
in any installation of the tests, with types, limits and required fields. A field that is left out is refused, as the
API server refuses an unknown one under strict validation. Descriptions, defaults and rules in CEL are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from tests.chart.rendering import CI, INSTALLATIONS, Json, manifests, values_of
from tests.chart.validity import FOLDER

NOTES = frozenset(("description", "default", "example", "externalDocs", "title"))


def definitions(folder: Path) -> dict[tuple[str, str], Json]:
    """Schema by apiVersion and kind, of every version in the folder's files."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        spec = yaml.safe_load(path.read_text("utf-8"))["spec"]
        for version in spec["versions"]:
            name = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
            found[name] = version["schema"]["openAPIV3Schema"]
    return found


def reduced(schema: Json, values: list[Any], *, where: str) -> Json:
    """The part of the schema that says something about these values. Raises ValueError on a field that it has not."""
    kept = {
        key: plain(part) for key, part in schema.items() if key not in {"properties", "items", "additionalProperties"}
    }
    kept = {key: part for key, part in kept.items() if key not in NOTES and not key.startswith("x-")}
    if schema.get("nullable"):
        kept["type"] = [kept.pop("type"), "null"]
    kept.pop("nullable", None)
    objects = [value for value in values if isinstance(value, dict)]
    if "properties" in schema:
        names = sorted({name for one in objects for name in one})
        unknown = [name for name in names if name not in schema["properties"]]
        if unknown and not schema.get("x-kubernetes-preserve-unknown-fields"):
            raise ValueError(f"{where} has no field {', '.join(unknown)}")
        inside = {name: [one[name] for one in objects if name in one] for name in names}
        kept["properties"] = {
            name: reduced(schema["properties"][name], inside[name], where=f"{where}.{name}")
            for name in names
            if name in schema["properties"]
        }
        kept["additionalProperties"] = bool(unknown)
    elif isinstance(schema.get("additionalProperties"), dict):
        below = [value for one in objects for value in one.values()]
        kept["additionalProperties"] = reduced(schema["additionalProperties"], below, where=f"{where}.*")
    if "items" in schema:
        below = [item for value in values if isinstance(value, list) for item in value]
        kept["items"] = reduced(schema["items"], below, where=f"{where}[]")
    return kept


def plain(part: Any) -> Any:
    """Without what is only for readers."""
    if isinstance(part, dict):
        return {key: plain(one) for key, one in part.items() if key not in NOTES and not key.startswith("x-")}
    return [plain(one) for one in part] if isinstance(part, list) else part


def main() -> None:
    """Write a file for each kind that the chart makes."""
    rendered = [thing for values in [*map(values_of, CI), *INSTALLATIONS] for thing in manifests(values)]
    for (version, kind), schema in definitions(Path(sys.argv[1])).items():
        things = [thing for thing in rendered if (thing["apiVersion"], thing["kind"]) == (version, kind)]
        if things:
            found = reduced(schema, things, where=kind)
            # The same for all kinds; the schemas of Kubernetes' own kinds check it.
            found["properties"]["metadata"] = {"type": "object"}
            file = FOLDER / f"{kind}.json"
            file.write_text(json.dumps({"apiVersion": version, "schema": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
