"""Autoscalers act on what fills a pod, and figures that cannot work are refused with their sum."""

from typing import Any

import pytest
from tests.chart.rendering import (
    CHART,
    CLUSTER_HAS,
    Json,
    RefusedValuesError,
    manifests,
    merged,
    minimal,
    one,
    parsed,
    rendered,
    values_of,
)

pytestmark = pytest.mark.server
WITHOUT_METRICS = [version for version in CLUSTER_HAS if not version.startswith("custom.metrics")]
FORWARDERS = {"forwarder": {"autoscaling": {"enabled": True}}}
PROBERS = {"prober": {"autoscaling": {"enabled": True}}}
KEDA = values_of(CHART / "ci/keda-values.yaml")


def refusal(values: Json, **options: Any) -> str:
    with pytest.raises(RefusedValuesError) as refused:
        rendered(values, **options)
    return str(refused.value)


def metrics_of(objects: list[Json], component: str) -> dict[str, object]:
    """Metric to what it aims at."""
    found: dict[str, object] = {}
    for each in one(objects, "HorizontalPodAutoscaler", f"demo-vonggac-{component}")["spec"]["metrics"]:
        if each["type"] == "Pods":
            found[each["pods"]["metric"]["name"]] = each["pods"]["target"]["averageValue"]
        else:
            found[each["resource"]["name"]] = each["resource"]["target"]["averageUtilization"]
    return found


def test_forwarders_are_scaled_by_the_cameras_that_they_hold() -> None:
    objects = manifests(minimal(**FORWARDERS))
    assert metrics_of(objects, "forwarder") == {"cpu": 70, "vonggac_forwarder_cameras_held": "130"}
    room = one(objects, "ConfigMap", "demo-vonggac-forwarder")["data"]["VONGGAC_FORWARDER_MAX_CAMERAS"]
    assert int(room) > 130


def test_probers_are_scaled_by_the_read_backs_that_run() -> None:
    asked = metrics_of(manifests(minimal(**PROBERS)), "prober")
    assert asked == {"cpu": 70, "vonggac_prober_verifications_running": "24"}


@pytest.mark.parametrize("component", ["inventory", "reporting"])
def test_other_services_are_scaled_by_cpu(component: str) -> None:
    objects = manifests(minimal(**{component: {"autoscaling": {"enabled": True}}}))
    assert metrics_of(objects, component) == {"cpu": 70}


def test_cpu_that_a_full_forwarder_never_takes_is_refused_with_the_sum() -> None:
    text = refusal(minimal(**FORWARDERS), cluster_has=WITHOUT_METRICS)
    assert "by CPU alone it never acts" in text
    assert "full with 200 cameras (forwarder.maxCameras) takes 121m and it aims at 175m (70 % of the 250m" in text
    half_a_core = merged(minimal(**FORWARDERS), {"forwarder": {"resources": {"requests": {"cpu": 0.5}}}})
    assert "takes 121m and it aims at 350m (70 % of the 500m" in refusal(half_a_core, cluster_has=WITHOUT_METRICS)


def test_cpu_that_a_full_prober_never_takes_is_refused_with_the_sum() -> None:
    text = refusal(minimal(**PROBERS), cluster_has=WITHOUT_METRICS)
    assert "full with 960 cameras, all that it can read back, takes 286m and it aims at 350m" in text


@pytest.mark.parametrize("cpu", ["100m", 0.1, "0.1"])
def test_cpu_that_a_full_forwarder_exceeds_is_not_refused(cpu: object) -> None:
    small = merged(minimal(**FORWARDERS), {"forwarder": {"resources": {"requests": {"cpu": cpu}}}})
    objects = parsed(rendered(small, cluster_has=WITHOUT_METRICS))
    assert metrics_of(objects, "forwarder") == {"cpu": 70}


def test_a_part_of_no_request_is_refused() -> None:
    values = minimal(reporting={"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}})
    assert "set reporting.resources.requests.cpu: its autoscaler aims at a part of that" in refusal(values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"prober": {"keda": {"provenPerReplica": 2000}}},
            "set prober.keda.provenPerReplica to at most 960: that many cameras' deliveries a pod reads back in its",
        ),
        (
            {"prober": {"keda": {"provenPerReplica": 961}}},
            "set prober.keda.provenPerReplica to at most 960",
        ),
        (
            {"prober": {"settings": {"VERIFY_INTERVAL_S": "30"}}},
            "set prober.keda.provenPerReplica to at most 480",
        ),
        (
            {"prober": {"keda": {"camerasPerReplica": 2000}}},
            "set prober.keda.camerasPerReplica to at most 1920: that many cameras a pod probes with a picture in its",
        ),
        (
            {"forwarder": {"maxCameras": 200}},
            "set forwarder.keda.camerasPerReplica below forwarder.maxCameras: pods must have room for the cameras of",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_more_than_a_pod_can_do_is_refused_with_what_it_can(values: Json, sentence: str) -> None:
    assert sentence in refusal(merged(KEDA, values))


def test_a_prober_with_more_places_may_have_more_cameras() -> None:
    more = {"keda": {"provenPerReplica": 1900}, "settings": {"MAX_CONCURRENT_VERIFICATIONS": 64}}
    assert rendered(merged(KEDA, {"prober": more}))


@pytest.mark.parametrize(
    ("component", "autoscaling", "sentence"),
    [
        ("forwarder", {"camerasPerReplica": 200}, "set forwarder.autoscaling.camerasPerReplica below forwarder.maxCam"),
        ("prober", {"readBacksPerReplica": 32}, "set prober.autoscaling.readBacksPerReplica below 32"),
    ],
)
def test_an_aim_that_a_full_pod_does_not_exceed_is_refused(component: str, autoscaling: Json, sentence: str) -> None:
    assert sentence in refusal(minimal(**{component: {"autoscaling": {"enabled": True, **autoscaling}}}))


@pytest.mark.parametrize(("given", "rolled"), [("25%", "25%"), ("10%", "10%"), (3, 3), ("3", 3)])
def test_an_update_replaces_a_part_of_the_pods_at_a_time(given: object, rolled: object) -> None:
    for component in ("inventory", "prober", "forwarder", "reporting"):
        spec = one(manifests(minimal(maxSurge=given)), "Deployment", f"demo-vonggac-{component}")["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": rolled}


def test_a_hundred_and_fifty_forwarders_may_be_asked_for() -> None:
    values = merged(KEDA, {"forwarder": {"keda": {"maxReplicas": 154}}})
    assert one(manifests(values), "ScaledObject", "demo-vonggac-forwarder")["spec"]["maxReplicaCount"] == 154
