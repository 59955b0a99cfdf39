"""What is wrong in an object is found: in Kubernetes' own kinds, and in custom resources by their schemas."""

import re
from functools import cache

import pytest
from tests.chart.rendering import INSTALLATIONS, KUBERNETES, Json, manifests, merged, rendered
from tests.chart.validity import NATIVE, Validity, custom

pytestmark = pytest.mark.server

HIGHLY_AVAILABLE, EXTERNAL = INSTALLATIONS[:2]
KINDS = {"Cluster", "Database", "HTTPRoute", "PrometheusRule", "ScaledObject", "ServiceMonitor"}


@cache
def resources() -> list[Json]:
    return [
        thing
        for values in (HIGHLY_AVAILABLE, EXTERNAL)
        for thing in manifests(values)
        if thing["apiVersion"] not in NATIVE
    ]


def test_every_kind_is_rendered_has_a_schema_and_is_valid() -> None:
    found, validity = resources(), Validity()
    assert {thing["kind"] for thing in found} == KINDS == {kind for _, kind in custom()}
    assert [mistake for thing in found for mistake in validity.mistakes(thing)] == []


@pytest.mark.parametrize(
    ("kind", "changed", "mistake"),
    [
        ("Cluster", {"instances": "3"}, "$.spec.instances: '3' is not of type 'integer'"),
        ("Cluster", {"instance": 3}, "'instance' was unexpected"),
        ("Database", {"databaseReclaimPolicy": "keep"}, "'keep' is not one of ['delete', 'retain']"),
        ("HTTPRoute", {"hostnames": ["no host!"]}, "'no host!' does not match"),
        ("PrometheusRule", {"groups": [{"rules": []}]}, "'name' is a required property"),
        ("ScaledObject", {"triggers": [{"type": "nats-jetstream"}]}, "'metadata' is a required property"),
        ("ServiceMonitor", {"endpoints": [{"interval": "15 s"}]}, "'15 s' does not match"),
    ],
)
def test_a_mistake_is_found(kind: str, changed: Json, mistake: str) -> None:
    thing = next(one for one in resources() if one["kind"] == kind)
    [found] = Validity().mistakes(merged(thing, {"spec": changed}))
    assert mistake in found


def test_a_kind_without_a_schema_is_not_passed_over() -> None:
    thing = {"apiVersion": "example.org/v1", "kind": "Other", "metadata": {"name": "a"}}
    with pytest.raises(KeyError, match="Other"):
        Validity().mistakes(thing)


def test_a_mistake_in_any_document_of_a_rendered_text_is_found_each_time() -> None:
    text, validity = rendered(EXTERNAL), Validity()
    wrong, deployments = re.subn("^kind: Deployment$", "kind: Deployment\nother: 1", text, flags=re.MULTILINE)
    assert deployments > 1
    for said, mistakes in ((text, 0), (wrong, deployments * len(KUBERNETES)), (wrong, deployments * len(KUBERNETES))):
        found = validity.mistakes_in(said)
        assert (len(found), all("'other' was unexpected" in mistake for mistake in found)) == (mistakes, True)


def test_a_field_that_kubernetes_has_not_is_found_in_each_version() -> None:
    thing = next(one for one in manifests(EXTERNAL) if one["kind"] == "Deployment")
    found = Validity().mistakes(merged(thing, {"spec": {"replica": 2}}))
    assert [version for version in KUBERNETES if any(f"in {version}: " in mistake for mistake in found)] == [
        *KUBERNETES
    ]
    assert all("'replica' was unexpected" in mistake for mistake in found)
