"""Values for the chart out of its schema: drawn at random, or one that is certainly not the default."""

import json
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from typing import Any

from hypothesis import strategies as st
from tests.chart.rendering import CHART, CI, Json, merged, values_of

MOST_CHANGES = 12
_ASCII = st.characters(min_codepoint=32, max_codepoint=126)


@cache
def schema() -> Json:
    return dict(json.loads((CHART / "values.schema.json").read_text("utf-8")))


def leaves(node: Json | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Path and schema of every value that is no group of values."""
    for name, child in (node or schema())["properties"].items():
        if child.get("properties") and "default" not in child:
            yield from leaves(child, (*path, name))
        elif "default" in child:
            yield (*path, name), resolved(child)


def resolved(node: Json) -> Json:
    """The schema with what it refers to."""
    if "$ref" in node:
        return resolved(schema()["$defs"][node["$ref"].removeprefix("#/$defs/")] | {"default": node.get("default")})
    return node


def drawn(node: Json) -> st.SearchStrategy[Any]:
    """Any value that this schema allows; it knows what the generator of the schema writes, no more."""
    node = resolved(node)
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "anyOf" in node:
        return st.one_of([drawn(each) for each in node["anyOf"]])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return st.one_of([_of_kind(kind, node) for kind in kinds])


def _of_kind(kind: str, node: Json) -> st.SearchStrategy[Any]:
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(node.get("minimum", 0), node.get("maximum", 1 << 40))
    if kind == "number":
        return st.floats(0, 1000, width=32)
    if kind == "string":
        if "pattern" in node:
            longest = node.get("maxLength", 1 << 16)
            texts = st.from_regex(node["pattern"].removesuffix("$"), fullmatch=True, alphabet=_ASCII)
            return texts.filter(lambda text: len(text) <= longest)
        return st.text(_ASCII, max_size=min(node.get("maxLength", 40), 40))
    if kind == "array":
        return st.lists(
            drawn(node["items"]), min_size=node.get("minItems", 0), max_size=min(node.get("maxItems", 4), 4)
        )
    assert kind == "object"
    if "properties" in node:
        needed = {name: drawn(one) for name, one in node["properties"].items() if name in node.get("required", ())}
        others = {name: drawn(one) for name, one in node["properties"].items() if name not in needed}
        least = node.get("minProperties", 0)
        return st.fixed_dictionaries(needed, optional=others).filter(lambda drawn_: len(drawn_) >= least)
    names = drawn({"type": "string"} | node["propertyNames"])
    return st.dictionaries(names, drawn(node["additionalProperties"]), max_size=3)


@st.composite
def sets_of_values(draw: st.DrawFn) -> Json:
    """One of the values files of `ci/`, with some values drawn anew."""
    values = values_of(draw(st.sampled_from(CI)))
    known = list(leaves())
    for index in draw(st.sets(st.integers(0, len(known) - 1), min_size=1, max_size=MOST_CHANGES)):
        path, node = known[index]
        values = merged(values, nested(path, draw(drawn(node))))
    return merged(
        values, {"media": {"allowedNetworks": [_network(text) for text in values["media"]["allowedNetworks"]]}}
    )


def _network(text: str) -> str:
    """What a pattern cannot say: a network of IPv4 begins at its first address, and one of IPv6 can be read."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return str(EXAMPLES["cidr"][0])
    return str(network) if network.version == 4 else text


def nested(path: tuple[str, ...], value: Any) -> Json:
    """The value below its keys."""
    for name in reversed(path):
        value = {name: value}
    return dict(value)


EXAMPLES: dict[str, Any] = {
    "annotations": {"example.org/a": "b"},
    "cidr": ["198.51.100.0/24"],
    "host": "other.example",
    "labels": {"example.org/a": "b"},
    "resources": {"requests": {"cpu": "11m", "memory": "11Mi"}, "limits": {"memory": "12Mi"}},
    "tolerations": [{"key": "example.org/a", "operator": "Exists"}],
}
BY_PATH: dict[str, Any] = {
    "image.registry": "other.example/vonggac",
    "image.tag": "9.9.9",
    "image.pullSecrets": ["other"],
    "auth.jwksUrl": "https://other.example/keys",
    "console.baseUrl": "https://other.example",
    "console.oidc.issuer": "https://other.example",
    "console.oidc.scope": "openid other",
    "served.host": "other.example",
    "served.udpPorts": "30000-30009",
    "served.service.loadBalancerClass": "example.org/other",
    "nats.memoryLimit": "777MiB",
    "nats.external.url": "tls://other.example:4222",
    "nats.external.monitoring": "other.example:8222",
    "nats.external.storeBytes": 200 << 30,
    "postgresql.host": "other.example",
    "networkPolicy.egress.mediaExcept": ["198.51.100.0/24"],
    "networkPolicy.egress.dnsPorts": [5353],
    "networkPolicy.egress.oidcPorts": [9443],
    "networkPolicy.egress.reportingPorts": [2525],
    "maxSurge": 3,
    "backup.schedule": "30 2 * * *",
    "backup.timeZone": "Etc/UTC",
    "backup.restoreFrom": "2026-11-26T08-30-00Z",
    "extraCa.key": "other.pem",
    "nats.image.digest": f"sha256:{'a' * 64}",
}
WITH: dict[str, Json] = {
    "console.enabled": {
        "auth": {"jwksUrl": "https://other.example/keys"},
        "console": {"baseUrl": "https://other.example", "oidc": {"issuer": "https://other.example"}},
    },
    "served.enabled": {"served": {"host": "other.example", "tlsSecret": "other"}},
    "served.udpPorts": {"served": {"port": 554}, "forwarder": {"replicas": 1, "autoscaling": {"enabled": False}}},
    "nats.enabled": {"nats": {"external": {"url": "tls://other.example:4222"}}},
    "postgresql.cloudnativepg.enabled": {"postgresql": {"host": ""}},
    "ingress.enabled": {"gateway": {"enabled": False}, "hosts": {"inventory": "other.example"}},
    "gateway.enabled": {
        "ingress": {"enabled": False},
        "gateway": {"name": "other"},
        "hosts": {"inventory": "other.example"},
    },
}
"""What a choice between two needs beside it."""


BOUNDS: dict[str, int] = {"nats.cameras": 1_000_000, "nats.absenceHours": 720}
"""What changes no manifest, and is refused where another value is too small for it."""


def another(path: tuple[str, ...], node: Json) -> Any:
    """An allowed value that is not the default."""
    where, default = ".".join(path), node["default"]
    if path[-1] == "settings":
        return {next(iter(node["properties"])): "777"}
    if where in BY_PATH:
        return BY_PATH[where]
    if where in BOUNDS:
        return BOUNDS[where]
    if "enum" in node:
        return next(value for value in node["enum"] if value != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        if path[-1] == "minReplicas":
            return default + 2
        return default + 3 if default + 3 <= node.get("maximum", default + 3) else default - 1
    for name, example in EXAMPLES.items():
        pattern = schema()["$defs"].get(name)
        if pattern is not None and {key: node.get(key) for key in pattern} == pattern:
            return example
    if isinstance(default, list):
        return EXAMPLES["cidr"]
    if path[-1] == "digest":
        return f"sha256:{'a' * 64}"
    return "other"
