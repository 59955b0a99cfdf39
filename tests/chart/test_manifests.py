"""Every values file of `ci/` renders to valid manifests, which hold what the chart promises."""

import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings
from tests.chart.rendering import (
    CHART,
    CI,
    INSTALLATIONS,
    KUBERNETES,
    SERVICES,
    WORKERS,
    Json,
    component_of,
    helm,
    manifests,
    merged,
    minimal,
    one,
    pods,
    rendered,
    values_of,
)
from tests.chart.validity import Validity

import forwarder.settings
import inventory.settings
import prober.settings
import reporting.settings
from local.commands.nats_certificate import ensure_certificate, names_of_servers
from vonggac.bus.declared.accounts import passwords
from vonggac.bus.declared.permissions import USERS
from vonggac.embedded.nats import nats_server_binary
from vonggac.settings import describe

pytestmark = pytest.mark.server

SETTINGS: dict[str, type[BaseSettings]] = {
    "inventory": inventory.settings.Settings,
    "prober": prober.settings.Settings,
    "forwarder": forwarder.settings.Settings,
    "reporting": reporting.settings.Settings,
}
DRAIN_S = {"inventory": 30, "reporting": 30, "prober": 45, "forwarder": 55}
"""Requests (25 s); the pause before (5 s), or what is running (stop_within_s) and what follows (10 s)."""
each_ci = pytest.mark.parametrize("path", CI, ids=lambda path: path.stem)


RECORDS = {"inventory", "reporting", "postgres-exporter"}
"""Components with a login of PostgreSQL."""


@cache
def of_ci(path: Path) -> list[Json]:
    return manifests(values_of(path))


def test_there_is_a_values_file_for_each_kind_of_installation() -> None:
    kinds = "external-everything high-availability keda locked-down minimal single-node"
    assert [path.stem.removesuffix("-values") for path in CI] == kinds.split(" ")


def test_every_values_file_renders(record_property: Callable[[str, object], None]) -> None:
    record_property("charts_rendered", len([path for path in CI if of_ci(path)]))
    record_property("schemas", len(KUBERNETES))


@each_ci
def test_it_lints(path: Path) -> None:
    done = helm("lint", "--strict", str(CHART), values=values_of(path))
    if "needs the CloudNativePG operator" not in done.stderr + done.stdout:
        assert done.returncode == 0, done.stdout + done.stderr


@each_ci
def test_it_is_valid_in_three_versions_of_kubernetes(path: Path) -> None:
    validity = Validity()
    assert [mistake for thing in of_ci(path) for mistake in validity.mistakes(thing)] == []


@each_ci
def test_no_two_objects_have_one_name_and_all_lie_in_the_namespace(path: Path) -> None:
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in of_ci(path)]
    assert len(names) == len(set(names))
    assert {thing["metadata"]["namespace"] for thing in of_ci(path)} == {"vonggac"}


@each_ci
def test_every_pod_is_restricted_and_has_no_token(path: Path) -> None:
    accounts = {thing["metadata"]["name"]: thing for thing in of_ci(path) if thing["kind"] == "ServiceAccount"}
    for component, pod in pods(of_ci(path)):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, component
        assert spec["enableServiceLinks"] is False, component
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False, component
        assert spec["securityContext"]["runAsNonRoot"] is True, component
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, component
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, component
            assert security["capabilities"] == {"drop": ["ALL"]}, component
            assert security["readOnlyRootFilesystem"] is True, component
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), component
            assert "memory" in container["resources"]["limits"], component
        kinds = {kind for volume in spec.get("volumes", []) for kind in volume if kind != "name"}
        kept = {"persistentVolumeClaim"} if component == "backup" else set()
        assert kinds <= {"emptyDir", "secret", "configMap"} | kept, component


@each_ci
def test_every_pod_has_a_network_policy_for_both_directions(path: Path) -> None:
    policies = [thing for thing in of_ci(path) if thing["kind"] == "NetworkPolicy"]
    for component, pod in pods(of_ci(path)):
        labels = pod["metadata"]["labels"]
        chosen = [
            policy for policy in policies if policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        ]
        assert len(chosen) == 1, component
        assert chosen[0]["spec"]["policyTypes"] == ["Ingress", "Egress"], component


@each_ci
def test_secrets_are_files_and_each_component_has_its_own_alone(path: Path) -> None:
    assert [thing for thing in of_ci(path) if thing["kind"] == "Secret"] == []
    for component, pod in pods(of_ci(path)):
        assert "secretKeyRef" not in str(pod), component
        mounted = {
            item["path"]
            for volume in pod["spec"].get("volumes", [])
            for item in volume.get("secret", {}).get("items", [])
        }
        assert ("workers.key" in mounted) == (component in WORKERS), component
        assert ("password" in mounted) == (component.removeprefix("migrate-") in RECORDS), component
        assert ("passwords.conf" in mounted) == (component == "nats"), component


@each_ci
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_set_what_it_needs_and_nothing_it_does_not_know(path: Path, service: str) -> None:
    given = one(of_ci(path), "ConfigMap", f"demo-vonggac-{service}")["data"]
    rows = list(describe(SETTINGS[service]))
    assert given.keys() <= {variable for variable, *_ in rows}
    assert {row.variable for row in rows if row.default == "required"} <= given.keys()
    assert all(isinstance(value, str) for value in given.values())
    spec = one(of_ci(path), "Deployment", f"demo-vonggac-{service}")["spec"]["template"]["spec"]
    mounts = {mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    files = {value.rpartition("/")[0] for value in given.values() if value.startswith("/run/vonggac/")}
    files |= {found for value in given.values() for found in re.findall(r"(/run/vonggac/[\w-]+)/", value)}
    assert files <= mounts


@each_ci
def test_a_migration_has_the_settings_of_its_service(path: Path) -> None:
    for service in ("inventory", "reporting"):
        [job] = [
            thing for thing in of_ci(path) if thing["kind"] == "Job" and component_of(thing) == f"migrate-{service}"
        ]
        [container] = job["spec"]["template"]["spec"]["containers"]
        given = {variable["name"]: variable["value"] for variable in container["env"]}
        assert given == one(of_ci(path), "ConfigMap", f"demo-vonggac-{service}")["data"]
        assert container["args"] == ["migrate"]


@each_ci
@pytest.mark.parametrize("service", SERVICES)
def test_a_rolling_update_takes_nobody_away_and_lets_him_finish(path: Path, service: str) -> None:
    spec = one(of_ci(path), "Deployment", f"demo-vonggac-{service}")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "25%"}
    pod = spec["template"]["spec"]
    stated = one(of_ci(path), "ConfigMap", f"demo-vonggac-{service}")["data"]
    stop_s = int(stated.get(f"VONGGAC_{service.upper()}_STOP_WITHIN_S", 0))
    assert pod["terminationGracePeriodSeconds"] > max(DRAIN_S[service], stop_s + 35 if stop_s else 0)
    probes = pod["containers"][0]
    assert probes["startupProbe"]["httpGet"]["path"] == probes["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert probes["readinessProbe"]["httpGet"]["path"] == "/readyz"


@each_ci
def test_a_disruption_budget_is_there_where_one_may_go(path: Path) -> None:
    budgets = {component_of(thing) for thing in of_ci(path) if thing["kind"] == "PodDisruptionBudget"}
    scaled = {
        component_of(thing) for thing in of_ci(path) if thing["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
    }
    many = {
        component_of(thing)
        for thing in of_ci(path)
        if thing["kind"] in {"Deployment", "StatefulSet"} and thing["spec"].get("replicas", 2) > 1
    }
    assert budgets == many
    for thing in of_ci(path):
        if thing["kind"] == "Deployment":
            assert ("replicas" in thing["spec"]) == (component_of(thing) not in scaled)


def networks(policy: Json) -> set[str]:
    return {
        peer["ipBlock"]["cidr"]
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    }


def test_locked_down_values_leave_nothing_open() -> None:
    objects = of_ci(CHART / "ci/locked-down-values.yaml")
    for policy in [thing for thing in objects if thing["kind"] == "NetworkPolicy"]:
        assert {"0.0.0.0/0", "::/0"} & networks(policy) == set(), policy["metadata"]["name"]
        for rule in policy["spec"].get("ingress", []):
            assert {"namespaceSelector": {}} not in rule["from"], policy["metadata"]["name"]
    stated = one(objects, "ConfigMap", "demo-vonggac-inventory")["data"]["VONGGAC_INVENTORY_ALLOWED_NETWORKS"]
    assert stated == "10.64.0.0/12,203.0.113.0/28"


def test_workers_are_allowed_and_reach_the_same_networks() -> None:
    objects = of_ci(CHART / "ci/minimal-values.yaml")
    for worker in WORKERS:
        stated = one(objects, "ConfigMap", f"demo-vonggac-{worker}")["data"]
        assert stated[f"VONGGAC_{worker.upper()}_ALLOWED_NETWORKS"] == "10.64.0.0/12"
        assert "10.64.0.0/12" in networks(one(objects, "NetworkPolicy", f"demo-vonggac-{worker}"))


def test_only_workers_reach_the_media_networks() -> None:
    for policy in of_ci(CHART / "ci/locked-down-values.yaml"):
        if policy["kind"] == "NetworkPolicy":
            assert ("10.64.0.0/12" in networks(policy)) == (component_of(policy) in WORKERS)


def test_the_notes_are_loud_about_what_is_open() -> None:
    def notes(path: str) -> str:
        return helm("install", "demo", str(CHART), "--dry-run=client", values=values_of(CHART / path)).stdout

    assert "!!! OPEN: prober and forwarder may connect to every address" in notes("ci/external-everything-values.yaml")
    assert "may connect to every address" not in notes("ci/minimal-values.yaml")
    assert "OPEN" not in notes("ci/locked-down-values.yaml")


def test_the_set_up_job_runs_again_only_when_it_declares_something_else() -> None:
    def job(**values: Any) -> str:
        found = [thing for thing in manifests(minimal(**values)) if component_of(thing) == "setup"]
        return str(next(thing["metadata"]["name"] for thing in found if thing["kind"] == "Job"))

    usual = job()
    assert job(forwarder={"maxCameras": 300}) == usual
    assert job(nats={"observationsMaxBytes": 1 << 30}) != usual
    assert job(image={"tag": "0.2.0"}) != usual


def test_migrations_run_before_the_services_of_a_release() -> None:
    objects = manifests(minimal())
    job = one(objects, "Job", "demo-vonggac-migrate-inventory")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    for kind in ("ServiceAccount", "NetworkPolicy"):
        needed = one(objects, kind, "demo-vonggac-migrate-inventory")["metadata"]["annotations"]
        assert int(needed["helm.sh/hook-weight"]) < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
    assert "configMapRef" not in str(job), "no ConfigMap of the release stands yet"


def test_a_database_of_the_chart_is_migrated_beside_its_install_and_before_an_upgrade() -> None:
    values = minimal(postgresql={"host": "", "cloudnativepg": {"enabled": True}})

    def annotations(*, upgrade: bool) -> list[Json]:
        jobs = [thing for thing in manifests(values, upgrade=upgrade) if "migrate" in component_of(thing)]
        return [thing["metadata"].get("annotations", {}) for thing in jobs]

    assert all(each == {} for each in annotations(upgrade=False))
    assert all("pre-upgrade" in each["helm.sh/hook"] for each in annotations(upgrade=True))


def test_keep_an_uninstall_leaves_databases_and_the_volumes_of_nats() -> None:
    """Both kinds hold data: Helm deletes neither, nor does Kubernetes the volumes of a StatefulSet that is gone."""
    objects = manifests(minimal(postgresql={"host": "", "cloudnativepg": {"enabled": True}}))
    for kind in ("Cluster", "Database"):
        [kept] = [thing for thing in objects if thing["kind"] == kind]
        assert kept["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert one(objects, "Database", "demo-vonggac-postgresql-reporting")["spec"]["databaseReclaimPolicy"] == "retain"
    servers = one(objects, "StatefulSet", "demo-vonggac-nats")["spec"]
    assert "persistentVolumeClaimRetentionPolicy" not in servers, "Retain, by default"
    assert [claim["metadata"]["name"] for claim in servers["volumeClaimTemplates"]] == ["data"]
    assert [thing for thing in objects if thing["kind"] in {"PersistentVolumeClaim", "PersistentVolume"}] == []


def test_connections_of_each_role_are_bounded_and_the_servers_take_both() -> None:
    database = {"host": "", "cloudnativepg": {"enabled": True, "connectionsPerRole": 120}}
    [cluster] = [thing for thing in manifests(minimal(postgresql=database)) if thing["kind"] == "Cluster"]
    roles = {role["name"]: role for role in cluster["spec"]["managed"]["roles"]}
    assert {name: role["connectionLimit"] for name, role in roles.items()} == {"inventory": 120, "reporting": 120}
    assert all(role["login"] and role["passwordSecret"] for role in roles.values())
    assert cluster["spec"]["postgresql"]["parameters"]["max_connections"] == "260"


@pytest.mark.parametrize("number", range(len(INSTALLATIONS)))
def test_an_installation_to_restore_into_has_the_servers_alone(number: int) -> None:
    """No table, stream or service stands that a backup would have to replace; the upgrade afterwards brings all."""
    values = INSTALLATIONS[number]
    nothing_yet = {"restoring": True, "backup": {"restoreFrom": ""}}
    filled, empty = manifests(merged(values, {"restoring": False})), manifests(merged(values, nothing_yet))
    assert {thing["kind"] for thing in empty} & {
        "Deployment",
        "Job",
        "Pod",
        "HorizontalPodAutoscaler",
        "ScaledObject",
    } == set()
    servers = {"nats", "postgresql"}
    assert {component for component, _ in pods(empty)} <= servers
    named = {(thing["kind"], thing["metadata"]["name"]): thing for thing in filled}
    assert [thing for thing in empty if named[thing["kind"], thing["metadata"]["name"]] != thing] == []


def test_keda_counts_cameras_and_goes_down_slowly() -> None:
    objects = of_ci(CHART / "ci/keda-values.yaml")
    queues = {
        "prober": [("PROBE_JOBS", "prober", "1500"), ("VERIFY_JOBS", "verifier", "800")],
        "forwarder": [("DELIVERY_JOBS", "forwarder", "200")],
    }
    for worker, triggers in queues.items():
        spec = one(objects, "ScaledObject", f"demo-vonggac-{worker}")["spec"]
        asked = [trigger["metadata"] for trigger in spec["triggers"]]
        assert [(each["stream"], each["consumer"], each["lagThreshold"]) for each in asked] == triggers
        down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
        assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]
    assert [thing for thing in objects if thing["kind"] == "HorizontalPodAutoscaler"] == []
    place = one(objects, "ConfigMap", "demo-vonggac-nats")["data"]["place.conf"]
    assert 'http: "0.0.0.0:8222"' in place


@pytest.mark.parametrize("path", ["ci/minimal-values.yaml", "ci/single-node-values.yaml", "ci/keda-values.yaml"])
def test_the_server_takes_the_configuration_of_the_chart(tmp_path: Path, path: str) -> None:
    files = one(manifests(values_of(CHART / path)), "ConfigMap", "demo-vonggac-nats")["data"]
    made = ensure_certificate(tmp_path / "tls", names_of_servers("demo-vonggac-nats", "vonggac"))
    assert made.certificate.startswith("-----BEGIN CERTIFICATE-----")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/passwords.conf").write_text(passwords({user.name: "p" for user in USERS}), "utf-8")
    for name, text in files.items():
        here = text.replace("/etc/nats/tls", str(tmp_path / "tls")).replace("/data", str(tmp_path / "data"))
        (tmp_path / name).write_text(here, "utf-8")
    checked = subprocess.run(
        [nats_server_binary(), "-t", "-c", str(tmp_path / "nats.conf")],
        env={"SERVER_NAME": "demo-vonggac-nats-0"},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_monitoring_of_nats_is_for_its_own_pod_alone() -> None:
    objects = manifests(minimal())
    assert 'http: "127.0.0.1:8222"' in one(objects, "ConfigMap", "demo-vonggac-nats")["data"]["place.conf"]
    policy = one(objects, "NetworkPolicy", "demo-vonggac-nats")
    ports = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    assert ports == {4222, 6222}


def test_rendering_twice_is_the_same() -> None:
    assert rendered(minimal()) == rendered(minimal())


@each_ci
def test_keep_of_the_streams_runs_beside_the_services_with_what_set_up_states(path: Path) -> None:
    [job] = [thing for thing in of_ci(path) if thing["kind"] == "Job" and component_of(thing) == "setup"]
    keeper = one(of_ci(path), "Deployment", "demo-vonggac-streams")["spec"]
    [declares], [keeps] = (spec["template"]["spec"]["containers"] for spec in (job["spec"], keeper))
    assert keeps["command"] == [*declares["command"], "--keep"]
    assert (keeper["replicas"], keeper["strategy"]["type"]) == (1, "Recreate")


def test_keep_of_the_streams_is_not_there_while_restoring_or_unwanted() -> None:
    for values in (minimal(restoring=True), minimal(nats={"keepStreams": {"enabled": False}})):
        assert [thing for thing in manifests(values) if component_of(thing) == "streams"] == []
