"""Any values that the schema allows render to valid manifests or are refused by a check; and every value counts."""

import json
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
from hypothesis import HealthCheck, given, settings
from tests.chart.drawing import WITH, another, leaves, nested, sets_of_values
from tests.chart.rendering import (
    CHART,
    KUBERNETES,
    Json,
    RefusedValuesError,
    merged,
    minimal,
    parsed,
    rendered,
    values_of,
)

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

SETS = 60
TRIED = 160
NATIVE = {"v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1"}
EXTERNAL = values_of(CHART / "ci/external-everything-values.yaml")
ALL_BUNDLED = merged(
    values_of(CHART / "ci/high-availability-values.yaml"),
    {
        "prober": {"autoscaling": {"enabled": False}, "keda": {"enabled": True}},
        "forwarder": {"keda": {"enabled": True}},
        "inventory": {"autoscaling": {"enabled": True}},
        "auth": {"jwksUrl": ""},
    },
)
BASES: list[Json] = [
    ALL_BUNDLED,
    merged(
        EXTERNAL,
        {
            "forwarder": {"autoscaling": {"enabled": True}},
            "prober": {"keda": {"enabled": True}},
            "nats": {"external": {"monitoring": "nats.example:8222"}},
        },
    ),
    minimal(),
    merged(
        EXTERNAL,
        {"auth": {"jwksUrl": ""}, "secrets": {"prefix": "vonggac"}, "prober": {"autoscaling": {"enabled": True}}},
    ),
    values_of(CHART / "ci/high-availability-values.yaml"),
]
"""Installations in which each value has something to say."""


class Validity:
    """Whether objects are valid in every version; equal ones are looked at once."""

    def __init__(self) -> None:
        self._valid: set[str] = set()

    def check(self, thing: Json) -> None:
        text = json.dumps(thing, sort_keys=True)
        if thing["apiVersion"] in NATIVE and text not in self._valid:
            for version in KUBERNETES:
                kubernetes_validate.validate(thing, version, strict=True)
            self._valid.add(text)


def test_generated_sets_render_to_valid_manifests_or_are_refused_by_a_check(
    record_property: Callable[[str, object], None],
) -> None:
    validity, done = Validity(), {"rendered": 0, "refused": 0}

    @settings(
        max_examples=TRIED, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(sets_of_values())
    def holds(values: Json) -> None:
        if done["rendered"] == SETS:
            return
        try:
            text = rendered(values)
        except RefusedValuesError as refused:
            if "Error: execution error at (vonggac/templates/checks.yaml:" not in str(refused):
                raise
            done["refused"] += 1
            return
        for thing in parsed(text):
            validity.check(thing)
        done["rendered"] += 1

    holds()
    assert done["rendered"] == SETS, done
    record_property("values_sets", done["rendered"])


@pytest.fixture(scope="module")
def usual() -> list[str]:
    return [rendered(base) for base in BASES]


@pytest.mark.parametrize(
    ("path", "node"), list(leaves()), ids=lambda value: ".".join(value) if isinstance(value, tuple) else ""
)
def test_every_value_is_used(usual: list[str], path: tuple[str, ...], node: Json) -> None:
    value: Any = another(path, node)
    refusals = []
    for base, before in zip(BASES, usual, strict=True):
        try:
            beside = WITH.get(".".join(path), {})
            if rendered(merged(merged(base, beside), nested(path, value))) != before:
                return
        except RefusedValuesError as refused:
            refusals.append(str(refused).strip().partition("Error: ")[2])
    pytest.fail(f"{'.'.join(path)}: {value!r} changes nothing; refused: {refusals}")
