"""Write what the chart has from its values: `python deploy/k8s/generate.py [--check]`, run from the repository's root.

- `vonggac/values.schema.json` and the table of values in `README.md`: from `vonggac/values.yaml`, where the comment
  above a key is its documentation and a line `@schema` says of its value what the default does not.

`--check` writes nothing and exits 1 naming what is stale.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from vonggac.settings import describe

CHART = Path("deploy/k8s/vonggac")
README = Path("deploy/k8s/README.md")
COMPONENTS = ("inventory", "prober", "forwarder", "reporting", "console")
SET_BY_THE_CHART = frozenset(
    (
        "HOST",
        "PORT",
        "LOG_LEVEL",
        "LOG_FORMAT",
        "NATS_URL",
        "NATS_USER",
        "NATS_PASSWORD",
        "NATS_PASSWORD_FILE",
        "NATS_STORE_BYTES",
        "NATS_CA_FILE",
        "JWKS_FILE",
        "JWKS_URL",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "DATABASE_URL",
        "DATABASE_PASSWORD_FILE",
        "WORKERS_PUBLIC_KEY_FILE",
        "WORKERS_PRIVATE_KEY_FILE",
        "SECRETS_KEY_FILE",
        "STOP_WITHIN_S",
        "MAX_CAMERAS",
        "TRUSTED_PROXIES",
        "BASE_URL",
        "OIDC_ISSUER",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_CLIENT_SECRET_FILE",
        "OIDC_SCOPE",
        "INVENTORY_URL",
        "REPORTING_URL",
        "SERVED_ADDRESSES",
        "SERVED_CA_FILE",
        "SERVE_PORT",
        "SERVE_TLS_PORT",
        "SERVE_TLS_CERTIFICATE_FILE",
        "SERVE_TLS_KEY_FILE",
        "SERVE_UDP_PORTS",
    )
)
BEGIN, END = "<!-- values: generated from values.yaml -->", "<!-- end of values -->"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CIDR4 = rf"{_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?[0-9])"
_LABEL = r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)"
_QUANTITY = r"^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"
_DOMAIN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_LABEL_KEY = rf"^({_DOMAIN}(\.{_DOMAIN}){{0,7}}/)?{_LABEL}$"
_CIDR6 = "[0-9a-f:]{2,39}/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"

DEFINITIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "pattern": rf"^({_DOMAIN}(\.{_DOMAIN}){{0,4}})?$", "maxLength": 230},
    "override": {"type": "string", "pattern": "^([a-z]([a-z0-9-]{0,34}[a-z0-9])?)?$"},
    "objectName": {"type": "string", "pattern": rf"^{_DOMAIN}(\.{_DOMAIN}){{0,4}}$", "maxLength": 230},
    "word": {"type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,200}$"},
    "repository": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._:/-]{0,200}[a-z0-9]$"},
    "tag": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"},
    "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "host": {"type": "string", "pattern": rf"^({_DOMAIN}(\.{_DOMAIN}){{1,9}})?$", "maxLength": 253},
    "cidr4": {"type": "string", "pattern": f"^{_CIDR4}$"},
    "cidr": {"type": "string", "pattern": rf"^({_CIDR4}|{_CIDR6})$"},
    "address": {"type": "string", "pattern": rf"^({_CIDR4}|{_OCTET}(\.{_OCTET}){{3}}|[0-9a-f:]{{2,39}}|{_CIDR6})$"},
    "selector": {
        "type": "object",
        "properties": {
            "matchLabels": {"$ref": "#/$defs/labels"},
            "matchExpressions": {
                "type": "array",
                "maxItems": 10,
                "items": {
                    "type": "object",
                    "properties": {
                        "key": {"type": "string", "pattern": _LABEL_KEY},
                        "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
                        "values": {
                            "type": "array",
                            "maxItems": 20,
                            "items": {"type": "string", "pattern": f"^{_LABEL}$"},
                        },
                    },
                    "required": ["key", "operator"],
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    },
    "peer": {
        "type": "object",
        "properties": {
            "namespaceSelector": {"$ref": "#/$defs/selector"},
            "podSelector": {"$ref": "#/$defs/selector"},
        },
        "minProperties": 1,
        "additionalProperties": False,
    },
    "peers": {
        "type": "array",
        "maxItems": 50,
        "items": {"anyOf": [{"$ref": "#/$defs/cidr"}, {"$ref": "#/$defs/peer"}]},
    },
    "logLevel": {"enum": ["debug", "info", "warning", "error"]},
    "labels": {
        "type": "object",
        "propertyNames": {"pattern": _LABEL_KEY},
        "additionalProperties": {"type": "string", "pattern": f"^{_LABEL}?$"},
        "maxProperties": 20,
    },
    "annotations": {
        "type": "object",
        "propertyNames": {"pattern": _LABEL_KEY},
        "additionalProperties": {"type": "string", "maxLength": 1000},
        "maxProperties": 50,
    },
    "quantities": {
        "type": "object",
        "properties": {
            name: {"type": ["string", "number"], "pattern": _QUANTITY, "minimum": 0}
            for name in ("cpu", "memory", "ephemeral-storage")
        },
        "additionalProperties": False,
    },
    "resources": {
        "type": "object",
        "properties": {side: {"$ref": "#/$defs/quantities"} for side in ("requests", "limits")},
        "additionalProperties": False,
    },
    "tolerations": {
        "type": "array",
        "maxItems": 10,
        "items": {
            "type": "object",
            "properties": {
                "key": {"type": "string", "pattern": _LABEL_KEY},
                "operator": {"enum": ["Exists", "Equal"]},
                "value": {"type": "string", "pattern": f"^{_LABEL}?$"},
                "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
                "tolerationSeconds": {"type": "integer", "minimum": 0, "maximum": 86_400},
            },
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True, slots=True)
class Value:
    """A key of values.yaml: its path, what it is, its default, and what `@schema` says of it."""

    path: tuple[str, ...]
    text: str
    default: Any
    schema: dict[str, Any]
    group: bool
    """Whether its keys are values of their own."""


def values(text: str) -> Iterator[Value]:
    """Every key of values.yaml, in order. Raises ValueError for one without a comment."""
    yield from _keys(yaml.compose(text), text.splitlines(), ())


def _keys(node: Any, lines: list[str], path: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.value:
        here = (*path, str(key.value))
        documentation, annotated = _comment(lines, key.start_mark.line, here)
        group = isinstance(value, yaml.MappingNode) and bool(value.value) and not annotated
        yield Value(here, documentation, yaml.safe_load(yaml.serialize(value)), annotated, group)
        if group:
            yield from _keys(value, lines, here)


def _comment(lines: list[str], line: int, path: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    above: list[str] = []
    while line and lines[line - 1].lstrip().startswith("# "):
        line -= 1
        above.insert(0, lines[line].strip()[2:])
    documentation = " ".join(part for part in above if not part.startswith("@schema "))
    if not documentation.endswith((".", ")")):
        msg = f"values.yaml: {'.'.join(path)} has no comment that ends in a full stop"
        raise ValueError(msg)
    annotated: dict[str, Any] = {}
    for part in above:
        if part.startswith("@schema "):
            annotated |= yaml.safe_load(part.removeprefix("@schema "))
    return documentation, annotated


def schema(text: str) -> dict[str, Any]:
    """The JSON Schema of the values: every key known, no other allowed."""
    root: dict[str, Any] = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart vonggac",
    }
    root |= {"type": "object", "additionalProperties": False, "properties": {"global": {"type": "object"}}}
    root["properties"]["global"]["description"] = "Of a chart around this one: every chart gets it."
    for value in values(text):
        properties = root["properties"]
        for step in value.path[:-1]:
            properties = properties[step]["properties"]
        properties[value.path[-1]] = _schema_of(value)
    root["$defs"] = DEFINITIONS | {f"settings-{name}": _settings(name) for name in COMPONENTS}
    return root


def _schema_of(value: Value) -> dict[str, Any]:
    described: dict[str, Any] = {"description": value.text}
    if value.group:
        return described | {"type": "object", "additionalProperties": False, "properties": {}}
    if not {"$ref", "enum", "type"} & value.schema.keys():
        kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
        described["type"] = kinds[type(value.default)]
    return described | value.schema | {"default": value.default}


def _settings(service: str) -> dict[str, Any]:
    prefix = f"VONGGAC_{service.upper()}_"
    settings = importlib.import_module(f"{service}.settings").Settings
    names = [variable.removeprefix(prefix) for variable, *_ in describe(settings)]
    # Reporting's are those of webhooks and mail, not `media.allowedNetworks`.
    taken = SET_BY_THE_CHART if service == "reporting" else SET_BY_THE_CHART | {"ALLOWED_NETWORKS"}
    plain = {"type": ["string", "boolean", "integer", "number"], "pattern": "^[ -~]{0,500}$"}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: plain for name in names if name not in taken},
    }


def table(text: str) -> str:
    """The values as a table of Markdown."""
    rows = ["| value | default | meaning |", "|---|---|---|"]
    for value in values(text):
        path = ".".join(value.path)
        if value.group:
            rows.append(f"| **`{path}`** | | {value.text} |")
        else:
            default = json.dumps(value.default, ensure_ascii=False)
            rows.append(f"| `{path}` | `{default}` | {value.text} |".replace("\\|", "|"))
    return "\n".join(rows)


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content."""
    text = (CHART / "values.yaml").read_text("utf-8")
    yield CHART / "values.schema.json", json.dumps(schema(text), indent=1, ensure_ascii=False) + "\n"
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    yield README, f"{before}{BEGIN}\n\n{table(text)}\n\n{END}{rest.partition(END)[2]}"


def stale() -> list[Path]:
    """The generated files that are not as they should be."""
    return [path for path, text in documents() if not path.exists() or path.read_text("utf-8") != text]


def main() -> int:
    """Exit status 0 when everything is written, or is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        wrong = stale()
        for path in wrong:
            sys.stdout.write(f"stale: {path}; run `make generate`\n")
        return 1 if wrong else 0
    for path, text in documents():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
